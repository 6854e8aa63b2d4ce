"""What makes a sample recognisable in another file."""

from collections import Counter
from collections.abc import Iterable, Iterator

from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import canonical_task, taxonomy_of_question

SampleKey = tuple[object, ...]


def has_own_id(prediction: Prediction) -> bool:
    """Whether the row brings an `id`; one without is named by its file and line."""
    return prediction.id != f"{Location.parse(prediction.source).stem}:{prediction.line}"


def sample_keys(predictions: Iterable[Prediction], *, by_id: bool = True) -> Iterator[SampleKey]:
    """Yield what each sample of a file is known by: its own id; else its task, label and images' file names.

    Folders do not count: they differ from machine to machine. A sample without an id that looks like one before it in
    the file is another one, numbered from 0: a task may ask about one image twice.

    Args:
        predictions: of one file, in its order.
        by_id: False leaves ids aside, for files of which not all have them.
    """
    seen: Counter[SampleKey] = Counter()
    for prediction in predictions:
        key: SampleKey = (prediction.id,) if by_id and has_own_id(prediction) else _looks(prediction)
        yield (*key, seen[key])
        seen[key] += 1


def canonical_label(prediction: Prediction) -> str:
    """Return the label as its taxonomy spells it."""
    taxonomy = taxonomy_of_question(prediction.task, prediction.candidates)
    return taxonomy.resolve(prediction.label) or prediction.label


def _looks(prediction: Prediction) -> SampleKey:
    names = (image.rpartition("/")[2] for image in prediction.images)
    return (canonical_task(prediction.task), canonical_label(prediction), *names)
