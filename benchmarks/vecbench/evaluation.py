"""Predictions scored under `strict` and, where the truth is known, under it."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emocal_rl.benchmarks.synthvec.expected_metrics import Metrics, expected_metrics, oracle_metrics
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.strict import ProtocolReport, score_strict
from emocal_rl.benchmarks.vecbench.tasks import group_of_task
from emocal_rl.platform.data.vecbench import Prediction, write_predictions
from emocal_rl.platform.runs.atomic import write_text

_HISTOGRAM_BINS = 20


@dataclass(frozen=True)
class Scope:
    """A set of predictions scored: as measured and, where the truth is known, under the true label probabilities.

    `oracle` has the metrics of the Bayes answer with its exact confidence on the same samples.
    """

    report: ProtocolReport
    expected: Metrics | None
    oracle: Metrics | None
    histogram: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        known = {"expected": self.expected, "oracle": self.oracle, "histogram": list(self.histogram)}
        return {**self.report.to_dict(), **known}


@dataclass(frozen=True)
class Evaluation:
    """One policy on one test set; `in_domain` where the set has out-of-domain samples as well."""

    name: str
    temperature: float
    predictions: tuple[Prediction, ...]
    overall: Scope
    in_domain: Scope | None

    @property
    def headline(self) -> Metrics:
        """In-domain accuracy, ece, brier, auc, mean_confidence: under the known truth where there is one."""
        scope = self.in_domain or self.overall
        if scope.expected is not None:
            return scope.expected
        row = scope.report.overall
        return {name: getattr(row, name) for name in ("accuracy", "ece", "brier", "auc", "mean_confidence")}

    def to_dict(self) -> dict[str, Any]:
        """What `eval/NAME.json` holds."""
        in_domain = self.in_domain.to_dict() if self.in_domain else None
        return {
            "name": self.name, "temperature": self.temperature, **self.overall.to_dict(), "in_domain": in_domain
        }  # fmt: skip

    def write(self, directory: Path) -> None:
        """Write `NAME.jsonl` (VECBench predictions) and `NAME.json` (the figures) into `directory`."""
        write_predictions(str(directory / f"{self.name}.jsonl"), self.predictions)
        write_text(directory / f"{self.name}.json", json.dumps(_without_nan(self.to_dict()), indent=1) + "\n")


def score(
    predictions: Sequence[Prediction],
    temperature: float,
    *,
    name: str,
    oracle: Oracle | None = None,
    num_bins: int = 10,
) -> Evaluation:
    """Score predictions under the `strict` protocol, and under the known truth where there is an oracle."""
    in_domain = [p for p in predictions if not (group_of_task(p.task) or "").startswith("OOD")]
    is_mixed = 0 < len(in_domain) < len(predictions)
    return Evaluation(
        name,
        temperature,
        tuple(predictions),
        _score(predictions, oracle, num_bins),
        _score(in_domain, oracle, num_bins) if is_mixed else None,
    )


def _score(predictions: Sequence[Prediction], oracle: Oracle | None, num_bins: int) -> Scope:
    stated = [judge(prediction).confidence for prediction in predictions]
    confidences = [confidence for confidence in stated if confidence is not None]
    histogram, _ = np.histogram(confidences, bins=_HISTOGRAM_BINS, range=(0.0, 1.0))
    return Scope(
        score_strict(predictions, num_bins),
        expected_metrics(predictions, oracle, num_bins=num_bins) if oracle else None,
        oracle_metrics(oracle, [p.id for p in predictions], num_bins=num_bins) if oracle else None,
        tuple(histogram.tolist()),
    )


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: write null."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
