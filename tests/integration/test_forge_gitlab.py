"""One note on a merge request of GitLab: python-gitlab against its API on loopback, with all that goes wrong there."""

import time
from threading import Barrier, Thread

import pytest
from forge_gitlab import GitLabServer
from forge_http import TOKEN, Asked, Fault
from posting_to import HEAD, OTHER, Waits, body, posted, target_of

from pytest_tokenbudget.ci.gitlab import GitLabComments
from pytest_tokenbudget.ci.sticky import Posted, Sticky
from pytest_tokenbudget.ci.token import Token

RED, GREEN = body("🔴 Blocked"), body("🟢 Unchanged")


def bodies(server: GitLabServer) -> list[str]:
    return [note.body for note in server.comments]


def test_the_first_note_and_the_next() -> None:
    with GitLabServer(head=HEAD) as server:
        found = [posted(server, RED), posted(server, GREEN), posted(server, GREEN)]
    assert bodies(server) == [GREEN]
    assert [one.kind for one in found] == ["created", "updated", "unchanged"]
    assert {one.url for one in found} == {"https://gitlab.com/acme/shop/-/merge_requests/7#note_101"}


def test_ours_is_found_by_marker_and_author_on_any_page() -> None:
    with GitLabServer(head=HEAD) as server:
        server.per_page = 20
        for number in range(50):
            server.add(f"a remark, the {number}th", author="kim")
        server.add(RED, author="mallory")
        server.add(RED, system=True)
        server.add(RED)
        server.add("and another", author="kim")
        before = bodies(server)
        assert posted(server, GREEN).kind == "updated"
    before[52] = GREEN
    assert bodies(server) == before


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("update", [GREEN]),
        ("new", [RED, RED, GREEN]),
        ("hide-and-new", [GREEN]),
        ("delete-and-new", [GREEN]),
        ("off", [RED, RED]),
    ],
)
def test_modes(mode: str, left: list[str]) -> None:
    with GitLabServer(head=HEAD) as server:
        server.add(RED)
        server.add(RED)
        found = posted(server, GREEN, mode=mode, has_news=False)
    assert bodies(server) == left
    assert ("Nothing can be hidden on this forge" in found.reason) == (mode == "hide-and-new")


def test_nothing_to_say_and_nothing_there() -> None:
    with GitLabServer(head=HEAD) as server:
        assert posted(server, GREEN, has_news=False).kind == "skipped"
    assert bodies(server) == []


def test_an_outdated_pipeline_writes_nothing() -> None:
    with GitLabServer(head=OTHER) as server:
        found = posted(server, RED)
    assert found == Posted(kind="skipped", reason="The pull request is at 4be01aa by now; 9f2c1e7 was measured.")
    assert bodies(server) == []


@pytest.mark.parametrize("mode", ["update", "delete-and-new"])
def test_writers_at_once_leave_one_note(mode: str) -> None:
    barrier = Barrier(2, timeout=5)

    def meet(asked: Asked) -> None:
        if asked.method == "POST":
            barrier.wait()

    found: list[Posted] = []
    with GitLabServer(head=HEAD) as server:
        server.before = meet
        texts = [body("one"), body("other")]
        threads = [Thread(target=lambda text=text: found.append(posted(server, text, mode=mode))) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.comments) == 1
    assert bodies(server)[0] in texts
    assert len(found) == 2
    assert not any(one.failed for one in found)


@pytest.mark.parametrize("what", ["GET .*/merge_requests/7$", "GET .*/notes", "PUT", "GET .*/user"])
def test_a_passing_fault_is_waited_out(what: str) -> None:
    waits = Waits()
    with GitLabServer(head=HEAD) as server:
        server.add(RED)
        server.faults.append(Fault(match=what, times=3))
        assert posted(server, GREEN, waits).kind == "updated"
    assert bodies(server) == [GREEN]
    assert waits.seconds == [1, 2, 4]


def test_the_answer_to_a_new_note_is_lost_but_not_the_note() -> None:
    waits = Waits()
    with GitLabServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST", done=True))
        assert posted(server, RED, waits).kind == "created"
    assert bodies(server) == [RED]


def test_a_slow_answer_to_a_new_note() -> None:
    waits = Waits()
    with GitLabServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST", done=True, status=0, delay=0.5))
        comments = GitLabComments(target_of(server), Token(TOKEN), timeout=0.3)
        sticky = Sticky(comments, waits.patience(), marker="<!-- tokenbudget key=default ", head=HEAD)
        assert sticky.post(RED, "update", create=True).kind == "created"
    assert bodies(server) == [RED]
    assert waits.seconds == [1]


@pytest.mark.parametrize("headers", [{"retry-after": "20"}, {"ratelimit-remaining": "0", "ratelimit-reset": "19"}])
def test_rate_limits_are_waited_out(headers: dict[str, str]) -> None:
    waits = Waits()
    headers = dict(headers)
    if "ratelimit-reset" in headers:
        headers["ratelimit-reset"] = str(int(time.time()) + int(headers["ratelimit-reset"]))
    with GitLabServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST", status=429, message="Retry later", headers=headers))
        assert posted(server, RED, waits).kind == "created"
    assert bodies(server) == [RED]
    assert len(waits.seconds) == 1
    assert waits.seconds[0] == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        (401, "401 Unauthorized", "A job's own token cannot comment"),
        (403, "403 Forbidden", "It needs the scope `api` and the role Reporter."),
        (404, "404 Not found", "GitLab shows this token no merge request 7 in project 42 (HTTP 404)."),
        (422, "too long", "GitLab refused (HTTP 422: too long)."),
    ],
)
def test_what_does_not_pass_is_said_at_once(status: int, message: str, says: str) -> None:
    waits = Waits()
    with GitLabServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST", status=status, message=message, times=9))
        found = posted(server, RED, waits)
    assert found.kind == "failed"
    assert says in found.reason
    assert waits.seconds == []
    assert server.count("POST") == 1


def test_a_server_that_stays_down() -> None:
    waits = Waits()
    with GitLabServer(head=HEAD) as server:
        server.faults.append(Fault(match="GET", status=503, times=99))
        found = posted(server, RED, waits)
    assert found.reason == "GitLab is not well (HTTP 503). It was asked 6 times."


def test_the_token_is_nowhere(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    found = []
    with caplog.at_level("DEBUG"), GitLabServer(head=HEAD) as server:
        for status in (400, 401, 403, 404, 422, 429, 500):
            server.faults = [Fault(match="", status=status, message=f"you sent {TOKEN}", times=99)]
            found.append(posted(server, RED))
    assert all(one.failed for one in found)
    assert "you sent ***" in found[0].reason
    assert TOKEN not in f"{found}{''.join(capfd.readouterr())}{caplog.text}"
