"""What we rely on in vcrpy beyond its documentation, name by name, and what breaks where a name is gone.

Run with the lowest and the highest vcrpy that we support (see `pyproject.toml`); a failure names what to look at.
"""
# ruff: noqa: SLF001 - private names are what this is about

import inspect
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import vcr.cassette
import vcr.matchers
import vcr.stubs
from vcr.record_mode import RecordMode
from vcr.request import Request

from pytest_tokenbudget.traffic.cassette import MeteredCassette
from pytest_tokenbudget.traffic.recording import Recording
from pytest_tokenbudget.traffic.replay import opened

Plain: Any = MeteredCassette.__mro__[1]

WITHOUT = {
    "_load": "answers read from the file are metered as if they had just been received",
    "_responses": "every replayed answer is compared without the user's filters, so scrubbed requests look drifted",
    "can_play_response_for": "calls have no time, and a marked test without a recording sends instead of stopping",
    "play_response": "replayed answers are not metered",
    "append": "recorded answers are not metered",
    "filter_request": "answers that aiohttp's stub keeps from us, because a filter drops the request, cost nothing",
    "write_protected": "a marked test's own recording refuses traffic that is no model call",
    "_save": "a marked test's own recording is written to in replay",
}
"""Methods of vcrpy's `Cassette` that we override, and what is wrong without vcrpy calling them."""


def made(**options: Any) -> Any:
    return vcr.cassette.Cassette(path="cassettes/nowhere.yaml", **options)


def request(body: bytes = b"{}") -> Request:
    return Request("POST", "https://api.openai.com/v1/chat/completions", body, {})


def response() -> dict[str, Any]:
    return {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": b"{}"}}


def test_version() -> None:
    assert version("vcrpy").split(".")[0] == "9", "only vcrpy 9 is tested; pyproject.toml says so to installers"


@pytest.mark.parametrize("name", WITHOUT)
def test_the_class_has_what_we_override(name: str) -> None:
    assert name in vars(Plain), f"vcrpy's Cassette has no {name}: {WITHOUT[name]}"


def test_the_class_has_no_constructor_of_its_own() -> None:
    own = Plain.__dict__["__new__"].__func__
    assert own.__module__ == "pytest_tokenbudget.traffic.cassette", "our construction of cassettes displaces vcrpy's"


def test_cassettes_are_made_by_calling_their_class() -> None:
    # by `CassetteContextDecorator.__enter__` → `Cassette.load` → `cls(**kwargs)`
    with Plain.use(path="cassettes/nowhere.yaml", record_mode=RecordMode.NONE) as cassette:
        assert type(cassette) is MeteredCassette, "vcrpy makes cassettes in another way: nothing is metered"


@pytest.mark.parametrize(
    ("name", "kind"), [("data", list), ("_path", str), ("_before_record_request", object), ("_match_on", object)]
)
def test_a_cassette_has_what_we_read(name: str, kind: type) -> None:
    assert isinstance(getattr(made(), name), kind)


def test_interactions_are_pairs_in_a_list_that_grows() -> None:
    cassette = made()
    cassette.append(asked := request(), response())
    assert [stored.uri for stored, _ in cassette.data] == [asked.uri]


def test_our_loop_over_recordings_finds_what_vcrpys_own_finds() -> None:
    cassette = made(match_on=(vcr.matchers.method, vcr.matchers.raw_body))
    for body in (b"a", b"b", b"a"):
        cassette.append(request(body), response())
    for body in (b"a", b"b", b"c"):
        ours = [index for index, _ in cassette._responses(request(body))]
        theirs = [index for index, _ in Plain._responses(cassette, request(body))]
        assert ours == theirs


def test_loading_appends() -> None:
    # what `_load` is overridden for: see there
    assert "self.append(" in inspect.getsource(Plain._load)


def stub_sources() -> dict[str, str]:
    folder = Path(vcr.stubs.__file__).parent
    return {file.name: file.read_text() for file in folder.glob("*.py")}


STUBS = {"__init__.py", "aiohttp_stubs.py", "httpx_stubs.py", "tornado_stubs.py"}


def test_stubs_are_those_we_know() -> None:
    calling = {name for name, source in stub_sources().items() if "can_play_response_for(" in source}
    assert calling == STUBS, "another stub talks to cassettes: test it with a real client first"


@pytest.mark.parametrize("name", sorted(STUBS))
def test_each_stub_asks_then_plays_or_appends(name: str) -> None:
    source = stub_sources()[name]
    for call in ("cassette.can_play_response_for(", "cassette.play_response(", "cassette.append("):
        assert call in source, f"{name} does without {call[:-1]}: its answers are not metered, or not once"


def test_no_stub_but_aiohttps_asks_the_filter_after_it_sent() -> None:
    # `filter_request` counts on it to tell that an answer is kept from us
    before = "cassette.write_protected and cassette.filter_request("
    for name in STUBS:
        source = stub_sources()[name].replace("self.cassette", "cassette")
        after = source.count("cassette.filter_request(") - source.count(before)
        assert after <= (name == "aiohttp_stubs.py"), f"{name}: its dropped answers are counted twice"


def test_bodies_that_came_as_files_or_iterators_are_given_out_anew() -> None:
    # reading one for the meter must not take it from the client
    for body in (iter([b"a", b"b"]), BytesIO(b"ab")):
        asked = Request("POST", "http://h/", body, {})
        read = [b"".join(asked.body) if not hasattr(asked.body, "read") else asked.body.read() for _ in range(2)]
        assert read == [b"ab", b"ab"]


def test_a_request_can_be_referred_to_weakly_and_stands_for_itself() -> None:
    # times of sending are kept beside the request, not in it
    one, other = request(), request()
    kept = WeakKeyDictionary({one: 1, other: 2})
    assert len(kept) == 2


def test_matchers_of_the_default_are_there(tmp_path: Path) -> None:
    recording = Recording(path=tmp_path / "missing.yaml", test="it", journals=tmp_path)
    with opened(recording) as cassette:
        names = [matcher.__name__ for matcher in cassette._match_on]
    assert names == ["method", "scheme", "host", "port", "path", "query"]


def test_the_loaders_name_is_what_our_finder_waits_for() -> None:
    assert vcr.cassette.Cassette is Plain
    assert Plain.__module__ == "vcr.cassette"
