"""How far off an estimate is, on pairs of real requests of which both counts are known.

    python tests/benchmarks/bench_drift_accuracy.py [CORPUS]

The error is a share of the true input, median and p90, beside four simple ways to guess; then how often the truth lies
in the band, and how wide that is. Where nothing bounds an estimate (media, what a provider runs or stores by itself) it
says so instead of a band; those pairs stand apart.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from drift_pairs import Pair, pairs_of

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.tokens.counting import counter_for
from pytest_tokenbudget.tokens.estimate import estimate
from pytest_tokenbudget.tokens.sample import Sample

CORPUS: Final = Path(__file__).parents[2].parent / "shared" / "corpus"
WAYS: Final = ("ours", "no change", "chars/4", "tiktoken", "own ratio")


class Row(NamedTuple):
    """One pair: how far off each way is, and the band; `width` is `None` where nothing bounds it."""

    errors: tuple[float, ...]
    held: bool
    width: float | None


def guesses(pair: Pair) -> tuple[float, ...]:
    """The four simple ways to guess the input."""
    count = counter_for(pair.after.model).count
    old, new = (
        sum(count(part.text) for part in sample.prompt.parts if not part.opaque) for sample in (pair.before, pair.after)
    )
    characters = sum(len(part.text) for part in pair.after.prompt.parts if not part.opaque)
    recorded = pair.before.usage.total_input
    return recorded, characters / 4, new, recorded * new / max(1, old)


def measured(pair: Pair) -> Row:
    """How far off a pair's estimate is."""
    found = estimate(pair.before, pair.after.prompt, counter_for(pair.after.model), known=pair.known)
    truth = max(1, pair.after.usage.total_input)
    low, high = found.drift.low.total_input, found.drift.high and found.drift.high.total_input
    errors = tuple(abs(guess - truth) / truth for guess in (found.usage.total_input, *guesses(pair)))
    return Row(errors, low <= truth and (high is None or truth <= high), None if high is None else (high - low) / truth)


def group_of(pair: Pair, row: Row) -> str:
    """Where a pair stands in the table."""
    model = pair.after.model.lower()
    maker = next((f" {name}" for name in ("claude", "gemini", "gpt") if name in model), "")
    kind = "no bound" if row.width is None else pair.kind if pair.same_mode else "mode"
    return f"{pair.after.provider} {pair.after.api.rpartition('.')[2]}{maker}: {kind}"


def p90(values: list[float]) -> float:
    """The value that nine in ten do not exceed."""
    return sorted(values)[min(len(values) - 1, int(0.9 * len(values)))]


def accuracy(corpus: Path) -> None:
    """Print the table."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for pair in pairs_of(corpus):
        if pair.before.prompt != pair.after.prompt:
            row = measured(pair)
            groups[group_of(pair, row)].append(row)
            groups["all: no bound" if row.width is None else "all with a band"].append(row)
    print(
        f"{'median / p90 of the error, % of the true input':42} {'pairs':>5}", *(f"{way:>13}" for way in WAYS), end=""
    )
    print(f"{'in the band':>14}{'its width':>11}")
    for name, rows in sorted(groups.items(), key=lambda entry: (entry[0].startswith("all"), entry[0])):
        columns = [[100 * row.errors[place] for row in rows] for place in range(len(WAYS))]
        print(f"{name:42} {len(rows):5}", *(f"{median(column):6.1f} /{p90(column):5.1f}" for column in columns), end="")
        widths = [100 * row.width for row in rows if row.width is not None]
        held = sum(row.held for row in rows)
        print(f"{held:8}/{len(rows):<5}{median(widths):9.1f}%" if widths else f"{'none given':>14}")


def speed() -> None:
    """Print what estimates take, in time of the processor."""
    counter = counter_for("gpt-4o")
    counter.count("loads the ranks")
    took = []
    for number in range(30):
        lines = [
            f"{number}.{line} You help the customers of a shop, and you are brief and kind. " for line in range(142)
        ]
        turns = tuple(Part("user", "user", "".join(lines[start : start + 12])) for start in range(60, 132, 12))
        parts = (Part("system", "system", "".join(lines[:60])), *turns)
        edited = (Part("system", "system", parts[0].text.replace("brief", "short")), *turns)
        before = Sample(
            provider="openai",
            api="openai.chat",
            model="gpt-4o",
            prompt=Prompt(parts=parts, messages=len(parts)),
            usage=Usage(input=2600, output=100),
        )
        start = process_time()
        estimate(before, Prompt(parts=edited, messages=len(parts)), counter)
        took.append(process_time() - start)
    size = sum(len(part.text) for part in parts)
    print(f"\none drifted call of {size / 1000:.0f} KB: {1000 * median(took):.1f} ms (median of {len(took)})")
    for calls in (500, 1000, 2000):
        print(f"{calls} drifted calls of an agent that sends its whole history: {agent(calls):.2f} s")


def agent(calls: int) -> float:
    """Seconds for the calls of one agent, each of which sends all turns before it."""
    counter = counter_for("claude-sonnet-4-5")
    turns = [Part("user", "user", f"Turn {number}: the order {number} is paid. " * 10) for number in range(calls)]
    old, new = (Part("system", "system", f"{word} customers of a shop. " * 100) for word in ("Help", "Assist"))
    start = process_time()
    for step in range(1, calls + 1):
        before = Sample(
            provider="anthropic",
            api="anthropic.messages",
            model="claude-sonnet-4-5",
            prompt=Prompt(parts=(old, *turns[:step]), messages=step),
            usage=Usage(input=1000, cache_read=120 * step, output=50),
        )
        estimate(before, Prompt(parts=(new, *turns[:step]), messages=step), counter)
    return process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=CORPUS)
    accuracy(parser.parse_args().corpus)
    speed()


if __name__ == "__main__":
    main()
