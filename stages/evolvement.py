"""How accuracy and calibration evolve along the stages (the paper's Table 6)."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from statistics import mean
from typing import Any

from emocal_rl.benchmarks.synthvec.expected_metrics import oracle_metrics
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.vecbench.published import TABLE_6, TABLE_6_SOURCE
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, TASK_GROUPS, group_of_task
from emocal_rl.platform.data.vecbench import read_predictions
from emocal_rl.platform.emotions.taxonomy import canonical_task


def measure_evolvement(evaluations: Path, models: Sequence[str], oracle: Oracle | None = None) -> dict[str, Any]:
    """Read `NAME.json` of every model and lay them out as Table 6 does, in percent.

    Accuracy is the mean over a group's tasks, ECE and Brier are pooled over its samples, as in the paper.

    Args:
        evaluations: folder of the evaluations' figures.
        models: names in the order of the stages.
        oracle: what is known about the test set, if it is of the synthetic world.

    Returns:
        `models`: by model and group accuracy, ece, brier; `oracle`: the same of the Bayes answers with their exact
        confidences, under the known probabilities, else None; `published`: the same of the paper, and its `source`,
        where the test set is VECBench itself (all nine tasks), else None.
    """
    reports = {name: json.loads((evaluations / f"{name}.json").read_text(encoding="utf-8")) for name in models}
    tasks = {canonical_task(task) for report in reports.values() for task in report["tasks"]}
    published = {name: {group: asdict(row) for group, row in TABLE_6[name].items()} for name in models}
    return {
        "models": {name: _by_group(report) for name, report in reports.items()},
        "oracle": _oracle_by_group(evaluations / f"{models[0]}.jsonl", oracle) if oracle else None,
        "published": {"source": TABLE_6_SOURCE, "models": published} if tasks == TASK_GROUPS.keys() else None,
    }


def _by_group(report: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    pooled, means = report["groups"], report["group_task_means"]
    return {
        group: {
            "accuracy": _percent(means[group]["accuracy"]),
            "ece": _percent(pooled[group]["ece"]),
            "brier": _percent(pooled[group]["brier"]),
        }
        for group in GROUPS
        if group in pooled
    }


def _oracle_by_group(predictions: Path, oracle: Oracle) -> dict[str, dict[str, float | None]]:
    samples = list(read_predictions(str(predictions)))
    found = {}
    for group in GROUPS:
        tasks = sorted({sample.task for sample in samples if group_of_task(sample.task) == group})
        ids = {task: [sample.id for sample in samples if sample.task == task] for task in tasks}
        if tasks:
            pooled = oracle_metrics(oracle, chain.from_iterable(ids.values()))
            means = [oracle_metrics(oracle, ids[task])["accuracy"] for task in tasks]
            accuracy = mean(value for value in means if value is not None)
            found[group] = {
                "accuracy": _percent(accuracy), "ece": _percent(pooled["ece"]), "brier": _percent(pooled["brier"])
            }  # fmt: skip
    return found


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)
