"""An answer to another request than the recorded one is marked drifted; each answer is counted once, in any order."""

import json
from decimal import Decimal
from typing import Any

import pytest
from project import Project, Ran, chat

VCR_TEST = """
import json
import urllib.request
import vcr

def send(body, url="https://api.openai.com/v1/chat/completions", headers=None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} | (headers or {}))
    return json.load(urllib.request.urlopen(request, timeout=5))
"""
RECORDED = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}


def obtained(ran: Ran, test: str = "test_it") -> list[str]:
    return [entry.call.obtained for entry in ran.task(test).calls]


def with_body(body: object, **options: Any) -> dict[str, Any]:
    interaction = chat(**options)
    interaction["request"] |= {"body": body, "headers": {"Content-Type": ["application/json"]}}
    return interaction


SENT = {
    "the same bytes": (json.dumps(RECORDED), "replayed"),
    "other spacing": (json.dumps(RECORDED, indent=4), "replayed"),
    "keys in another order": (json.dumps(dict(reversed(RECORDED.items()))), "replayed"),
    "letters escaped": (json.dumps(RECORDED).replace("H", "\\u0048"), "replayed"),
    "another prompt": (json.dumps(RECORDED).replace("Hello", "Hello!"), "drifted"),
    "another model": (json.dumps(RECORDED).replace("tiny", "mini"), "drifted"),
    "messages in another order": (json.dumps(RECORDED | {"messages": [*RECORDED["messages"], 1]}), "drifted"),
    "one more key": (json.dumps(RECORDED | {"temperature": 0}), "drifted"),
    "no JSON": (json.dumps(RECORDED)[:-1], "drifted"),
}


@pytest.mark.parametrize("sent", SENT)
def test_an_answer_to_another_request_is_drifted(project: Project, sent: str) -> None:
    body, expected = SENT[sent]
    ran = (
        project.tests(
            VCR_TEST
            + f"""
@vcr.use_cassette("cassettes/test_it/test_it.yaml")
def test_it():
    assert send({body.encode()!r})["choices"]
"""
        )
        .recorded(with_body(json.dumps(RECORDED)))
        .run()
    )
    assert ran.counts == {"passed": 1}
    assert obtained(ran) == [expected]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("?b=2&a=1", "replayed"), ("?a=1&b=2", "replayed"), ("?a=1&b=3", "drifted"), ("", "drifted")],
)
def test_the_query_counts_and_its_order_does_not(project: Project, sent: str, expected: str) -> None:
    url = "https://api.openai.com/v1/chat/completions"
    ran = (
        project.tests(
            VCR_TEST
            + f"""
@vcr.use_cassette("cassettes/test_it/test_it.yaml", match_on=["method", "path"])
def test_it():
    send({json.dumps(RECORDED).encode()!r}, {url + sent!r})
"""
        )
        .recorded(with_body(json.dumps(RECORDED), url=f"{url}?a=1&b=2"))
        .run()
    )
    assert obtained(ran) == [expected]


FORM = (
    '--{0}\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n'
    '--{0}\r\nContent-Disposition: form-data; name="text"\r\n\r\n{1}\r\n--{0}--\r\n'
)


@pytest.mark.parametrize(("said", "expected"), [("Hello", "replayed"), ("Hello!", "drifted")])
def test_a_form_of_several_parts_is_the_same_whatever_its_boundary(project: Project, said: str, expected: str) -> None:
    interaction = with_body(FORM.format("first123", "Hello"))
    interaction["request"]["headers"] = {"Content-Type": ["multipart/form-data; boundary=first123"]}
    ran = (
        project.tests(
            VCR_TEST
            + f"""
@vcr.use_cassette("cassettes/test_it/test_it.yaml")
def test_it():
    form = {FORM.format("second45", said).encode()!r}
    send(form, headers={{"Content-Type": 'multipart/form-data; boundary="second45"'}})
"""
        )
        .recorded(interaction)
        .run()
    )
    assert obtained(ran) == [expected]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("filter_post_data_parameters=['said_by']", "replayed"),
        ("before_record_request=lambda r: setattr(r, 'body', r.body.replace(b'u-2', b'u')) or r", "drifted"),
        ("before_record_request=lambda r: setattr(r, 'body', b'{}') or r", "replayed"),
        ("", "drifted"),
    ],
)
def test_requests_are_compared_as_the_users_filters_leave_them(project: Project, options: str, expected: str) -> None:
    ran = (
        project.tests(
            VCR_TEST
            + f"""
@vcr.use_cassette("cassettes/test_it/test_it.yaml", {options})
def test_it():
    send({json.dumps(RECORDED | {"said_by": "u-2"}).encode()!r})
"""
        )
        .recorded(with_body(json.dumps(RECORDED)))
        .run()
    )
    assert obtained(ran) == [expected]


def test_a_drifted_task_is_estimated_and_judged_by_its_band(project: Project) -> None:
    ran = (
        project.tests(
            """
            @pytest.mark.token_budget(usd=0.01)
            def test_it():
                ask("Hello, and more than was recorded")
            """
        )
        .recorded(chat(1000))
        .run()
    )
    assert ran.counts == {"passed": 1}
    assert ran.state() == "within"
    call = ran.record["tasks"][0]["calls"][0]
    assert call["obtained"] == "drifted"
    assert call["recorded_usage"] == {"input": 1000}
    low, high = call["band"]["input"]
    assert 1000 < low <= call["usage"]["input"] <= high < 1020
    assert ran.task().totals.incurred == 0


def test_a_drifted_call_whose_recorded_cost_is_within_does_not_hide_an_exact_one_over(project: Project) -> None:
    ran = (
        project.tests(
            """
            @pytest.mark.token_budget(usd=0.01)
            def test_it():
                ask("Hello")
                ask("Another question")
            """
        )
        .recorded(chat(20_000), chat(1))
        .run()
    )
    assert obtained(ran) == ["replayed", "drifted"]
    assert ran.counts == {"failed": 1}
    assert ran.state() == "blocked"


def test_equal_questions_take_their_answers_in_the_order_of_the_recording(project: Project) -> None:
    ran = (
        project.tests(
            """
            @pytest.mark.token_budget
            def test_it():
                for _ in range(3):
                    ask()
            """
        )
        .recorded(chat(1), chat(20), chat(300))
        .run()
    )
    assert [entry.call.usage.input for entry in ran.task().calls] == [1, 20, 300]
    assert [entry.call.index for entry in ran.task().calls] == [0, 1, 2]
    assert obtained(ran) == ["replayed"] * 3


GATHERED = """
import asyncio
import httpx
import threading
import vcr

URL = "https://api.openai.com/v1/chat/completions"

def body(text):
    return {"model": "tiny", "messages": [{"role": "user", "content": text}]}

@pytest.mark.asyncio
async def test_gathered():
    async with httpx.AsyncClient() as client:
        with vcr.use_cassette("cassettes/test_it/many.yaml", match_on=["method", "body"]):
            await asyncio.gather(*(client.post(URL, json=body(f"question {n}")) for n in reversed(range(40))))

def test_threads():
    with httpx.Client() as client, vcr.use_cassette("cassettes/test_it/many.yaml", match_on=["method", "body"]):
        work = lambda n: client.post(URL, json=body(f"question {n}"))
        threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

@pytest.mark.asyncio
async def test_gathered_by_vcrpys_default_match():
    async with httpx.AsyncClient() as client:
        with vcr.use_cassette("cassettes/test_it/many.yaml"):
            await asyncio.gather(*(client.post(URL, json=body(f"question {n}")) for n in reversed(range(40))))

@pytest.mark.asyncio
async def test_gathered_after_an_edit():
    system = {"role": "system", "content": "Be brief."}
    asked = [body(f"question {n}") for n in reversed(range(40))]
    asked = [one | {"messages": [system, *one["messages"]]} for one in asked]
    async with httpx.AsyncClient() as client:
        with vcr.use_cassette("cassettes/test_it/many.yaml"):
            answers = await asyncio.gather(*(client.post(URL, json=one) for one in asked))
    assert [answer.json()["usage"]["prompt_tokens"] for answer in answers] == [*range(40, 0, -1)]
"""


def test_calls_at_the_same_time_are_each_counted_once(project: Project) -> None:
    many = [with_body(json.dumps(RECORDED).replace("Hello", f"question {n}"), tokens=n + 1) for n in range(40)]
    ran = project.tests(GATHERED).recorded(*many, test="many").run()
    assert ran.counts == {"passed": 4}
    assert obtained(ran, "test_gathered_after_an_edit") == ["drifted"] * 40
    for test in ("test_gathered", "test_threads", "test_gathered_by_vcrpys_default_match"):
        task = ran.task(test)
        assert task.exchanges == len(task.calls) == 40
        assert sorted(entry.call.index or 0 for entry in task.calls) == list(range(40))
        assert sorted(entry.step or 0 for entry in task.calls) == list(range(1, 41))
        assert task.totals.cost == Decimal("0.00082")  # 1 + 2 + … + 40 tokens at a dollar per million
    assert obtained(ran, "test_gathered") == ["replayed"] * 40
    assert obtained(ran, "test_threads") == ["replayed"] * 40
    # vcrpy itself answers in the order of the recording: each would get another's answer
    assert obtained(ran, "test_gathered_by_vcrpys_default_match") == ["replayed"] * 40
    assert [entry.call.index for entry in ran.task("test_gathered_by_vcrpys_default_match").calls] == [
        *range(39, -1, -1)
    ]


def test_a_drifted_request_stops_the_test_where_drift_is_an_error(project: Project) -> None:
    ran = (
        project.tests(
            """
            @pytest.mark.token_budget
            def test_it():
                ask("Hello, once")
                for text in ("Hello there", "Hello again"):
                    try:
                        ask(text)
                    except Exception:
                        pass
            """
        )
        .recorded(with_body(json.dumps(asked("Hello, once"))), with_body(json.dumps(asked("Hello again"))))
        .run("--tokenbudget-drift=error")
    )
    assert ran.counts == {"failed": 1}
    assert obtained(ran) == ["replayed"]
    assert (
        "[drift] POST https://api.openai.com/v1/chat/completions was stopped: it is not the request that was "
        "recorded (recording 1 of cassettes/test_it/test_it.yaml): `messages[0].content` changed (first at byte 6). "
        "To record it again: pytest test_it.py::test_it --tokenbudget-record=all. To replay it and estimate its cost: "
        "--tokenbudget-drift=estimate."
    ) in ran.said


def asked(text: str) -> dict[str, Any]:
    return {"model": "tiny", "messages": [{"role": "user", "content": text}]}


def test_a_swallowed_stop_for_drift_fails_the_test_all_the_same(project: Project) -> None:
    ran = (
        project.tests(
            """
            @pytest.mark.token_budget
            def test_it():
                try:
                    ask("Hello there")
                except BaseException:
                    pass
            """
        )
        .recorded(with_body(json.dumps(RECORDED)))
        .run("--tokenbudget-drift=error")
    )
    assert ran.counts == {"failed": 1}
    assert "[drift]" in ran.out


def test_other_traffic_may_drift_where_drift_is_an_error(project: Project) -> None:
    interaction = with_body("page=1", url="https://shop.example/orders")
    ran = (
        project.tests(
            VCR_TEST
            + """
@vcr.use_cassette("cassettes/test_it/test_it.yaml")
def test_it():
    send(b"page=2", "https://shop.example/orders")
"""
        )
        .recorded(interaction)
        .run("--tokenbudget-drift=error")
    )
    assert ran.counts == {"passed": 1}
