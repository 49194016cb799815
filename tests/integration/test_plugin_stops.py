import gzip

import pytest
from project import Project, Ran, chat

MARKED = "@pytest.mark.token_budget(usd=1)"
MISS = "[miss] POST https://api.openai.com/v1/chat/completions was not sent: this test replays, and "


def missed(project: Project, source: str, *args: str) -> Ran:
    """Run a test whose second call has no recording."""
    return project.tests(source).recorded(chat(1_000)).run(*args)


def test_a_model_call_without_a_recording_is_not_sent(project: Project) -> None:
    ran = missed(project, f"{MARKED}\ndef test_it():\n    ask()\n    ask()\n")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    assert MISS in ran.said
    assert "type: pytest test_it.py::test_it --tokenbudget-record=new" in ran.said
    assert "test_it.py:6: in test_it" in ran.out
    # whoever reads it wants the test's own line, not the way through the client
    assert "urllib" not in ran.out
    assert "cassette.py" not in ran.out


def test_a_missing_recording_says_where_it_is_missed(project: Project) -> None:
    ran = project.tests(f"{MARKED}\ndef test_it():\n    ask()\n").run()
    assert ran.exit == 1
    assert f"{MISS}there is no cassettes/test_it/test_it.yaml." in ran.said


SWALLOWING = {
    "a bare except": """
    try:
        ask()
    except:
        pass
    """,
    "a thread": """
    import threading
    thread = threading.Thread(target=lambda: ask())
    thread.start()
    thread.join()
    """,
    "a pool": """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor() as pool:
        pool.submit(ask).exception()
    """,
    "gather": """
    import asyncio
    async def one():
        ask()
    async def all_of_them():
        await asyncio.gather(one(), one(), return_exceptions=True)
    try:
        asyncio.run(all_of_them())
    except BaseException:
        pass
    """,
    "a skip": """
    try:
        ask()
    except BaseException:
        pytest.skip("no model")
    """,
    "an expected failure": """
    try:
        ask()
    except BaseException:
        pytest.xfail("no model")
    """,
    "another failure": """
    try:
        ask()
    except BaseException:
        raise OSError("mine")
    """,
}


@pytest.mark.parametrize("how", SWALLOWING)
@pytest.mark.parametrize("mark", ["", "@pytest.mark.xfail"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_swallowed_stop_fails_the_test_all_the_same(project: Project, how: str, mark: str) -> None:
    source = f"{mark}\n{MARKED}\ndef test_it():\n    ask()\n{SWALLOWING[how]}"
    ran = missed(project, source, "-Wignore::pytest.PytestUnhandledThreadExceptionWarning")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    assert MISS in ran.said
    assert ran.task().outcome == "failed"


def test_an_expected_failure_does_not_hide_a_stop(project: Project) -> None:
    ran = missed(project, f"@pytest.mark.xfail\n{MARKED}\ndef test_it():\n    ask()\n    ask()\n")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    assert "(The test is marked xfail, but a stopped agent is no expected failure.)" in ran.said


@pytest.mark.parametrize(("where", "counts"), [("setup", {"failed": 1}), ("teardown", {"passed": 1, "errors": 1})])
def test_a_stop_swallowed_by_a_fixture_fails_too(project: Project, where: str, counts: dict[str, int]) -> None:
    ran = missed(
        project,
        f"""
def try_it():
    try:
        ask()
    except BaseException:
        pass

@pytest.fixture
def around():
    if {where == "setup"}:
        ask()
        try_it()
    yield
    if {where == "teardown"}:
        try_it()

{MARKED}
def test_it(around):
    if {where == "teardown"}:
        ask()
""",
    )
    assert (ran.exit, ran.counts) == (1, counts)
    assert MISS in ran.said


def test_a_stop_swallowed_by_a_wider_fixture_fails_its_test(project: Project) -> None:
    ran = missed(
        project,
        f"""
@pytest.fixture(scope="module")
def wide():
    try:
        ask()
        ask()
    except BaseException:
        pass

{MARKED}
def test_it(wide):
    pass
""",
    )
    assert (ran.exit, ran.counts) == (1, {"errors": 1})
    assert MISS in ran.said


def test_a_rerun_begins_anew(project: Project) -> None:
    ran = missed(
        project,
        f"""
attempts = []

@pytest.mark.flaky(reruns=1)
{MARKED}
def test_it():
    attempts.append(1)
    ask()
    if len(attempts) == 1:
        ask()
""",
    )
    assert (ran.exit, ran.counts) == (0, {"passed": 1, "rerun": 1})


BROKEN = {
    "empty": b"",
    "cut off": b"interactions:\n- request:\n    body: 'abc",
    "no cassette": b"- a\n- b\n",
    "another mapping": b"version: 1\n",
    "half an interaction": b"interactions:\n- request: {method: POST, uri: 'https://api.openai.com/v1/x'}\n",
    "binary": b"\x00\xff\xfe\x01" * 100,
    "compressed": gzip.compress(b"interactions: []"),
    "a python object": b"interactions:\n- !!python/object/apply:os.system ['touch hacked']\nversion: 1\n",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_recording_is_named(project: Project, how: str) -> None:
    path = "cassettes/test_it/test_it.yaml"
    ran = project.tests(f"{MARKED}\ndef test_it():\n    ask()\n").file(path, BROKEN[how]).run()
    assert ran.exit == 1
    assert path in ran.said
    assert "there is no" not in ran.said
    assert str(project.pytester.path) not in ran.out.partition("= FAILURES")[2] + ran.out.partition("= ERRORS")[2]
    assert "site-packages" not in ran.out
    assert "INTERNALERROR" not in ran.said
    assert not (project.pytester.path / "hacked").exists()


def test_traffic_that_is_no_model_call_passes_a_marked_test(project: Project) -> None:
    ran = (
        project.tests(f"""
        import http.server, threading, urllib.request

        @pytest.fixture
        def url():
            server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{{server.server_port}}/agent.py"
            server.shutdown()
            server.server_close()

        {MARKED}
        def test_it(url):
            assert b"the agent under test" in urllib.request.urlopen(url).read().lower()
            ask()
        """)
        .recorded()
        .run()
    )
    assert (ran.exit, ran.state()) == (0, "within")


def test_a_recording_opened_by_the_test_itself_wins(project: Project) -> None:
    ran = (
        project.tests(f"""
        import vcr

        {MARKED}
        def test_it():
            with vcr.use_cassette("cassettes/mine.yaml"):
                ask()
        """)
        .recorded(chat(77))
        .recorded(chat(88), module=".", test="mine")
        .run()
    )
    assert ran.exit == 0
    assert [entry.call.usage.input for entry in ran.task().calls] == [88]
