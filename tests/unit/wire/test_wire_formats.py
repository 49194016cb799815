from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest
from wire_exchanges import CHAT, call, chat, skipped

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire import format_problems, formats, routing
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading

URL = "https://models.corp.test/ask"


class Corp:
    """A format of a user's own."""

    api = "corp.ask"

    def matches(self, endpoint: Endpoint) -> bool:
        return endpoint.host == "models.corp.test"

    def read_body(self, body: Json) -> Reading:
        return Reading(status="exact", usage=Usage(input=body["in"], output=body["out"]), model="corp-1")

    def read_stream(self, events: object, *, complete: bool) -> Reading:
        raise NotImplementedError

    def prompt(self, request: Json) -> Iterator[Part]:
        yield Part("user", "", request["question"])


class Nosy(Corp):
    """A format that breaks on being asked."""

    def matches(self, endpoint: Endpoint) -> bool:
        raise KeyError(endpoint.host)


corp = Corp()
half = object()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    entries: list[EntryPoint] = []
    monkeypatch.setattr(formats, "entry_points", lambda *, group: entries if group == "tokenbudget.formats" else [])
    formats.registered_formats.cache_clear()
    routing.route_of.cache_clear()
    yield entries
    formats.registered_formats.cache_clear()
    routing.route_of.cache_clear()


def entry(value: str) -> EntryPoint:
    return EntryPoint(name="corp", value=value, group="tokenbudget.formats")


@pytest.mark.parametrize("value", [f"{__name__}:Corp", f"{__name__}:corp"])
def test_users_register_a_class_or_an_object(value: str, registered: list[EntryPoint]) -> None:
    registered.append(entry(value))
    found = call(URL, {"in": 3, "out": 4}, request={"question": "Why?"})
    assert (found.api, found.provider, found.status, found.model) == ("corp.ask", "models.corp.test", "exact", "corp-1")
    assert dict(found.usage.counts()) == {"input": 3, "output": 4}
    assert [part.characters for part in found.prompt] == [4]
    assert format_problems() == ()


def test_without_it_the_same_exchange_is_skipped(registered: list[EntryPoint]) -> None:
    assert registered == []
    assert skipped(URL, {"in": 3, "out": 4}).reason == "not model traffic"


def test_a_format_that_raises_while_reading_breaks_nothing(registered: list[EntryPoint]) -> None:
    registered.append(entry(f"{__name__}:Corp"))
    found = call(URL, {"other": 1}, request={})
    assert found.status == "missing"
    assert found.notes == (
        "request: its prompt cannot be taken apart (KeyError)",
        "response: corp.ask cannot read it (KeyError)",
    )


def test_a_format_that_raises_when_asked_is_passed_over(registered: list[EntryPoint]) -> None:
    registered.append(entry(f"{__name__}:Nosy"))
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    assert call(CHAT, chat(usage)).status == "exact"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("no_such_module:Format", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        (f"{__name__}:half", "lacks api, matches, read_body, read_stream, prompt"),
    ],
)
def test_a_broken_registration_is_told(value: str, problem: str, registered: list[EntryPoint]) -> None:
    registered.append(entry(value))
    assert format_problems() == (f"the format 'corp' ({value}) {problem}",)
    assert call(CHAT, chat({"prompt_tokens": 1, "completion_tokens": 1})).status == "exact"
    found = call("https://api.cohere.com/v1/embed-jobs", {})
    assert found.notes == (
        "cohere.embed_jobs is billed, but cannot be read yet",
        f"the format 'corp' ({value}) {problem}",
    )
