from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from emocal_rl.benchmarks.vecbench.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One label of one task. `recall` is the accuracy on its samples; `precision` is None where it is never answered.

    `mean_confidence` is over its samples with a valid one, None where there are none.
    """

    task: str
    label: str
    num_samples: int
    num_answers: int
    precision: float | None
    recall: float
    f1: float
    mean_confidence: float | None


def per_class(outcomes: Outcomes) -> list[ClassRow]:
    """Return a row for every label that occurs, by task and label."""
    return [row for task, part in outcomes.by_task().items() for row in _rows(task, part)]


def _rows(task: str, part: Outcomes) -> list[ClassRow]:
    known = sorted(np.unique(part.label).tolist(), key=lambda code: part.names[code])
    scores = precision_recall_fscore_support(part.label, part.answer, labels=known, average=None, zero_division=0.0)
    rows = []
    for code, precision, recall, f1, support in zip(known, *scores, strict=True):
        stated = part.confidence[part.stated & (part.label == code)]
        num_answers = int((part.answer == code).sum())
        rows.append(
            ClassRow(
                task,
                part.names[code],
                int(support),
                num_answers,
                float(precision) if num_answers else None,
                float(recall),
                float(f1),
                float(stated.mean()) if len(stated) else None,
            )
        )
    return rows
