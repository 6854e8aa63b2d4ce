import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from emocal_rl.benchmarks.statistics.bootstrap import resample
from emocal_rl.benchmarks.statistics.interval_table import interval_table
from emocal_rl.benchmarks.statistics.weighted_metrics import METRICS, WeightedMetrics
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes
from emocal_rl.benchmarks.vecbench.strict import strict_report


def test_the_table_has_the_reports_scopes_and_its_intervals_hold_its_values(
    make_outcomes: Callable[..., Outcomes],
) -> None:
    outcomes = make_outcomes()
    report, table = strict_report(outcomes), interval_table(outcomes, num_resamples=500)
    assert table.tasks.keys() == report.tasks.keys() == {"FI-2", "FI-8", "Abstract-8"}
    assert table.groups.keys() == table.group_task_means.keys() == report.groups.keys()
    assert table.overall.keys() == set(METRICS)
    for name in METRICS:
        for intervals, row in (
            (table.overall, report.overall),
            (table.overall_task_mean, report.overall_task_mean),
            (table.tasks["FI-8"], report.tasks["FI-8"]),
        ):
            assert intervals[name].lower < getattr(row, name) < intervals[name].upper, name


def test_accuracy_is_as_scipys_stratified_bootstrap_has_it(make_outcomes: Callable[..., Outcomes]) -> None:
    outcomes = make_outcomes()
    parts = [outcomes.correct[outcomes.task == task].astype(float) for task in range(3)]

    def accuracy(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.concatenate(samples, axis=axis).mean(axis=axis)

    expected = bootstrap(parts, accuracy, n_resamples=4000, rng=0).confidence_interval
    found = interval_table(outcomes, num_resamples=4000).overall["accuracy"]
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=0.011)  # 130 samples: 1 / 130


def test_auc_is_scipys_interval_of_scikit_learns_auc(make_outcomes: Callable[..., Outcomes]) -> None:
    outcomes = make_outcomes(FI_2=40, decimals=2)
    outcomes = outcomes.where(outcomes.stated)

    def auc(rows: np.ndarray) -> float:
        return float(roc_auc_score(outcomes.correct[rows.astype(int)], outcomes.confidence[rows.astype(int)]))

    everything, at = np.ones(len(outcomes), dtype=bool), METRICS.index("auc")
    (drawn,) = resample(
        [WeightedMetrics(outcomes)], [everything], outcomes.task, num_resamples=300, rng=np.random.default_rng(0)
    )
    given = SimpleNamespace(bootstrap_distribution=drawn.replicates[at])
    data = [np.arange(len(outcomes))]
    expected = bootstrap(data, auc, n_resamples=0, bootstrap_result=given, vectorized=False).confidence_interval
    found = interval_table(outcomes, num_resamples=300).tasks["FI-2"]["auc"]
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_degenerate_samples_have_no_interval(
    make_outcomes: Callable[..., Outcomes], recwarn: pytest.WarningsRecorder
) -> None:
    outcomes = make_outcomes()
    right = interval_table(outcomes.where(outcomes.correct), num_resamples=100)
    assert [right.overall[name] for name in ("accuracy", "auc")] == [None, None]
    assert right.overall["brier"] is not None
    silent = interval_table(outcomes.where(~outcomes.stated), num_resamples=100)
    assert [silent.overall[name] for name in ("ece", "brier", "auc", "coverage")] == [None] * 4
    one = interval_table(outcomes.where(np.arange(len(outcomes)) == 0), num_resamples=100)
    assert set(one.overall.values()) == {None}
    single = outcomes.correct.copy()
    single[np.flatnonzero(~outcomes.correct & outcomes.stated)[0]] = True  # without its one wrong answer no AUC
    assert interval_table(outcomes.where(single), num_resamples=100).overall["auc"] is None
    assert not recwarn.list


def test_a_nearly_calibrated_ece_has_an_interval_that_takes_its_bias_off(
    make_outcomes: Callable[..., Outcomes],
) -> None:
    outcomes = make_outcomes(FI_2=120)
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.05, 0.95, len(outcomes))
    right = rng.random(len(outcomes)) < confidence
    answer = np.where(right, outcomes.label, -1).astype(np.int32)
    exact = replace(outcomes, confidence=confidence, answer=answer, problem=np.full(len(outcomes), -1, np.int32))
    value, interval = strict_report(exact).overall.ece, interval_table(exact, num_resamples=300).overall["ece"]
    assert interval.method == "basic"
    assert 0.0 <= interval.lower < value / 3  # the true one is 0, and nearly every resample lies above the value
    assert value < interval.upper < 2 * value
    assert interval_table(exact, num_resamples=300).overall["accuracy"].method == "bca"


def test_the_intervals_cover(make_outcomes: Callable[..., Outcomes]) -> None:
    """A 90 % interval holds the true accuracy, .6 or a chance hit, in about 54 of 60 worlds."""
    truth = 0.6 + 0.4 / 3
    tables = [interval_table(make_outcomes(seed, FI_2=100), num_resamples=200, level=0.9) for seed in range(60)]
    held = sum(table.overall["accuracy"].lower <= truth <= table.overall["accuracy"].upper for table in tables)
    assert 48 <= held <= 59


def test_the_table_is_plain_data(make_outcomes: Callable[..., Outcomes]) -> None:
    table = asdict(interval_table(make_outcomes(), num_resamples=20, seed=7))
    assert (table["num_resamples"], table["seed"], table["level"]) == (20, 7, 0.95)
    assert set(table["overall"]["accuracy"]) == {"lower", "upper", "method"}
    assert table == asdict(interval_table(make_outcomes(), num_resamples=20, seed=7))
    other = asdict(interval_table(make_outcomes(), num_resamples=20, seed=8))
    assert other["overall"]["accuracy"] != table["overall"]["accuracy"]


@pytest.mark.slow
def test_vecbench_with_2000_resamples_takes_under_10_s_and_1_gb() -> None:
    """CPU seconds, which a busy machine does not stretch, of a process of its own."""
    code = """
import resource
from pathlib import Path
import numpy as np
from emocal_rl.benchmarks.statistics.interval_table import interval_table
from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.platform.emotions.taxonomy import TASK_TAXONOMIES, taxonomy_of_task

rng = np.random.default_rng(0)
sizes = {"Abstract-8": 229, "Artphoto-8": 806}
judged = []
for task in TASK_TAXONOMIES:
    labels = taxonomy_of_task(task).labels
    for _ in range(sizes.get(task, 1000)):
        judged.append(Judgement(task, rng.choice(labels), rng.choice(labels), float(rng.random()), None))
assert len(judged) == 8035
assert interval_table(collect(judged), num_resamples=2000).overall["auc"] is not None
used = resource.getrusage(resource.RUSAGE_SELF)
status = Path("/proc/self/status").read_text()  # ru_maxrss counts the process that started this one
print(used.ru_utime + used.ru_stime, int(status.split("VmHWM:")[1].split()[0]) / 2**20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    cpu_s, peak_gb = map(float, done.stdout.split())
    assert cpu_s < 10
    assert peak_gb < 1
