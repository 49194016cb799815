"""What replaying takes: a large cassette, one call beside its SDK alone, and a whole suite beside pytest-recording.

    PYTHONPATH=tests python tests/benchmarks/bench_own_replay.py [large] [call] [suite] [--help]

CPU time, loading aside, in one process for each part; plain vcrpy is measured before our seam is put in. "All
drifted" is the agent with a sentence more in its system prompt; estimates are not in it (`bench_estimate.py`).
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import vcr
from bench_recording import WITHOUT, _request, _response, cpu_seconds
from openai import OpenAI
from recorded_agents import EDITS, agents, answer, sent
from studio import Studio
from vcr.cassette import Cassette
from vcr.request import Request
from vcr.serialize import serialize
from vcr.serializers import yamlserializer

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.traffic import cassette as seam
from pytest_tokenbudget.traffic import intake
from pytest_tokenbudget.traffic.cassette_file import save_cassette
from pytest_tokenbudget.traffic.redaction import Redactor
from pytest_tokenbudget.traffic.replay import opened
from pytest_tokenbudget.traffic.stored import as_stored, clean_request, clean_response

Pairs = Sequence[tuple[Request, dict[str, Any]]]
EDIT: Final = EDITS["its system prompt"]
SKIPPED: Final = Skipped(source="", index=None, reason="the cassette alone is measured")


def spent(run: Callable[[], object]) -> float:
    """Seconds of CPU time, without the collector's."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    try:
        run()
    finally:
        gc.enable()
    return time.process_time() - began


def play(cassette: Any, requests: Iterable[Request]) -> None:
    for request in requests:
        assert cassette.can_play_response_for(request)
        cassette.play_response(request)


def plainly(pairs: Pairs) -> Pairs:
    return [(sent(json.loads(request.body)), response) for request, response in pairs]


def of(calls: int) -> tuple[Pairs, list[Request]]:
    """A recording, and the requests of the agent after an edit."""
    bodies = agents(calls)
    edited = [sent(EDIT(body, number)) for number, body in enumerate(bodies)]
    return [(sent(body), answer(number)) for number, body in enumerate(bodies)], edited


def filled(pairs: Pairs, **options: Any) -> Cassette:
    """A cassette of vcrpy's that was loaded."""
    cassette = Cassette(path="none.yaml", record_mode=vcr.mode.NONE, **options)
    cassette.data, cassette.rewound = list(pairs), True
    return cassette


def large(calls: int, by_vcrpy: int, by_body: int) -> None:
    pairs, edited = of(2 * calls)
    print(f"replaying a cassette of {sum(len(r.body) for r, _ in pairs[:calls]) / 1e6:.0f} MB, {calls} interactions")
    rows: list[tuple[str, float, str]] = []
    again = plainly(pairs)
    bounds = {"exact": 0.4, "all drifted": 1.0}
    lines = vcr.matchers
    by_default = (lines.method, lines.scheme, lines.host, lines.port, lines.path, lines.query)
    took = spent(lambda: play(filled(pairs[:by_vcrpy], match_on=by_default), [r for r, _ in again[:by_vcrpy]]))
    rows.append((f"plain vcrpy, default matching, {by_vcrpy} of them", took, ""))
    if by_body:
        cassette = filled(pairs[:by_body], match_on=(*by_default, lines.body))
        took = spent(lambda: play(cassette, [r for r, _ in again[:by_body]]))
        rows.append((f"plain vcrpy, body matching, {by_body} of them", took, ""))
    seam.install()
    meter = Meter(lambda _: SKIPPED, lambda *_: None)
    with tempfile.TemporaryDirectory() as name:
        studio = Studio(Path(name))
        meter.enter(studio.task)
        detach = intake.attach(meter, name)
        redactor = Redactor()
        stored = [as_stored(clean_request(r, redactor), clean_response(a, redactor)) for r, a in pairs]
        for kind, asked in (("exact", [r for r, _ in again]), ("all drifted", edited)):
            took = spent(lambda: play(filled(pairs[:by_vcrpy], match_on=by_default), asked[:by_vcrpy]))  # noqa: B023
            rows.append((f"vcrpy's cassette, {kind}, {by_vcrpy} of them", took, ""))
            for cassette_of in ("vcrpy's", "own"):
                took = []
                for count in (calls, 2 * calls):
                    requests = [Request(r.method, r.uri, r.body, r.headers) for r in asked[:count]]
                    if cassette_of == "own":
                        save_cassette(studio.path, stored[:count])
                        with opened(studio.recording()) as own:
                            took.append(spent(lambda: play(own, requests)))  # noqa: B023
                            own.finish(complete=True)
                    else:
                        theirs = filled(pairs[:count], match_on=by_default)
                        took.append(spent(lambda: play(theirs, requests)))  # noqa: B023
                note = f"bound {bounds[kind]} s; twice as many: {took[1] / took[0]:.2f} times (bound 2.3)"
                rows.append((f"{cassette_of} cassette, {kind}", took[0], note))
        detach()
    for title, seconds, note in rows:
        print(f"  {title:48} {seconds:8.3f} s  {note}")


def call(rounds: int, count: int = 200) -> None:
    """One call of OpenAI's SDK."""
    pairs, _ = of(count)
    bodies = [json.loads(request.body) for request, _ in pairs]
    said = iter([])

    def at_once(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=json.loads(next(said)["body"]["string"]))

    def ask(client: OpenAI) -> None:
        for body in bodies:
            client.chat.completions.create(**body)

    client = OpenAI(api_key="none", max_retries=0)
    alone = OpenAI(api_key="none", http_client=httpx.Client(transport=httpx.MockTransport(at_once)))
    floors, plain, theirs, own, unmetered = [], [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "cassettes" / "theirs.yaml"
        file.parent.mkdir()
        together = {"requests": [r for r, _ in pairs], "responses": [a for _, a in pairs]}
        file.write_text(serialize(together, yamlserializer))
        with vcr.use_cassette(str(file), record_mode="none"):
            plain.append(spent(lambda: ask(client)))
        studio = Studio(Path(name))
        redactor = Redactor()
        save_cassette(
            studio.path, [as_stored(clean_request(r, redactor), clean_response(a, redactor)) for r, a in pairs]
        )
        bare = Studio(Path(name))
        bare._take = lambda _: SKIPPED  # type: ignore[method-assign]  # noqa: SLF001 - the cassette alone
        for _ in range(rounds):
            with bare.open():
                unmetered.append(spent(lambda: ask(client)))
            with studio.open():
                own.append(spent(lambda: ask(client)))
            seam.install()
            with Studio(Path(name), "other.yaml").open(), vcr.use_cassette(str(file), record_mode="none"):
                theirs.append(spent(lambda: ask(client)))
            said = iter([a for _, a in pairs])
            floors.append(spent(lambda: ask(alone)))
    floor = min(floors) / count * 1e3
    print(f"one call of OpenAI's SDK, {count} in the cassette, 31 KB asked; bound: 1 ms above the SDK's floor")
    print(f"  {'the SDK over a transport that answers at once':48} {floor:8.3f} ms")
    rows = (
        ("plain vcrpy", plain),
        ("vcrpy's cassette, metered", theirs),
        ("own cassette, metered", own),
        ("own cassette alone", unmetered),
    )
    for title, took in rows:
        each = min(took) / count * 1e3
        print(f"  {title:48} {each:8.3f} ms  {each - floor:+.3f} ms above")


SUITE: Final = """\
import httpx
import pytest

client = httpx.Client()


def ask(text):
    body = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]}
    return client.post("https://api.openai.com/v1/chat/completions", json=body).json()["choices"]
"""


def suite(tests: int, rounds: int, calls: int = 10) -> None:
    """A suite of pytest-recording, with and without us, and the same tests as ours."""
    matching = '(match_on=["method", "scheme", "host", "port", "path", "query", "body"])'
    asked = [f"{number} " + "Where is my order, please? " * 200 for number in range(calls)]
    interactions = [
        {
            "request": _request(
                json.dumps(
                    {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]},
                    ensure_ascii=False,
                    separators=(",", ":"),
                )
            ),
            "response": _response(number),
        }
        for number, text in enumerate(asked)
    ]
    recorded = vcr.serializers.yamlserializer.serialize({"interactions": interactions, "version": 1})
    loop = (
        f'    for number in range({calls}):\n        assert ask(f"{{number}} " + "Where is my order, please? " * 200)\n'
    )
    marks = {"default": "@pytest.mark.vcr", "body": f"@pytest.mark.vcr{matching}", "own": "@pytest.mark.token_budget"}
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind, mark in marks.items():
            folder = Path(name) / kind
            (folder / "cassettes" / "test_it").mkdir(parents=True)
            (folder / "pytest.ini").write_text("[pytest]\n")
            text = "".join(f"\n\n{mark}\ndef test_{number}():\n{loop}" for number in range(tests))
            (folder / "test_it.py").write_text(SUITE + text)
            for number in range(tests):
                (folder / "cassettes" / "test_it" / f"test_{number}.yaml").write_text(recorded)
        for turn in range(rounds):
            for title, kind, options in (
                ("pytest-recording, default matching", "default", WITHOUT),
                ("the same, metered", "default", ()),
                ("pytest-recording, body matching", "body", WITHOUT),
                ("the same, metered", "body", ()),
                ("our marker, own cassettes", "own", ()),
            ):
                if turn == 0 or kind != "body":
                    took.setdefault(f"{title} ({kind})", []).append(cpu_seconds(Path(name) / kind, *options))
    print(f"{tests} tests of {calls} calls, the whole of pytest; CPU time, best of {rounds} (body matching once)")
    default, body = (
        min(took["pytest-recording, default matching (default)"]),
        min(took["pytest-recording, body matching (body)"]),
    )
    for title, times in took.items():
        best = min(times)
        print(f"  {title:48} {best:8.2f} s  {best / default:.2f} of default, {body / best:.1f} times as fast as body")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["large", "call", "suite"])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--vcrpy", type=int, default=500)
    parser.add_argument("--body", type=int, default=60, help="0 leaves body matching out: it takes time by the square")
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if len(options.parts) > 1:
        # our seam stays in a process once it is there, and plain vcrpy is to be measured without it
        given = [f"--calls={options.calls}", f"--vcrpy={options.vcrpy}", f"--body={options.body}"]
        given += [f"--tests={options.tests}", f"--rounds={options.rounds}"]
        for part in options.parts:
            subprocess.run([sys.executable, __file__, part, *given], check=True)
    elif options.parts == ["large"]:
        large(options.calls, options.vcrpy, options.body)
    elif options.parts == ["call"]:
        call(options.rounds)
    else:
        suite(options.tests, options.rounds)


if __name__ == "__main__":
    main()
