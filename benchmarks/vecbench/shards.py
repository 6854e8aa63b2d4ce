from collections.abc import Sequence

from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.vecbench import Prediction, read_predictions
from emocal_rl.platform.errors import DataError


def read_shards(urls: Sequence[str]) -> list[Prediction]:
    """Read one set of predictions that is spread over several files.

    A row without an `id` is named by its file and line, so rows of different files are then never the same sample.

    Raises:
        DataError: a file is given twice, a row is malformed, or two files hold the same id.
    """
    seen_files: set[Location] = set()
    seen: dict[str, Prediction] = {}
    predictions = []
    for url in urls:
        if (location := Location.parse(url)) in seen_files:
            raise DataError(url, rule="is given twice", fix="Name every file once.")
        seen_files.add(location)
        for prediction in read_predictions(url):
            predictions.append(prediction)
            if prediction.id == f"{location.stem}:{prediction.line}":
                continue
            first = seen.setdefault(prediction.id, prediction)
            if first is not prediction:
                rule = f"must be unique over all files; {first.source}:{first.line} has it too"
                fix = "Leave out the file or row that repeats it."
                raise DataError(f"{prediction.source}:{prediction.line} id", prediction.id, rule=rule, fix=fix)
    return predictions
