from collections.abc import Sequence

from emocal_rl.benchmarks.vecbench.sample_key import canonical_label, has_own_id, sample_keys
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import canonical_task
from emocal_rl.platform.errors import DataError

_NUM_NAMED = 3

Pair = tuple[Prediction, Prediction]


def pair_predictions(first: Sequence[Prediction], second: Sequence[Prediction]) -> list[Pair]:
    """Match two sets of predictions on the same samples, in the order of the first.

    A sample is known by its `id`; where any row has none, by its task, label and the file names of its images.

    Raises:
        DataError: a sample is in one set only, or has another task or label in each; the first few are named.
    """
    named = all(has_own_id(prediction) for prediction in (*first, *second))
    keyed = [dict(zip(sample_keys(side, by_id=named), side, strict=True)) for side in (first, second)]
    for side, opposite in ((0, 1), (1, 0)):
        if alone := [prediction for key, prediction in keyed[side].items() if key not in keyed[opposite]]:
            listed = ", ".join(_shown(prediction, named=named) for prediction in alone[:_NUM_NAMED])
            more = f" and {len(alone) - _NUM_NAMED} more" if len(alone) > _NUM_NAMED else ""
            file = (first, second)[opposite][0].source
            rule = f"{len(alone)} of its samples are not in {file}: {listed}{more}"
            raise DataError(alone[0].source, rule=rule, fix="Give two files of predictions on the same samples.")
    pairs = [(prediction, keyed[1][key]) for key, prediction in keyed[0].items()]
    for one, other in pairs:
        for key, (ours, theirs) in {"task": _tasks(one, other), "ground_truth": _labels(one, other)}.items():
            if ours != theirs:
                rule = f"differs from {other.source}:{other.line}, which has {theirs!r} for the same sample"
                fix = "Give two files of predictions on the same data."
                raise DataError(f"{one.source}:{one.line} {key}", ours, rule=rule, fix=fix)
    return pairs


def _tasks(*pair: Prediction) -> list[str]:
    return [canonical_task(prediction.task) for prediction in pair]


def _labels(*pair: Prediction) -> list[str]:
    return [canonical_label(prediction) for prediction in pair]


def _shown(prediction: Prediction, *, named: bool) -> str:
    return prediction.id if named else f"line {prediction.line} ({prediction.task}, {prediction.images[0][-80:]})"
