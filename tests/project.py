"""A small project under test: test files, recordings, settings, and pytest run over them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.schema import run_schema

__all__ = ["Project", "Ran", "chat", "claude", "recording"]

_SCHEMA = Draft202012Validator(run_schema())

OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"

_PRICES = "prices: {tiny: {input: 1, output: 1, cache_read: 1, thinking: 1}}\n"
"""A dollar per million tokens: 300,000 tokens cost $0.30."""

_INI = """\
[pytest]
filterwarnings = error
"""

_QUIET = ("-oasyncio_default_fixture_loop_scope=function", "-oasyncio_default_test_loop_scope=function")
"""pytest-asyncio warns where nobody says how long its loops live."""

_FEW = [f"-p{name}" for name in ("pytest_tokenbudget.plugin", "xdist", "pytest_rerunfailures", "pytest_timeout")]
"""A process, and each of its workers, starts three times as fast with few plugins."""

_AGENT = '''\
"""The agent under test: one model call over the standard library."""

import json
import urllib.request

URL = "https://api.openai.com/v1/chat/completions"


def ask(text="Hello", model="tiny", url=URL):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.read()
'''


def chat(
    tokens: int = 1000,
    output: int = 0,
    *,
    cached: int = 0,
    thinking: int = 0,
    text: str = "Hello",
    model: str = "tiny",
    url: str = OPENAI,
    **changes: Any,
) -> dict[str, Any]:
    """A recorded chat completion.

    Args:
        tokens: Input tokens, the cached ones included.
        output: Output tokens, the thinking ones included.
        cached: Input tokens read from the cache.
        thinking: Output tokens of reasoning.
        text: What the user says.
        model: The model.
        url: Where it was sent.
        changes: Fields of the response's body that differ; `None` leaves a field out.
    """
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}],
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": output,
            "total_tokens": tokens + output,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": thinking},
        },
    } | changes
    return _interaction(
        url,
        {"model": model, "messages": [{"role": "user", "content": text}]},
        {name: value for name, value in answer.items() if value is not None},
    )


def claude(tokens: int = 1000, output: int = 100, *, text: str = "Hello", model: str = "tiny") -> dict[str, Any]:
    """A recorded message of Anthropic's."""
    return _interaction(
        ANTHROPIC,
        {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": text}]},
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": "Hi."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": tokens, "output_tokens": output},
        },
    )


def _interaction(url: str, question: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "request": {"method": "POST", "uri": url, "headers": {}, "body": json.dumps(question)},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": json.dumps(answer)},
        },
    }


def recording(*interactions: Mapping[str, Any]) -> str:
    """A cassette as vcrpy writes it."""
    return yaml.safe_dump({"interactions": list(interactions), "version": 1})


@dataclass(frozen=True)
class Ran:
    """What came of running pytest.

    Attributes:
        result: pytester's own.
        path: The run file.
    """

    result: pytest.RunResult
    path: Path

    @property
    def exit(self) -> int:
        """pytest's exit status."""
        return int(self.result.ret)

    @property
    def out(self) -> str:
        """What pytest printed."""
        return self.result.stdout.str()

    @property
    def said(self) -> str:
        """What pytest printed, on one line, as far as line breaks and colours go."""
        return " ".join(f"{self.out} {self.result.stderr.str()}".split())

    @property
    def counts(self) -> dict[str, int]:
        """How many tests ended how, in pytest's words."""
        return {name: count for name, count in self.result.parseoutcomes().items() if name != "warnings"}

    @property
    def run(self) -> Run:
        """The run file, held to its schema and read back."""
        _SCHEMA.validate(self.record)
        return load_run(self.path)

    @property
    def record(self) -> dict[str, Any]:
        """The run file as JSON."""
        record: dict[str, Any] = json.loads(self.path.read_bytes())
        return record

    @property
    def tasks(self) -> dict[str, Task]:
        """The run's tasks by the last part of their ids."""
        return {task.id.partition("::")[2]: task for task in self.run.tasks}

    @property
    def fixtures(self) -> dict[str, Task]:
        """The run's wider fixtures by their ids."""
        return {task.id: task for task in self.run.fixtures}

    def task(self, name: str = "test_it") -> Task:
        """One task of the run."""
        return self.tasks[name]

    def state(self, name: str = "test_it") -> str:
        """One task's verdict."""
        return self.task(name).verdict.state


@dataclass(frozen=True)
class Project:
    """A project; each method returns a changed copy, and `run` alone writes files."""

    pytester: pytest.Pytester
    files: Mapping[str, str | bytes]

    @classmethod
    def empty(cls, pytester: pytest.Pytester) -> "Project":
        """A project without tests: an agent, and warnings that are errors."""
        return cls(pytester, MappingProxyType({"pytest.ini": _INI, "agent.py": _AGENT}))

    def file(self, path: str, content: str | bytes) -> "Project":
        """With a file."""
        text = dedent(content) if isinstance(content, str) else content
        return replace(self, files={**self.files, path: text})

    def tests(self, source: str, module: str = "test_it") -> "Project":
        """With a test module."""
        return self.file(f"{module}.py", "import pytest\nfrom agent import ask\n" + dedent(source))

    def settings(self, text: str = "") -> "Project":
        """With a `tokenbudget.yml` in which the model `tiny` costs a dollar per million tokens, and more."""
        return self.file("tokenbudget.yml", _PRICES + dedent(text))

    def recorded(self, *interactions: Mapping[str, Any], test: str = "test_it", module: str = "test_it") -> "Project":
        """With a test's own recording; without interactions, of one call of 1,000 tokens."""
        return self.file(f"cassettes/{module}/{test}.yaml", recording(*(interactions or [chat()])))

    def write(self) -> None:
        """Write the files."""
        for path, content in self.files.items():
            file = self.pytester.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                file.write_bytes(content)
            else:
                file.write_text(content, encoding="utf-8", errors="surrogatepass")

    def run(self, *args: str, out: str = ".tokenbudget/run.json") -> Ran:
        """Run pytest in this process."""
        self.write()
        return Ran(self.pytester.runpytest_inprocess(*_QUIET, *args), self.pytester.path / out)

    def run_apart(self, *args: str, out: str = ".tokenbudget/run.json") -> Ran:
        """Run pytest in a process of its own."""
        self.write()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            result = self.pytester.runpytest_subprocess(*_FEW, *args, timeout=120)
        return Ran(result, self.pytester.path / out)
