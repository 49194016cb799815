"""`tokenbudget audit`: price recordings that exist already. No test is run and nothing is sent."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from pytest_tokenbudget.pricing import PriceTable
    from pytest_tokenbudget.report.audit import Audit

__all__ = ["audit_recordings", "command"]


def _as_of(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    from pytest_tokenbudget.config.kinds import INSTANT

    try:
        return None if value is None else cast("datetime", INSTANT.read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("audit", short_help="Price recordings that exist already.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", help="How to print.")
@click.option("--explain", is_flag=True, help="Name each price entry that was used, with its source and date.")
@click.option("-v", "--verbose", is_flag=True, help="List what was skipped, and the notes on calls.")
@click.option("--as-of", metavar="DATE", callback=_as_of, help="Use the prices of this date, such as 2026-11-01.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read this file in the place of tokenbudget.yml.",
)
def command(
    paths: tuple[str, ...],
    *,
    form: str,
    explain: bool,
    verbose: bool,
    as_of: datetime | None,
    config: Path | None,
) -> None:
    """Price recordings that exist already; no test is run and nothing is sent.

    A PATH is a cassette (vcrpy, pytest-recording; YAML or JSON) or a directory of cassettes. Every interaction becomes
    a call or is listed as skipped with its reason.
    """
    if form != "table" and (explain or verbose):
        option = "--explain" if explain else "--verbose"
        message = f"{option} goes with --format table; {form} holds every note and skipped item anyway."
        raise click.UsageError(message)
    table = _price_table(as_of, config)
    audit = audit_recordings(paths, table)
    if form == "table":
        from pytest_tokenbudget.cli.audit_table import new_console, print_audit

        print_audit(audit, new_console(), explain=table.explain if explain else None, verbose=verbose)
    else:
        from pytest_tokenbudget.report.audit import audit_csv, audit_json

        click.echo(audit_json(audit) if form == "json" else audit_csv(audit), nl=False)


def _price_table(as_of: datetime | None, config: Path | None) -> "PriceTable":
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.pricing import PriceTable

    return PriceTable.of(load_settings(Path.cwd(), config=config), as_of=as_of)


def audit_recordings(paths: Iterable[str | Path], table: "PriceTable") -> "Audit":
    """Read and price recordings, one interaction at a time.

    Args:
        paths: Files and directories.
        table: The prices.

    Raises:
        RecordingError: A path does not exist.
    """
    from msgspec.structs import replace

    from pytest_tokenbudget.model.call import Call, Skipped
    from pytest_tokenbudget.recordings import read_recordings
    from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN
    from pytest_tokenbudget.report.audit import Audit
    from pytest_tokenbudget.tokens import count
    from pytest_tokenbudget.wire import Background, read

    # an audit shows no prompts, and a hundred thousand of them are large
    def priced(call: Call) -> Call:
        return replace(table.charge(call), prompt=())

    background: Background[int] = Background()
    calls: list[Call] = []
    skipped: list[Skipped] = []
    for item in read_recordings(paths):
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        try:
            found = read(item, count)
        except Exception as error:  # noqa: BLE001 - a defect (ours, or of a user's format) costs one call, not the audit
            reason = f"could not be read, and {COST_UNKNOWN}: {error!r:.200}"
            found = Skipped(reason=reason, source=item.source, index=item.index)
        if isinstance(found, Skipped):
            external = table.external(item)
            if external is None:
                skipped.append(found)
            else:
                calls.append(external)
            continue
        settled = background.settle(item, found, len(calls))
        calls.append(priced(found))
        if settled is not None:
            calls[settled[0]] = priced(settled[1])
    return Audit(
        calls=tuple(calls),
        skipped=tuple(skipped),
        as_of=table.as_of,
        as_of_source=table.as_of_source,
        price_table=table.identity,
        contract=table.contract_total(calls),
    )
