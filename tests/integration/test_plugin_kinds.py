"""Every kind of test: sync, async, threaded, streamed, in classes, with parameters."""

import json
import os
from typing import Any

import anthropic
import httpx
import openai
import pytest
from project import OPENAI, Project, chat, claude

# pytester forgets what an inner session imported: these take a second each to import again
_STAYS_LOADED = (anthropic, httpx, openai)

ASYNC = """
import httpx
import asyncio
from agent import URL

async def aask(text="Hello"):
    async with httpx.AsyncClient(verify=False) as client:
        await client.post(URL, json={"model": "tiny", "messages": [{"role": "user", "content": text}]})
"""


def streamed() -> dict[str, Any]:
    """A recorded chat completion as server-sent events."""
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
    events = [
        {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**chunk, "choices": [], "usage": {"prompt_tokens": 1_000, "completion_tokens": 0, "total_tokens": 1_000}},
    ]
    recorded = chat()
    recorded["request"]["body"] = json.dumps(
        {
            "messages": [{"role": "user", "content": "Hello"}],
            "model": "tiny",
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )
    recorded["response"]["headers"] = {"Content-Type": ["text/event-stream"]}
    recorded["response"]["body"] = {
        "string": "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    }
    return recorded


KINDS = {
    "sync": "def test_it():\n    ask()\n",
    "a class": "class TestIt:\n    def test_it(self):\n        ask()\n",
    "parameters": "@pytest.mark.parametrize('x', ['é b/c'])\ndef test_it(x):\n    ask()\n",
    "asyncio": ASYNC + "@pytest.mark.asyncio\nasync def test_it():\n    await aask()\n",
    "anyio": ASYNC
    + "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n\n"
    + "@pytest.mark.anyio\nasync def test_it():\n    await aask()\n",
    "an async fixture": ASYNC
    + "import pytest_asyncio\n\n@pytest_asyncio.fixture\nasync def asked():\n    await aask()\n    yield\n\n"
    + "@pytest.mark.asyncio\nasync def test_it(asked):\n    pass\n",
    "a thread": "import threading\n\ndef test_it():\n"
    "    thread = threading.Thread(target=ask)\n    thread.start()\n    thread.join()\n",
    "asyncio.to_thread": ASYNC + "@pytest.mark.asyncio\nasync def test_it():\n    await asyncio.to_thread(ask)\n",
    "openai, streamed": """
import openai

def test_it():
    with openai.OpenAI(api_key="any") as client:
        stream = client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "Hello"}],
            stream=True, stream_options={"include_usage": True},
        )
        assert [chunk.choices[0].delta.content for chunk in stream if chunk.choices] == ["Hi", None]
""",
    "anthropic": """
import anthropic

def test_it():
    with anthropic.Anthropic(api_key="any") as client:
        client.messages.create(model="tiny", max_tokens=64, messages=[{"role": "user", "content": "Hello"}])
""",
}
NAMES = {"a class": "TestIt::test_it", "parameters": "test_it[\\xe9 b/c]"}


def project_of(project: Project, kind: str, limit: str) -> Project:
    mark = f"@pytest.mark.token_budget({limit})\n"
    source = KINDS[kind]
    at = source.rindex(
        "class TestIt" if kind == "a class" else "async def test_it" if "async def test_it" in source else "def test_it"
    )
    name = NAMES.get(kind, "test_it").replace("::", ".").replace("/", "-").replace("\\", "-")
    recorded = streamed() if "streamed" in kind else claude(1_000, 0) if kind == "anthropic" else chat(1_000)
    return project.tests(source[:at] + mark + source[at:]).recorded(recorded, test=name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_test_is_measured_and_judged(project: Project, kind: str) -> None:
    kept = project_of(project, kind, "usd=0.001").run()
    assert (kept.exit, kept.counts) == (0, {"passed": 1})
    task = kept.task(NAMES.get(kind, "test_it"))
    assert [(entry.step, entry.call.obtained, entry.call.usage.total) for entry in task.calls] == [
        (1, "replayed", 1_000)
    ]
    assert (task.verdict.state, task.exchanges, kept.run.incomplete) == ("within", 1, ())
    broken = project_of(project, kind, "usd=0.0008").run()
    assert (broken.exit, broken.counts) == (1, {"failed": 1})


def test_calls_of_many_threads_are_all_counted(project: Project) -> None:
    ran = (
        project.tests("""
        import threading
        import httpx
        from agent import URL

        # over http.client, vcrpy lets calls through that begin in the very moment in which another one does
        @pytest.mark.token_budget(steps=40)
        def test_it():
            client = httpx.Client(verify=False)
            body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
            threads = [threading.Thread(target=client.post, args=[URL], kwargs={"json": body}) for _ in range(40)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        """)
        .recorded(*[chat(1_000)] * 40)
        .run()
    )
    assert (ran.exit, ran.state()) == (0, "within")
    assert sorted(entry.step or 0 for entry in ran.task().calls) == list(range(1, 41))
    assert ran.task().totals.usage.input == 40_000


def test_calls_gathered_are_all_counted(project: Project) -> None:
    ran = (
        project.tests(
            ASYNC
            + """
@pytest.mark.asyncio
@pytest.mark.token_budget(steps=10)
async def test_it():
    await asyncio.gather(*(aask() for _ in range(10)))
"""
        )
        .recorded(*[chat(1_000)] * 10)
        .run()
    )
    assert (ran.exit, ran.task().totals.usage.input, ran.run.incomplete) == (0, 10_000, ())


def test_two_providers_in_one_test(project: Project) -> None:
    ran = (
        project.tests("""
        import urllib.request

        @pytest.mark.token_budget(usd=1)
        def test_it():
            ask()
            body = b'{"model": "tiny", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}'
            urllib.request.urlopen("https://api.anthropic.com/v1/messages", body).read()
        """)
        .recorded(chat(1_000), claude(300, 50))
        .run()
    )
    assert [(entry.call.api, entry.call.usage.total) for entry in ran.task().calls] == [
        ("openai.chat", 1_000),
        ("anthropic.messages", 350),
    ]


def test_errors_and_other_traffic_are_accounted_for(project: Project) -> None:
    refused = chat()
    refused["response"] = {"status": {"code": 429, "message": "Too many"}, "headers": {}, "body": {"string": "{}"}}
    page = chat(url="https://example.com/page")
    ran = (
        project.tests("""
        import urllib.error, urllib.request, vcr

        @pytest.mark.token_budget(usd=1, steps=1)
        def test_it():
            with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                with pytest.raises(urllib.error.HTTPError):
                    ask()
                ask()
                urllib.request.urlopen("https://example.com/page", b"{}").read()
        """)
        .recorded(refused, chat(1_000), page)
        .run()
    )
    task = ran.task()
    assert [(entry.call.status, entry.step) for entry in task.calls] == [("error", None), ("exact", 1)]
    assert [skipped.reason for skipped in task.skipped] == ["not model traffic"]
    assert (task.exchanges, task.verdict.state) == (3, "within")


AWKWARD = ["a[b]::c", "d e", "ü", "x/../y"]


def test_awkward_parameters_keep_their_ids(project: Project) -> None:
    ran = (
        project.tests(f"""
        import vcr

        @pytest.mark.parametrize("x", {AWKWARD!r} + ["new\\nline", "nul\\0", ""])
        def test_it(x):
            with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                ask()
        """)
        .recorded(chat(1_000))
        .run()
    )
    assert ran.counts == {"passed": 7}
    assert {f"test_it[{x}]" for x in AWKWARD if x.isascii()} < set(ran.tasks)
    assert len(ran.tasks) == 7
    assert {len(task.calls) for task in ran.tasks.values()} == {1}


def test_ids_that_are_no_unicode_are_written(project: Project) -> None:
    source = (
        "import pytest, vcr\nfrom agent import ask\n\n"
        '@pytest.mark.parametrize("x", ["\\udc80", "a\\nb"])\n'
        "@pytest.mark.token_budget(tokens=500)\n"
        "def test_it(x):\n    with vcr.use_cassette('cassettes/test_it/test_it.yaml'):\n        ask()\n"
    )
    ini = str(project.files["pytest.ini"])
    escaping = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"
    ran = (
        project.file("test_it.py", source)
        .file("pytest.ini", ini + escaping)
        .recorded(chat(1_000))
        .run("-p", "no:terminalreporter", "-p", "no:cacheprovider")
    )
    assert ran.exit == 1
    assert set(ran.tasks) == {"test_it[\\udc80]", "test_it[a\nb]"}
    assert not ran.run.incomplete


def test_an_agent_of_another_provider_is_counted_at_its_host(project: Project) -> None:
    url = OPENAI.replace("api.openai.com", "llm.example.com")
    source = f"@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask(url={url!r})\n"
    ran = project.tests(source).recorded(chat(1_000, url=url)).run()
    assert (ran.exit, ran.task().calls[0].call.host) == (0, "llm.example.com")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("own", ["ask()", "pass"])
def test_calls_of_a_forked_process_are_listed_apart(project: Project, own: str) -> None:
    ran = (
        project.tests(f"""
        import multiprocessing

        @pytest.mark.token_budget(usd=1, allow_no_calls=True)
        def test_it():
            {own}
            process = multiprocessing.get_context("fork").Process(target=ask, args=["again"])
            process.start()
            process.join()
            assert process.exitcode == 0
        """)
        .recorded(chat(1_000), chat(1_000, text="again"))
        .run_apart()
    )
    assert (ran.exit, len(ran.task().calls)) == (0, int(own == "ask()"))
    [(name, forked)] = ran.fixtures.items()
    assert (name, len(forked.calls)) == ("test_it.py::test_it [forked process]", 1)
    assert ran.run.totals.calls == 1 + int(own == "ask()")
    [reason] = ran.run.incomplete
    assert "made by a process that the test forked: no budget counts these calls" in reason
