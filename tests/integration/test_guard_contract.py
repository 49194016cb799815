"""What the guard relies on in clients beyond their documentation, and what breaks where a name is gone."""

import http.client
import inspect
import sys
from importlib import import_module
from typing import Any

import aiohttp
import httpcore
import httpx
import httpx2
import pytest
import urllib3.connection
import urllib3.connectionpool
import vcr.cassette
import vcr.patch
import vcr.stubs

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.traffic import guard
from pytest_tokenbudget.traffic.seams import SEAMS, Seam

WITHOUT = {
    ("httpcore", "ConnectionPool"): "what httpx and its kin send past vcrpy is not seen",
    ("httpcore", "AsyncConnectionPool"): "what asynchronous httpx sends past vcrpy is not seen",
    ("httpcore", "HTTPConnection"): "a connection of httpcore's that is used without a pool is not seen",
    ("httpcore", "AsyncHTTPConnection"): "as above, asynchronously",
    ("httpcore2", "ConnectionPool"): "what the SDKs of OpenAI, Anthropic and Google send past vcrpy is not seen",
    ("httpcore2", "AsyncConnectionPool"): "as above, asynchronously",
    ("httpcore2", "HTTPConnection"): "a connection of httpcore2's that is used without a pool is not seen",
    ("httpcore2", "AsyncHTTPConnection"): "as above, asynchronously",
    (
        "urllib3.connectionpool",
        "HTTPConnectionPool",
    ): "requests and boto3 connect before they are refused",
    ("http.client", "HTTPConnection"): "nothing of http.client, urllib, urllib3, requests and boto3 is seen",
    ("aiohttp.connector", "BaseConnector"): "aiohttp connects before it is refused",
    ("aiohttp.client_reqrep", "ClientRequest"): "aiohttp over a connector of one's own is not seen",
}


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: f"{seam.module}.{seam.owner}")
def test_a_seam_is_where_it_was(seam: Seam) -> None:
    owner = getattr(import_module(seam.module), seam.owner, None)
    why = WITHOUT[seam.module, seam.owner]
    assert owner is not None, f"{seam.module} has no {seam.owner}: {why}"
    assert inspect.isfunction(owner.__dict__.get(seam.method)), f"{seam.owner} has no {seam.method} of its own: {why}"


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(inspect.unwrap(function)).parameters)


def test_methods_take_what_we_take_from_them() -> None:
    assert parameters(urllib3.connectionpool.HTTPConnectionPool._make_request)[:5] == [  # noqa: SLF001
        "self",
        "conn",
        "method",
        "url",
        "body",
    ]
    source = inspect.getsource(urllib3.connectionpool.HTTPConnectionPool.urlopen)
    assert "body=body" in source, "urllib3 gives the body by position: it is not seen"
    assert parameters(http.client.HTTPConnection.endheaders)[:2] == ["self", "message_body"]
    assert parameters(aiohttp.connector.BaseConnector.connect)[:2] == ["self", "req"]


def test_http_client_keeps_the_request_line_first() -> None:
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.putrequest("POST", "/v1/messages")
    assert connection._buffer[0] == b"POST /v1/messages HTTP/1.1"  # type: ignore[attr-defined]  # noqa: SLF001
    assert connection._tunnel_host is None  # type: ignore[attr-defined]  # noqa: SLF001
    assert (connection.default_port, http.client.HTTPSConnection.default_port) == (80, 443)


def test_urllib3_and_botocore_end_headers_as_http_client_does() -> None:
    from botocore.awsrequest import AWSHTTPConnection

    for kind in (urllib3.connection.HTTPConnection, AWSHTTPConnection):
        assert kind.endheaders is http.client.HTTPConnection.endheaders, f"{kind.__name__} goes another way"


def test_vcrpys_stand_ins_are_told_by_their_real_connection() -> None:
    assert "self.real_connection = " in inspect.getsource(vcr.stubs.VCRConnection.__init__)
    assert not hasattr(http.client.HTTPConnection("127.0.0.1"), "real_connection")


def test_vcrpy_patches_above_all_of_our_seams() -> None:
    source = inspect.getsource(vcr.patch)
    for seam in SEAMS:
        assert f'"{seam.method}"' not in source or seam.method == "handle_request" or "handle_async" in seam.method
    assert "httpcore" not in source, "vcrpy patches httpcore again: approvals come too late"


@pytest.mark.parametrize("kind", [httpx.ByteStream, httpx2.ByteStream, httpcore._models.ByteStream])  # noqa: SLF001
def test_a_body_that_is_bytes_can_be_read_twice(kind: Any) -> None:
    stream = kind(b"ab")
    assert (type(stream).__name__, b"".join(stream), b"".join(stream)) == ("ByteStream", b"ab", b"ab")


def test_aiohttp_keeps_a_body_that_is_bytes() -> None:
    payload = aiohttp.payload.BytesPayload(b"ab")
    assert payload._value == b"ab"  # noqa: SLF001
    assert issubclass(aiohttp.payload.JsonPayload, aiohttp.payload.BytesPayload)


def test_cassettes_are_opened_and_closed_by_the_context_manager() -> None:
    decorator = vcr.cassette.CassetteContextDecorator
    for name in ("_handle_function", "_handle_generator"):
        assert "with self as cassette" in inspect.getsource(getattr(decorator, name)), f"{name}: openings are not noted"


def test_every_seam_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_guards", [])  # as if no session was guarded
    monkeypatch.setattr(guard, "_patches", type(guard._patches)(guard._leaving))  # noqa: SLF001
    monkeypatch.setattr(guard, "_watch", type(guard._watch)({seam.module for seam in SEAMS}, guard._patches.place))  # noqa: SLF001
    owners = [(getattr(sys.modules[seam.module], seam.owner), seam.method) for seam in SEAMS]
    before = [owner.__dict__[method] for owner, method in owners]
    finders = list(sys.meta_path)
    meter = Meter(lambda _: pytest.fail("not read"), lambda *_: None)
    outer = guard.install(meter, lambda: pytest.fail("not asked"))
    during = [owner.__dict__[method] for owner, method in owners]
    inner = guard.install(meter, lambda: pytest.fail("not asked"))
    inner()
    assert [owner.__dict__[method] for owner, method in owners] == during
    outer()
    assert [owner.__dict__[method] for owner, method in owners] == before
    assert not set(map(id, before)) & set(map(id, during))
    assert sys.meta_path == finders
