"""Secrets over every client, recorded by us: no file that is written holds one, nor the terminal; and it replays."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml
from canaries import leaked
from project import Project, Ran
from secret_clients import CLIENTS, PLANTED, Servers

from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.traffic.journal import read_journal

SUITE: Final = """
    import os
    import shutil
    from secret_clients import CLIENTS, KEPT, PLANTED, SAID, Servers

    AT = Servers(os.environ["AT_MODELS"], os.environ["AT_OTHERS"])
    EXPECTED = KEPT if os.environ.get("REPLAYED") else SAID


    @pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
    @pytest.mark.token_budget
    def test_it(client):
        assert client(AT) == EXPECTED
        if not os.environ.get("REPLAYED"):
            # the journal, the answers in it and what is measured, as a killed process would leave them
            shutil.copytree(".tokenbudget", f"left/{client.__name__}")


    if os.environ.get("REPLAYED"):

        @pytest.mark.token_budget
        def test_unrecorded():
            import httpx

            url = AT.models.replace("//", f"//me:{PLANTED[0]}@") + f"/v1/chat/completions?key={PLANTED[1]}"
            httpx.post(url, json={"model": "m", "user": PLANTED[2]}, headers={"authorization": f"Bearer {PLANTED[3]}"})
"""


@pytest.fixture
def suite(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Project, Servers, Ran]]:
    """Every client's test, recorded; the servers are gone."""
    project = project.settings().tests(SUITE)
    with Servers.running() as at:
        monkeypatch.setenv("AT_MODELS", at.models)
        monkeypatch.setenv("AT_OTHERS", at.others)
        ran = project.run("--tokenbudget-record=once", "--junitxml=junit.xml", "-v", "-rA")
    assert ran.counts == {"passed": len(CLIENTS)}, ran.out
    return project, at, ran


def test_no_secret_is_in_any_file_or_on_the_terminal(
    suite: tuple[Project, Servers, Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, at, recorded = suite
    placed = Counter(part for part, content in at.wire for _ in leaked(PLANTED, content))
    assert set(placed) == {"URL", "headers", "body", "answer", "refusal", "answer's headers"}
    assert placed.total() >= 500
    root = project.pytester.path
    written = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    kinds = Counter(kind_of(name) for name in written)
    assert kinds["cassette"] == kinds["journal"] == len(CLIENTS)
    assert kinds["spool"] >= 1
    assert kinds["run"] == kinds["junit"] == 1
    found = {name: leaks for name, path in written.items() if (leaks := leaked(PLANTED, *contents(path)))}
    assert found == {}
    assert leaked(PLANTED, recorded.out.encode(), recorded.result.stderr.str().encode()) == {}

    print(  # noqa: T201 - the figures
        f"{placed.total()} secrets placed ({', '.join(f'{count} in {part}' for part, count in placed.items())}); "
        f"{len(found)} found in {len(written)} files ({', '.join(f'{count} {kind}' for kind, count in kinds.items())})"
    )

    monkeypatch.setenv("REPLAYED", "1")
    replayed = project.run("--junitxml=junit.xml", "-v", "-rA")
    assert replayed.counts == {"passed": len(CLIENTS), "failed": 1}, replayed.out
    assert "was not sent: this test replays" in replayed.said
    told = [replayed.out.encode(), replayed.result.stderr.str().encode(), (root / "junit.xml").read_bytes()]
    assert leaked(PLANTED, *told, replayed.path.read_bytes()) == {}
    assert measured(replayed) == measured(recorded)


def measured(ran: Ran) -> dict[str, list[tuple[object, ...]]]:
    """What was measured of every client."""
    tasks = {name: task for name, task in ran.tasks.items() if name != "test_unrecorded"}
    return {
        name: [(call.usage, call.status, call.api, call.model, call.response_id) for call in calls]
        for name, task in tasks.items()
        if (calls := [entry.call for entry in task.calls])
    }


def kind_of(name: str) -> str:
    """What a file is, by its path in the project."""
    if name.startswith("cassettes/"):
        return "cassette"
    if name.startswith("left/"):
        kind = "journal" if "/journal/" in name else "spool"
        return kind if name.endswith(".jsonl") else "beside them"
    return {".tokenbudget/run.json": "run", "junit.xml": "junit"}.get(name, "other")


def contents(path: Path) -> Iterator[bytes]:
    """What a file says: as it is written, and past its writing, as YAML folds lines and both pack bytes."""
    yield path.read_bytes()
    if path.suffix == ".yaml":
        for found in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["interactions"]:
            for message in (found["request"], found["response"]):
                body = message["body"]
                yield body_bytes(body.get("string", body) if isinstance(body, dict) else body)
                yield json.dumps(message["headers"], default=lambda value: value.decode("latin-1")).encode()
    elif path.suffix == ".jsonl" and (kept := read_journal(path)):
        for answer in kept.answers:
            yield answer.interaction.request_body or b""
            yield answer.interaction.response_body
