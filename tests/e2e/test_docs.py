"""The documentation says what there is: every setting, option, field and slug, and links that lead somewhere."""

import re
from pathlib import Path
from typing import Final

import click
import pytest
from builders import make_budget, make_estimate, make_run, make_task

from pytest_tokenbudget import errors
from pytest_tokenbudget.cli import main
from pytest_tokenbudget.config.keys import SCALARS, STRUCTURED
from pytest_tokenbudget.config.limits import FIELDS
from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.run import Recording
from pytest_tokenbudget.model.task import Stray
from pytest_tokenbudget.store.runfile import run_record

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE: Final = ROOT / "docs" / "reference"
GUIDE: Final = ROOT / "docs" / "guide"


def named(page: Path) -> set[str]:
    """What a page names in code."""
    return set(re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")))


def headings(page: Path) -> set[str]:
    return set(re.findall(r"(?m)^## (.+)$", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        assert (page.parent / file).exists(), target
        if anchor:
            assert anchor in {
                title.lower().replace(" ", "-").replace("`", "") for title in headings(page.parent / file)
            }, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_settings_in_examples_are_accepted(page: Path, tmp_path: Path) -> None:
    examples = re.findall(
        r"^```(?:yaml|toml)\n# (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for name, text in examples:
        (tmp_path / name).write_text(text, encoding="utf-8")
        load_settings(tmp_path)
        (tmp_path / name).unlink()


def test_every_setting_has_its_section() -> None:
    assert headings(REFERENCE / "settings.md") == {*SCALARS, *STRUCTURED, "In pyproject.toml"}


def test_every_limit_is_explained() -> None:
    assert set(FIELDS) <= named(GUIDE / "budgets.md")


def test_every_command_and_option_is_listed() -> None:
    context = click.Context(main)
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    commands = main.list_commands(context)
    assert commands
    for name in commands:
        section = text.partition(f"## tokenbudget {name}")[2].partition("\n## ")[0]
        command = main.get_command(context, name)
        assert section
        assert command is not None
        parts = command.commands.values() if isinstance(command, click.Group) else [command]
        options = [option for part in parts for option in part.params if isinstance(option, click.Option)]
        assert options
        for option in options:
            assert f"`{option.opts[0]}" in section, (name, option.opts)


def test_every_field_of_a_run_is_listed() -> None:
    first = Change(kind="system", name="", position=0, byte=0, before=1, after=2)
    call = make_estimate("1", "0.9", "1.1", first=first)
    stray = Stray(kind="refused", request="POST https://api.openai.com/v1/responses")
    run = make_run(
        make_task("t.py::test_a", call, budget=make_budget(usd=1), strays=(stray,)),
        recordings=(Recording(source="a.yaml", interactions=1),),
    )
    record = run_record(run)
    task = record["tasks"][0]
    finding = task["verdict"]["findings"][0]
    drift = task["calls"][0]["drift"]
    parts = [record, record["totals"], task, task["calls"][0], drift, drift["first"], task["calls"][0]["band"]]
    parts += [task["strays"][0], record["recordings"][0], task["verdict"], finding]
    fields = {name for part in parts for name in part}
    assert fields <= named(REFERENCE / "run-file.md")


def test_every_slug_has_its_section() -> None:
    raised = {*errors.Stop.__subclasses__(), *errors.TokenBudgetError.__subclasses__()}
    sections = {title.strip("`[]") for title in headings(GUIDE / "troubleshooting.md") if title.startswith("`[")}
    assert sections == {kind.slug for kind in raised}
