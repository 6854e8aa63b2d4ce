"""The scores of EEmo-Bench's four tasks: by row of a table its metrics, none where no question of the task was asked.

Source: README of repository workerred/EEmo-Bench for description and assessment. Of perception and ranking no scorer is
released; `EEmoBench` says which definition is used.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from math import log2

import numpy as np
from scipy.stats import pearsonr, spearmanr

from emocal_rl.benchmarks.suites.classification import judged, metrics_row
from emocal_rl.benchmarks.suites.eemo_rows import DIMENSIONS, EMOTIONS, LEVELS, options_of
from emocal_rl.benchmarks.suites.reading_answers import chosen_option, named_in_order
from emocal_rl.benchmarks.suites.suite import SuiteAnswer

Rows = dict[str, dict[str, float | None]]

_NUM_RANKED = 3
_MAX_SCORE = 2


def perception(answers: Sequence[SuiteAnswer], num_bins: int) -> Rows:
    """Accuracy and calibration by carrier and kind of question, by dimension, and overall."""
    asked = _of_task(answers, "perception")
    read = []
    for answer in asked:
        chosen = None if answer.response is None else chosen_option(answer.response, options_of(answer.sample))
        read.append(judged(answer.sample.task, answer.sample.label, chosen, answer.response))
    names = [_perception_rows(answer.sample.task) for answer in asked]
    return {
        name: metrics_row([each for each, of in zip(read, names, strict=True) if name in of], num_bins)
        for name in _in_order(names)
    }


def ranking(answers: Sequence[SuiteAnswer]) -> Rows:
    """How the three emotions named agree with the strongest three."""
    asked = _of_task(answers, "ranking")
    if not asked:
        return {}
    each = [_rank(answer.response or "", json.loads(answer.sample.label)) for answer in asked]
    means: dict[str, float | None] = {name: float(np.mean([row[name] for row in each])) for name in each[0]}
    return {"Ranking": {**means, "num_samples": len(asked)}}


def description(answers: Sequence[SuiteAnswer]) -> Rows:
    """The judge's scores by carrier and dimension; None each where nothing was judged."""
    asked = _of_task(answers, "description")
    is_judged = any(answer.judge_scores for answer in asked)
    scores = [_score(answer) if is_judged else None for answer in asked]
    names = []
    for answer in asked:
        _, carrier, dimension = answer.sample.task.split("|")
        names.append((f"{carrier.capitalize()}: {dimension}", carrier.capitalize(), "Overall"))
    rows: Rows = {}
    for name in _in_order(names):
        of_row = [score for score, of in zip(scores, names, strict=True) if name in of]
        known = [score for score in of_row if score is not None]
        rows[name] = {
            "score": float(np.mean(known)) if known else None, "num_judged": len(known), "num_samples": len(of_row)
        }  # fmt: skip
    return rows


def assessment(answers: Sequence[SuiteAnswer]) -> Rows:
    """Correlations (Spearman, Pearson) with people's scores by dimension, and their mean."""
    rows: Rows = {}
    for dimension in DIMENSIONS:
        task = f"assessment|{dimension}"
        if asked := _of_task(answers, task):
            pairs = [
                (score, float(answer.sample.label)) for answer in asked if (score := level_score(answer)) is not None
            ]
            rows[dimension.capitalize()] = {**_correlations(pairs), "num_read": len(pairs), "num_samples": len(asked)}
    if len(rows) == len(DIMENSIONS):
        means = {key: _mean([row[key] for row in rows.values()]) for key in ("srcc", "plcc")}
        counts = {key: sum(row[key] or 0 for row in rows.values()) for key in ("num_read", "num_samples")}
        rows["Overall"] = {**means, **counts}
    return rows


def level_score(answer: SuiteAnswer) -> float | None:
    """Return the expected level in [0, 1] under the probabilities of the level words; None where they are not known."""
    if answer.first_words is None:
        return None
    return sum(weight * answer.first_words[word] for word, weight in LEVELS[answer.sample.task].items())


def unread_levels(answers: Sequence[SuiteAnswer]) -> list[str]:
    """Say of each dimension how many answers came without the probabilities of its level words, and why that may be."""
    found = []
    for dimension in DIMENSIONS:
        asked = [answer for answer in _of_task(answers, f"assessment|{dimension}") if answer.response is not None]
        if num_unread := sum(answer.first_words is None for answer in asked):
            words = ", ".join(LEVELS[f"assessment|{dimension}"])
            found.append(
                f"{dimension.capitalize()}: {num_unread} of {len(asked)} answers came without probabilities of "
                f"{words}. In the model's tokenizer two of them begin with the same token, so that the first one does "
                "not tell them apart; or the endpoint did not send their tokens."
            )
    return found


def _of_task(answers: Sequence[SuiteAnswer], task: str) -> list[SuiteAnswer]:
    return [answer for answer in answers if answer.sample.task == task or answer.sample.task.startswith(f"{task}|")]


def _perception_rows(task: str) -> tuple[str, ...]:
    _, carrier, kind, dimension = task.split("|")
    name = carrier.capitalize()
    return f"{name}: {kind}", name, dimension, "Overall"


def _in_order(names: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows' names, all first ones by name, then all second ones and so on."""
    return list(chain.from_iterable(sorted(set(column)) for column in zip(*names, strict=True)))


def _rank(response: str, intensities: Mapping[str, float]) -> dict[str, float]:
    named = named_in_order(response, EMOTIONS)[:_NUM_RANKED]
    best = sorted(intensities, key=lambda name: -intensities[name])[:_NUM_RANKED]

    def discounted(names: Sequence[str]) -> float:
        return sum(intensities.get(name, 0) / log2(place + 2) for place, name in enumerate(names))

    return {
        "ndcg": discounted(named) / discounted(best),
        "first": float(named[:1] == tuple(best[:1])),
        "overlap": len(set(named) & set(best)) / len(best),
        "exact": float(named == tuple(best)),
        "unread": float(not named),
    }


def _score(answer: SuiteAnswer) -> float | None:
    if answer.response is None:
        return 0.0
    return float(np.mean(answer.judge_scores)) / _MAX_SCORE if answer.judge_scores else None


def _correlations(pairs: Sequence[tuple[float, float]]) -> dict[str, float | None]:
    scores, truth = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    if len(scores) < 2 or np.ptp(scores) == 0 or np.ptp(truth) == 0:
        return {"srcc": None, "plcc": None}
    return {"srcc": float(spearmanr(scores, truth).statistic), "plcc": float(pearsonr(scores, truth).statistic)}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
