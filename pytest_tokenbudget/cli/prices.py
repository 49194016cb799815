"""`tokenbudget prices`: what models cost, whose price it is, and what changes."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from pytest_tokenbudget.config.settings import Settings
    from pytest_tokenbudget.pricing.catalog import Listing
    from pytest_tokenbudget.pricing.snapshot import PriceList

__all__ = ["command"]

_INSTALLED = "."


class _WithDefault(click.Group):
    """A group whose first word may also be an argument of its command `show`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


def _as_of(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    from pytest_tokenbudget.config.kinds import INSTANT

    try:
        return None if value is None else cast("datetime", INSTANT.read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_provider = click.option("--provider", metavar="ID", help="Only this provider's, such as openai.")
_date = click.option("--as-of", metavar="DATE", callback=_as_of, help="Use the prices of this date.")
_config = click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Read this file in the place of tokenbudget.yml."
)
_form = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", help="How to print.")


@click.group("prices", cls=_WithDefault, short_help="What models cost, and what changes.")
def command() -> None:
    """What models cost: `tokenbudget prices [MODEL]`, in US dollars per million tokens.

    MODEL is a name as a request uses it, or a pattern with * and ?. `prices diff` compares two days, or an exported
    list with the installed one; `prices export` writes such a list.
    """


@command.command("show", short_help="List models (the default).")
@click.argument("model", required=False)
@_provider
@_date
@_config
@_form
def show(model: str | None, *, provider: str | None, as_of: datetime | None, config: Path | None, form: str) -> None:
    """List the prices of MODEL, or of all models: rates, fees, source, since when, and what has no price.

    MODEL is a name as a request uses it, or a pattern with * and ?. Your own prices in tokenbudget.yml come first.
    """
    from pytest_tokenbudget.errors import PriceError
    from pytest_tokenbudget.pricing.catalog import listings, own_listings
    from pytest_tokenbudget.pricing.genai import data_source
    from pytest_tokenbudget.pricing.snapshot import snapshot_json

    settings = _settings(config)
    at, at_source = _instant(settings, as_of)
    own = () if provider else own_listings(settings.prices, model)
    found: tuple[Listing, ...] = (*own, *listings(at, provider=provider, name=model))
    if not found:
        raise PriceError(_unknown(model, provider))
    if form == "json":
        click.echo(snapshot_json(found, at, at_source, data_source()), nl=False)
        return
    from pytest_tokenbudget.cli.audit_table import new_console
    from pytest_tokenbudget.cli.prices_table import print_prices
    from pytest_tokenbudget.report.prices_view import summary

    print_prices(found, new_console(), at)
    click.echo(summary(len(found), at, at_source, data_source()))


def _unknown(model: str | None, provider: str | None) -> str:
    from pytest_tokenbudget.pricing.catalog import near_names
    from pytest_tokenbudget.pricing.genai import knows

    if provider is not None and not knows(provider):
        return f"no price list is known for {provider!r}. Without --provider, all of them are searched."
    whose = f"{provider} lists" if provider else "nobody lists"
    near = ", ".join(near_names(model or "", provider))
    hint = f" Near it: {near}." if near else ""
    what = "no model" if provider else "a model"
    return f"{whose} {what} {model!r}.{hint} Give it a price under `prices:` in tokenbudget.yml."


@command.command("diff", short_help="What changed between two days or two lists.")
@click.argument("before")
@click.argument("after")
@click.option("--model", metavar="MODEL", help="Only these: an entry's name, or a pattern with * and ?.")
@_provider
@_date
@_config
@_form
def diff(
    before: str,
    after: str,
    *,
    model: str | None,
    provider: str | None,
    as_of: datetime | None,
    config: Path | None,
    form: str,
) -> None:
    """Compare two price lists, the change with the largest effect first.

    BEFORE and AFTER are days such as 2026-12-01, files written by `tokenbudget prices export`, or `.`, the installed
    list: of the same day as the other side, where that is a file.
    """
    from pytest_tokenbudget.pricing.changes import price_changes
    from pytest_tokenbudget.report.prices_diff import diff_json, diff_summary

    settings = _settings(config)
    sides = [_side(text) for text in (before, after)]
    dates = [side.as_of for side in sides if not isinstance(side, datetime | None)]
    at = as_of or (dates[0] if dates else _instant(settings, None)[0])
    old, new = (_list(side, at, model, provider) for side in sides)
    changes = price_changes(old, new)
    if form == "json":
        click.echo(diff_json(old, new, changes), nl=False)
        return
    from pytest_tokenbudget.cli.audit_table import new_console
    from pytest_tokenbudget.cli.prices_table import print_changes

    print_changes(changes, new_console())
    click.echo(diff_summary(old, new, changes))


def _side(text: str) -> "PriceList | datetime | None":
    """What one side of a comparison is: a file's list, a day, or `None` for the installed list."""
    from pytest_tokenbudget.config.kinds import INSTANT
    from pytest_tokenbudget.pricing.snapshot import read_snapshot

    if text == _INSTALLED:
        return None
    if not Path(text).exists():
        try:
            return cast("datetime", INSTANT.read(text))
        except ValueError as error:
            message = f"{error}, nor a file written by `tokenbudget prices export`, nor `.` for the installed list"
            raise click.BadParameter(message) from error
    return read_snapshot(Path(text))


def _list(side: "PriceList | datetime | None", at: datetime, model: str | None, provider: str | None) -> "PriceList":
    from pytest_tokenbudget.pricing.catalog import listings
    from pytest_tokenbudget.pricing.genai import data_source
    from pytest_tokenbudget.pricing.snapshot import only, price_list

    if side is None or isinstance(side, datetime):
        day = side or at
        side = price_list(listings(day, provider=provider), day, data_source())
    return only(side, name=model, provider=provider)


@command.command("export", short_help="Write the installed list into a file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_date
@_config
def export(file: Path, *, as_of: datetime | None, config: Path | None) -> None:
    """Write every listed price into FILE, to compare it later.

    After an upgrade of genai-prices, `tokenbudget prices diff FILE .` shows what it changed.
    """
    from pytest_tokenbudget.errors import PriceError
    from pytest_tokenbudget.pricing.catalog import listings
    from pytest_tokenbudget.pricing.genai import data_source
    from pytest_tokenbudget.pricing.snapshot import snapshot_json
    from pytest_tokenbudget.report.prices_view import summary

    at, at_source = _instant(_settings(config), as_of)
    found = listings(at)
    try:
        file.write_bytes(snapshot_json(found, at, at_source, data_source()))
    except OSError as error:
        message = f"{file}: the price list cannot be written: {error.strerror or error}."
        raise PriceError(message) from error
    click.echo(f"{file}: {summary(len(found), at, at_source, data_source())}")


def _settings(config: Path | None) -> "Settings":
    from pytest_tokenbudget.config.load import load_settings

    return load_settings(Path.cwd(), config=config)


def _instant(settings: "Settings", as_of: datetime | None) -> tuple[datetime, str]:
    from pytest_tokenbudget.pricing import DEFAULT_AS_OF

    if as_of is not None:
        return as_of, "--as-of"
    return settings.as_of or DEFAULT_AS_OF, settings.as_of_source
