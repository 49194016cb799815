"""One comment on a pull request of GitHub: PyGithub against its API on loopback, with all that goes wrong there."""

import logging
import pickle
import sys
import time
from random import Random
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from forge_github import ACTIONS, GitHubServer
from forge_http import TOKEN, Asked, Fault
from posting_to import HEAD, OTHER, Waits, body, posted, target_of

from pytest_tokenbudget.ci.activity import Activity
from pytest_tokenbudget.ci.github import GitHubComments
from pytest_tokenbudget.ci.posting import PostOptions, post
from pytest_tokenbudget.ci.sticky import Posted, Sticky
from pytest_tokenbudget.ci.token import Token

RED, GREEN = body("🔴 Blocked"), body("🟢 Unchanged")
READ_ONLY = "Resource not accessible by integration"


def bodies(server: GitHubServer) -> list[str]:
    return [comment.body for comment in server.comments]


def test_the_first_comment_and_the_next() -> None:
    with GitHubServer(head=HEAD) as server:
        first = posted(server, RED)
        second = posted(server, GREEN)
        third = posted(server, GREEN)
    assert bodies(server) == [GREEN]
    assert (first.kind, second.kind, third.kind) == ("created", "updated", "unchanged")
    assert first.url == second.url == third.url == "https://github.com/acme/shop/pull/7#issuecomment-101"
    assert not any(one.reason for one in (first, second, third))


def test_ours_is_found_by_marker_and_author_on_any_page() -> None:
    with GitHubServer(head=HEAD) as server:
        server.per_page = 20
        for number in range(50):
            server.add(f"a remark, the {number}th", author="kim")
        server.add(RED, author="mallory")  # somebody pasted ours
        server.add(f"> {RED}")  # an answer of ours that quotes it
        server.add(body("another", key="nightly"))
        ours = server.add(RED)
        for number in range(30):
            server.add(f"and {number}", author="kim")
        before = bodies(server)
        assert posted(server, GREEN).kind == "updated"
    assert next(one.query["per_page"] for one in server.asked if one.path.endswith("/comments")) == "100"
    before[53] = GREEN
    assert bodies(server) == before
    assert ours.body == GREEN


def test_a_key_is_not_a_prefix_of_another() -> None:
    with GitHubServer(head=HEAD) as server:
        posted(server, body("one", key="a"), key="a")
        posted(server, body("two", key="ab"), key="ab")
        posted(server, body("three", key="a"), key="a")
    assert bodies(server) == [body("three", key="a"), body("two", key="ab")]


def test_enterprise() -> None:
    with GitHubServer(head=HEAD, enterprise=True) as server:
        assert posted(server, RED).kind == "created"
        assert posted(server, GREEN, mode="hide-and-new").kind == "created"
    assert [(one.body, one.hidden) for one in server.comments] == [(RED, True), (GREEN, False)]
    assert all(one.path.startswith(("/api/v3/", "/api/graphql")) for one in server.asked)


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("update", [(GREEN, False)]),
        ("new", [(RED, False), (RED, True), (GREEN, False)]),
        ("hide-and-new", [(RED, True), (RED, True), (GREEN, False)]),
        ("delete-and-new", [(GREEN, False)]),
        ("off", [(RED, False), (RED, True)]),
    ],
)
def test_modes(mode: str, left: list[tuple[str, bool]]) -> None:
    with GitHubServer(head=HEAD) as server:
        server.add(RED)
        server.add(RED, hidden=True)
        remark = server.add("a remark", author="kim")
        found = posted(server, GREEN, mode=mode, has_news=False)
    assert [(one.body, one.hidden) for one in server.comments if one is not remark] == left
    assert not remark.hidden
    assert found.kind == {"off": "skipped", "update": "updated"}.get(mode, "created")
    assert (not server.asked) == (mode == "off")


def test_what_is_hidden_already_is_not_hidden_again() -> None:
    with GitHubServer(head=HEAD) as server:
        for number in range(5):
            posted(server, body(f"run {number}"), mode="hide-and-new")
        asked = [one.json["query"] for one in server.asked if one.path == "/graphql"]
    assert [one.hidden for one in server.comments] == [True] * 4 + [False]
    assert sum("minimizeComment" in query for query in asked) == 4


def test_an_older_mode_left_the_oldest_hidden() -> None:
    with GitHubServer(head=HEAD) as server:
        server.add(RED, hidden=True)
        server.add(RED)
        posted(server, GREEN)
    assert [(one.body, one.hidden) for one in server.comments] == [(GREEN, False)]


@pytest.mark.parametrize(
    ("when", "has_news", "kind"),
    [
        ("changes", True, "created"),
        ("changes", False, "skipped"),
        ("always", False, "created"),
    ],
)
def test_a_comment_is_made_when_there_is_something_to_say(when: str, has_news: bool, kind: str) -> None:  # noqa: FBT001
    with GitHubServer(head=HEAD) as server:
        assert posted(server, GREEN, when=when, has_news=has_news).kind == kind
    assert bodies(server) == ([GREEN] if kind == "created" else [])


def test_a_comment_that_is_there_turns_green() -> None:
    with GitHubServer(head=HEAD) as server:
        posted(server, RED)
        assert posted(server, GREEN, has_news=False).kind == "updated"
    assert bodies(server) == [GREEN]


def test_an_outdated_run_writes_nothing() -> None:
    with GitHubServer(head=OTHER) as server:
        server.add(GREEN)
        found = posted(server, RED)
    assert found == Posted(kind="skipped", reason="The pull request is at 4be01aa by now; 9f2c1e7 was measured.")
    assert bodies(server) == [GREEN]
    assert len(server.asked) == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_push_while_comments_are_listed(there: bool) -> None:  # noqa: FBT001
    def push(asked: Asked) -> None:
        if asked.method == "GET" and asked.path.endswith("/comments"):
            server.head = OTHER

    with GitHubServer(head=HEAD) as server:
        if there:
            server.add(GREEN)
        server.before = push
        assert posted(server, RED).kind == "skipped"
    assert bodies(server) == ([GREEN] if there else [])


@pytest.mark.parametrize("there", [True, False])
def test_a_push_while_a_limit_is_waited_out(there: bool) -> None:  # noqa: FBT001
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        if there:
            server.add(GREEN)
        limit = {"retry-after": "30"}
        server.faults.append(Fault(match="(POST|PATCH) .*/comments", status=429, message="slow", headers=limit))
        waits.meanwhile = lambda: setattr(server, "head", OTHER)
        assert posted(server, RED, waits).kind == "skipped"
    assert bodies(server) == ([GREEN] if there else [])
    assert waits.seconds == [30]


@pytest.mark.parametrize("mode", ["update", "hide-and-new", "delete-and-new"])
@pytest.mark.parametrize("writers", [2, 3])
def test_writers_at_once_leave_one_comment(mode: str, writers: int) -> None:
    """Each has seen that there is none before any has made one."""
    barrier = Barrier(writers, timeout=5)

    def meet(asked: Asked) -> None:
        if asked.method == "POST" and asked.path.endswith("/comments"):
            try:
                barrier.wait()
            except BrokenBarrierError:
                pytest.fail("a writer never came to write")

    found: list[Posted] = []
    with GitHubServer(head=HEAD) as server:
        server.before = meet
        texts = [body(f"of writer {number}") for number in range(writers)]
        threads = [Thread(target=lambda text=text: found.append(posted(server, text, mode=mode))) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    shown = [comment for comment in server.comments if not comment.hidden]
    assert len(shown) == 1
    assert shown[0].body in texts
    assert len(found) == writers
    assert {one.url for one in found} >= {f"https://github.com/acme/shop/pull/7#issuecomment-{shown[0].id}"}
    assert not any(one.failed for one in found)


@pytest.mark.parametrize("mode", ["update", "hide-and-new", "delete-and-new"])
def test_writers_in_any_order_leave_one_comment(mode: str) -> None:
    chance = Random(7)  # noqa: S311 - orders of requests
    for _ in range(5):
        with GitHubServer(head=HEAD) as server:
            server.before = lambda _: time.sleep(chance.random() / 200)
            threads = [Thread(target=posted, args=(server, body(f"{n}")), kwargs={"mode": mode}) for n in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len([comment for comment in server.comments if not comment.hidden]) == 1


def test_a_comment_that_vanishes_before_it_is_updated() -> None:
    def vanish(asked: Asked) -> None:
        if asked.method == "PATCH":
            server.comments.clear()

    with GitHubServer(head=HEAD) as server:
        server.add(RED)
        server.before = vanish
        assert posted(server, GREEN).kind == "created"
    assert bodies(server) == [GREEN]


@pytest.mark.parametrize("what", ["GET .*/pulls/7", "GET .*/comments", "PATCH", "POST /graphql"])
def test_a_passing_fault_is_waited_out(what: str) -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        server.add(RED)
        server.faults.append(Fault(match=what, times=3))
        assert posted(server, GREEN, waits).kind == "updated"
    assert bodies(server) == [GREEN]
    assert waits.seconds == [1, 2, 4]


def test_a_fault_on_a_later_page() -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        server.per_page = 10
        for _ in range(25):
            server.add("a remark", author="kim")
        server.add(RED)
        server.faults.append(Fault(match="GET .*/comments", after=2))
        assert posted(server, GREEN, waits).kind == "updated"
    assert bodies(server).count(GREEN) == 1
    assert waits.seconds == [1]


def test_the_answer_to_a_new_comment_is_lost_but_not_the_comment() -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST .*/comments", done=True))
        assert posted(server, RED, waits).kind == "created"
    assert bodies(server) == [RED]
    assert waits.seconds == [1]


def test_a_slow_answer_to_a_new_comment() -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST .*/comments", done=True, status=0, delay=1.3))
        comments = GitHubComments(target_of(server), Token(TOKEN), timeout=1)
        sticky = Sticky(comments, waits.patience(), marker="<!-- tokenbudget key=default ", head=HEAD)
        assert sticky.post(RED, "update", create=True).kind == "created"
    assert bodies(server) == [RED]
    assert waits.seconds == [1]


def test_a_server_that_stays_down() -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        server.faults.append(Fault(match="GET", status=503, times=99))
        found = posted(server, RED, waits)
    assert found == Posted(kind="failed", reason="GitHub is not well (HTTP 503). It was asked 6 times.")
    assert waits.seconds == [1, 2, 4, 8, 16]


def test_no_server() -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        target = target_of(server)
    found = posted(server, RED, waits, target={"api_url": target.api_url})
    assert found.reason == "GitHub did not answer (ConnectionError). It was asked 6 times."


@pytest.mark.parametrize(
    ("status", "message", "headers", "waited"),
    [
        (403, "You have exceeded a secondary rate limit.", {"retry-after": "7"}, 7),
        (429, "Too many requests", {"retry-after": "3"}, 3),
        (403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", {}, 60),
        (403, "API rate limit exceeded for installation.", {"x-ratelimit-remaining": "0", "reset-in": "20"}, 21),
    ],
)
@pytest.mark.parametrize("what", ["GET .*/comments", "POST .*/comments"])
def test_rate_limits_are_waited_out(status: int, message: str, headers: dict[str, str], waited: int, what: str) -> None:
    waits = Waits()
    headers = dict(headers)
    if "reset-in" in headers:
        headers["x-ratelimit-reset"] = str(int(time.time()) + int(headers.pop("reset-in")))
    with GitHubServer(head=HEAD) as server:
        server.faults.append(Fault(match=what, status=status, message=message, headers=headers))
        assert posted(server, RED, waits).kind == "created"
    assert bodies(server) == [RED]
    assert len(waits.seconds) == 1
    assert waits.seconds[0] == pytest.approx(waited, abs=2)


def test_a_limit_that_lasts_too_long_is_not_waited_for() -> None:
    waits = Waits()
    limit = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1800)}
    with GitHubServer(head=HEAD) as server:
        server.faults.append(
            Fault(match="PATCH", status=403, message="API rate limit exceeded.", headers=limit, times=9)
        )
        server.add(RED)
        found = posted(server, GREEN, waits)
    assert found.failed
    assert found.reason.startswith("GitHub's rate limit is reached (HTTP 403: API rate limit exceeded.).")
    assert found.reason.endswith("60 s in all are allowed.")
    assert waits.seconds == []


def test_waits_are_bounded_in_total() -> None:
    waits = Waits()
    limit = Fault(match="", status=429, message="slow down", headers={"retry-after": "25"}, times=99)
    with GitHubServer(head=HEAD) as server:
        server.faults.append(limit)
        assert posted(server, RED, waits).failed
    assert waits.seconds == [25, 25]


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        (403, READ_ONLY, "a second workflow on `workflow_run`"),
        (403, "Unable to create comment because issue is locked.", "issue is locked"),
        (404, "Not Found", "GitHub shows this token no pull request 7 in acme/shop (HTTP 404)."),
        (422, "Validation Failed", "GitHub does not take the comment (HTTP 422: Validation Failed)."),
        (451, "Unavailable", "GitHub refused (HTTP 451: Unavailable)."),
    ],
)
def test_what_does_not_pass_is_said_at_once(status: int, message: str, says: str) -> None:
    waits = Waits()
    with GitHubServer(head=HEAD) as server:
        server.faults.append(Fault(match="POST .*/comments", status=status, message=message, times=9))
        found = posted(server, RED, waits)
    assert found.kind == "failed"
    assert says in found.reason
    assert waits.seconds == []
    assert server.count("POST .*/comments") == 1


def test_a_wrong_token() -> None:
    with GitHubServer(head=HEAD) as server:
        found = posted(server, RED, token="ghp_wrong")
    assert found.kind == "failed"
    assert found.reason == "GitHub does not know this token (HTTP 401: Bad credentials). It may have expired."


def test_tidying_up_that_fails_costs_no_comment() -> None:
    with GitHubServer(head=HEAD) as server:
        server.add(RED)
        server.add(RED)
        server.faults.append(Fault(match="DELETE", status=403, message="no", times=9))
        found = posted(server, GREEN)
    assert found.kind == "updated"
    assert found.reason.startswith("An older comment is still there. The token may not comment")
    assert bodies(server) == [GREEN, RED]


def test_who_we_are_where_graphql_does_not_tell() -> None:
    with GitHubServer(head=HEAD, speaks_graphql=False) as server:
        server.add(RED, author=ACTIONS)
        server.add(RED, author="mallory")
        assert posted(server, GREEN).kind == "updated"
    assert bodies(server) == [GREEN, RED]


def test_another_app_learns_who_it_is_from_its_own_comment() -> None:
    with GitHubServer(head=HEAD, me="cost-bot[bot]", speaks_graphql=False) as server:
        server.add(RED)
        posted(server, GREEN)
    assert bodies(server) == [GREEN]


FORK = {"number": None, "head_owner": "kim", "head_branch": "topic/ü #1&head=acme:main"}
LABEL = "kim:topic/ü #1&head=acme:main"


def test_a_fork_is_found_by_its_head() -> None:
    with GitHubServer(head=HEAD) as server:
        server.pulls = [{"number": 7, "label": LABEL, "head": None}, {"number": 9, "label": LABEL, "head": OTHER}]
        assert posted(server, RED, target=FORK).kind == "created"
    assert server.count("POST .*/issues/7/comments") == 1


@pytest.mark.parametrize(
    ("heads", "says"),
    [
        ([], "No open pull request has the head 9f2c1e7 that was measured."),
        ([OTHER], "No open pull request has the head 9f2c1e7 that was measured."),
        ([HEAD, HEAD], "Several open pull requests have this head (#7, #8): it cannot be told which was measured."),
    ],
)
def test_a_fork_that_is_not_proven(heads: list[str], says: str) -> None:
    with GitHubServer(head=HEAD) as server:
        server.pulls = [{"number": 7 + at, "label": LABEL, "head": head} for at, head in enumerate(heads)]
        found = posted(server, RED, target=FORK)
    # a pull request that has moved on, or is closed, is no failure
    assert found == Posted(kind="failed" if len(heads) > 1 else "skipped", reason=says)
    assert server.comments == []


def test_the_token_is_nowhere(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    found = []
    with caplog.at_level(logging.DEBUG), GitHubServer(head=HEAD) as server:
        for status in (400, 401, 403, 404, 422, 429, 500):
            server.faults = [Fault(match="", status=status, message=f"you sent {TOKEN}", times=99)]
            found.append(posted(server, RED))
        found.append(posted(server, RED, target={"repository": "nonsense"}))
    assert all(one.failed for one in found)
    assert "you sent ***" in found[0].reason
    printed = "".join(capfd.readouterr())
    assert TOKEN not in f"{found}{printed}{caplog.text}{Token(TOKEN)!r}"


def test_a_token_is_not_pickled_and_an_empty_one_is_none() -> None:
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(Token(TOKEN))
    assert not Token(" ")
    assert Token("").scrubbed("as it is") == "as it is"


@pytest.mark.parametrize(("forge", "library"), [("github", "PyGithub"), ("gitlab", "python-gitlab")])
def test_an_extra_that_is_not_installed(forge: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "github" if forge == "github" else "gitlab", None)
    with GitHubServer(head=HEAD) as server:
        found = posted(server, RED, target={"forge": forge})
    reason = f"{library} is not installed. Type: pip install 'pytest-tokenbudget[{forge}]'"
    assert found == Posted(kind="failed", reason=reason)


def test_a_defect_of_a_client_is_a_value_too() -> None:
    with GitHubServer(head=HEAD) as server:
        server.pulls[0]["head"] = 7
        found = posted(server, RED)
    assert found.kind == "failed"
    assert found.reason.startswith("Posting failed (")


def test_what_is_not_to_be_posted_asks_nothing() -> None:
    options = PostOptions(token=Token(TOKEN))
    for kind in ("artifact", "summary", "nothing"):
        assert post(Activity(kind=kind, reason="So it is."), RED, options) == Posted(kind="skipped", reason="So it is.")


def test_a_comment_of_another_key_is_not_posted() -> None:
    with GitHubServer(head=HEAD) as server:
        assert posted(server, body("x", key="other")).failed
    assert server.asked == []
