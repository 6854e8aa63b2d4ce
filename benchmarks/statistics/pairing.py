from collections import Counter
from collections.abc import Sequence

from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import canonical_task
from emocal_rl.platform.errors import DataError

_NUM_NAMED = 3

Pair = tuple[Prediction, Prediction]


def pair_predictions(first: Sequence[Prediction], second: Sequence[Prediction]) -> list[Pair]:
    """Match two sets of predictions on the same samples, in the order of the first.

    A sample is known by its `id`; where rows have none, by its task and the file names of its images.

    Raises:
        DataError: a sample is in one set only, or has different labels; the first few are named.
    """
    named = all(_has_own_id(prediction) for prediction in (*first, *second))
    keyed = [_keyed(predictions, named=named) for predictions in (first, second)]
    for ours, theirs in ((0, 1), (1, 0)):
        if alone := [prediction for key, prediction in keyed[ours].items() if key not in keyed[theirs]]:
            listed = ", ".join(_shown(prediction, named=named) for prediction in alone[:_NUM_NAMED])
            more = f" and {len(alone) - _NUM_NAMED} more" if len(alone) > _NUM_NAMED else ""
            other = (first, second)[theirs][0].source
            rule = f"{len(alone)} of its samples are not in {other}: {listed}{more}"
            raise DataError(alone[0].source, rule=rule, fix="Give two files of predictions on the same samples.")
    pairs = [(prediction, keyed[1][key]) for key, prediction in keyed[0].items()]
    for one, other in pairs:
        if one.label != other.label:
            rule = f"has another label than {other.source}:{other.line}, which has {other.label!r}"
            fix = "Give two files of predictions on the same data."
            raise DataError(f"{one.source}:{one.line} ground_truth", one.label, rule=rule, fix=fix)
    return pairs


def _has_own_id(prediction: Prediction) -> bool:
    return prediction.id != f"{Location.parse(prediction.source).stem}:{prediction.line}"


def _keyed(predictions: Sequence[Prediction], *, named: bool) -> dict[object, Prediction]:
    if named:
        return {prediction.id: prediction for prediction in predictions}
    seen: Counter[object] = Counter()
    keyed: dict[object, Prediction] = {}
    for prediction in predictions:
        key = (canonical_task(prediction.task), tuple(image.rpartition("/")[2] for image in prediction.images))
        keyed[key, seen[key]] = prediction  # a task may ask about one image twice
        seen[key] += 1
    return keyed


def _shown(prediction: Prediction, *, named: bool) -> str:
    return prediction.id if named else f"line {prediction.line} ({prediction.task}, {prediction.images[0][-80:]})"
