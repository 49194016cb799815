"""What 100 samples can and cannot decide: figures, intervals, early stopping and the verdict of a benchmark.

    from pytest_tokenbudget.policy.sampling import Sample, benchmark_of

    benchmark = benchmark_of([Sample(id="t1", cost=Decimal("0.31"), success=True), …], "0.30")
    benchmark.figures.mean, benchmark.intervals.mean, benchmark.verdict.state

All of it is pure: nothing is run, read or printed. Dollars are exact decimals, and intervals are of floats with nine
digits. Bootstrap intervals need scipy (`pip install pytest-tokenbudget[stats]`); without it they are Student's, and
say so in their `method`. One-sided by design: each bound of an interval holds with 95%, so that a decision on either
side errs with 5%.
"""

from pytest_tokenbudget.model.benchmark import BenchmarkVerdict, Ground, Rules
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling.benchmark import Benchmark, Caution, Intervals, benchmark_of
from pytest_tokenbudget.policy.sampling.early import Decision, EarlyStop, Stopping
from pytest_tokenbudget.policy.sampling.error_rates import ErrorRates, error_rates
from pytest_tokenbudget.policy.sampling.figures import INFINITE, Costly, Figures, figures_of, ideal_steps_of
from pytest_tokenbudget.policy.sampling.histogram import Bin, Histogram, histogram_of
from pytest_tokenbudget.policy.sampling.interval import Interval
from pytest_tokenbudget.policy.sampling.many import alarms
from pytest_tokenbudget.policy.sampling.outliers import outliers_of
from pytest_tokenbudget.policy.sampling.pairs import Difference, Pairs, pairs_of
from pytest_tokenbudget.policy.sampling.plan import SamplePlan, detectable_effect, plan_of, samples_needed
from pytest_tokenbudget.policy.sampling.running import Running
from pytest_tokenbudget.policy.sampling.slices import Slice, slices_of
from pytest_tokenbudget.policy.sampling.verdict import judge_benchmark

__all__ = [
    "INFINITE",
    "Benchmark",
    "BenchmarkVerdict",
    "Bin",
    "Caution",
    "Costly",
    "Decision",
    "Difference",
    "EarlyStop",
    "ErrorRates",
    "Figures",
    "Ground",
    "Histogram",
    "Interval",
    "Intervals",
    "Pairs",
    "Rules",
    "Running",
    "Sample",
    "SamplePlan",
    "Slice",
    "Stopping",
    "alarms",
    "benchmark_of",
    "detectable_effect",
    "error_rates",
    "figures_of",
    "histogram_of",
    "ideal_steps_of",
    "judge_benchmark",
    "outliers_of",
    "pairs_of",
    "plan_of",
    "samples_needed",
    "slices_of",
]
