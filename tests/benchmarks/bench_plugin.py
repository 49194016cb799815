"""What a suite without model calls pays for the plugin: 1,000 trivial tests with it and without it.

    python tests/benchmarks/bench_plugin.py [--tests N] [--pairs N]

Runs pairs, one after the other in alternating order, in processes of their own, and prints the median of the ratios of
their CPU time. Measured in CPU time because a busy machine stretches the clock on the wall.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median

IGNORED = ("PYTEST", "TOKENBUDGET", "PYTHONDONTWRITEBYTECODE")
# other plugins that happen to be installed would only make the ratio look better
ALONE = [f"-pno:{plugin.name}" for plugin in entry_points(group="pytest11") if plugin.name != "tokenbudget"]
WITHOUT = ("-p", "no:tokenbudget")


def cpu_seconds(folder: Path, *options: str) -> float:
    """CPU time of one run of pytest, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ALONE, *options]
    # with bytecode, as on every run but the first, whatever this process was told
    environment = {name: value for name, value in os.environ.items() if not name.startswith(IGNORED)}
    silent = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, env=environment, stdout=silent, stderr=silent, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=25)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for module in range(10):
            tests = "".join(f"def test_{number}():\n    assert True\n\n\n" for number in range(given.tests // 10))
            (folder / f"test_{module}.py").write_text(tests)
        cpu_seconds(folder)  # compiles the modules
        cpu_seconds(folder, *WITHOUT)
        ratios, base = [], []
        for pair in range(given.pairs):
            first_with = pair % 2 == 0
            runs = [cpu_seconds(folder, *(() if with_us == first_with else WITHOUT)) for with_us in (True, False)]
            ours, theirs = runs if first_with else reversed(runs)
            ratios.append(ours / theirs)
            base.append(theirs)
    ratios.sort()
    print(f"{given.tests} trivial tests, {given.pairs} interleaved pairs, CPU time of the process")
    print(f"without the plugin: {median(base):.3f} s")
    quarter = len(ratios) // 4
    print(f"with / without: {median(ratios):.4f} (middle half {ratios[quarter]:.4f} to {ratios[-1 - quarter]:.4f})")


if __name__ == "__main__":
    main()
