"""The page on samples in Python: what it shows runs, and it names all that there is."""

import re
from pathlib import Path

import pytest

from pytest_tokenbudget.policy import sampling
from pytest_tokenbudget.policy.sampling import Benchmark, Figures, Sample

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "sampling.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_its_examples_hold(example: str) -> None:
    exec(compile(example, "sampling.md", "exec"), {})  # noqa: S102 - our own page


def test_it_names_every_field() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert len(EXAMPLES) == 2
    assert {*Sample.__struct_fields__} <= named
    assert {*Benchmark.__struct_fields__} - {"rules"} <= named
    assert {*Figures.__struct_fields__} - {"ideal_steps"} <= named


def test_what_is_exported_is_there() -> None:
    assert all(hasattr(sampling, name) for name in sampling.__all__)
