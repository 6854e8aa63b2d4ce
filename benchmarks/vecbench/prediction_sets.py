"""Predictions of several models side by side, with a name each."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import tee

from emocal_rl.benchmarks.vecbench.sample_key import SampleKey, sample_keys
from emocal_rl.platform.data.location import Location, is_url
from emocal_rl.platform.data.rows import Row, portable_reference, read_prediction_rows
from emocal_rl.platform.data.vecbench import Prediction, read_predictions, token_confidence
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.platform.progress import Progress

_NAMED = re.compile(r"([^/=:]+)=(.+)")


@dataclass(frozen=True, slots=True)
class Elicited(Prediction):
    """A prediction with what `eval run` writes beside its response: confidences by token probabilities (Table 5).

    `ans` is of the first decisive token of the answer, `avg` the mean over the response; None where there is none.
    """

    ans: float | None = None
    avg: float | None = None

    @classmethod
    def of_row(cls, prediction: Prediction, row: Row) -> "Elicited":
        """Return the prediction that was read from `row`, with the row's own confidences."""
        values = {field.name: getattr(prediction, field.name) for field in fields(Prediction)}
        ans, avg = token_confidence(row, "confidence_ans"), token_confidence(row, "confidence_avg")
        return cls(**values, ans=ans, avg=avg)


@dataclass(frozen=True, slots=True)
class PredictionSet:
    """One model's predictions. Each of `repeats` holds a sample at most once; there is at least one."""

    name: str
    repeats: Sequence[Sequence[Prediction]]


def read_prediction_sets(
    arguments: Sequence[str], progress: Progress, *, image_root: str | None = None
) -> list[PredictionSet]:
    """Read prediction files, each given as FILE or NAME=FILE.

    Files of one name are one model's: shards where their samples differ, repeats where they have the same again.
    `image_root` takes the place of the file's own folder for images that are given relative to it.

    Raises:
        UserError: two files without a name would be called the same.
        DataError: a file is given twice, cannot be read or has no rows, or a row is malformed.
    """
    files = _by_name(arguments)
    seen: set[Location] = set()
    root = Location.parse(image_root) if image_root else None
    found = []
    for name, urls in files.items():
        progress.phase(f"reading {name}")
        repeats: list[list[Prediction]] = []
        num_seen: defaultdict[SampleKey, int] = defaultdict(int)
        for url in urls:
            if (location := Location.parse(url)) in seen:
                raise DataError(url, rule="is given twice", fix="Name every file once.")
            seen.add(location)
            rows = read_prediction_rows(url)
            elicited, read = tee(map(Elicited.of_row, read_predictions(url), rows))
            for key, prediction in zip(sample_keys(read), map(partial(_with_root, root), elicited), strict=True):
                if num_seen[key] == len(repeats):
                    repeats.append([])
                repeats[num_seen[key]].append(prediction)
                num_seen[key] += 1
                progress.advance()
        found.append(PredictionSet(name, repeats))
    return found


def _with_root(root: Location | None, prediction: Prediction) -> Prediction:
    if root is None:
        return prediction
    folder = Location.parse(prediction.source).parent
    images = (portable_reference(folder, image) for image in prediction.images)
    moved = tuple(str(root.join(image)) if _is_relative(image) else image for image in images)
    return replace(prediction, images=moved)


def _is_relative(reference: str) -> bool:
    return not (reference.startswith(("/", "data:")) or is_url(reference))


def _by_name(arguments: Sequence[str]) -> dict[str, list[str]]:
    files: defaultdict[str, list[str]] = defaultdict(list)
    unnamed: dict[str, str] = {}
    for argument in arguments:
        if named := _NAMED.fullmatch(argument):
            files[named[1].strip() or "model"].append(named[2])
            continue
        name = Location.parse(argument).stem
        if name in unnamed or name in files:
            rule = f"would be called {name!r}, as another file is"
            raise UserError("FILE", argument, rule=rule, fix="Give it a name of its own: NAME=FILE.")
        unnamed[name] = argument
        files[name].append(argument)
    return dict(files)
