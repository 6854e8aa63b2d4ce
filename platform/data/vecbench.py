"""VECBench JSONL: `conversations`, `task`, `ground_truth`, `candidates`; after inference `response` or `error`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.rows import Row, read_prediction_rows, read_rows, refuse_repeated_id, with_portable_images
from emocal_rl.platform.responses.grammar import parse_response

PLAIN_BENCHES = ("vecbench", "synthvec")
"""Whose prediction files are VECBench's own, mostly without `bench`."""


@dataclass(frozen=True, slots=True)
class Prediction(Sample):
    """A `Sample` and what came of asking about it: a `response`, or the `error` of a failed inference."""

    response: str | None = None
    error: str | None = None

    @classmethod
    def of(cls, sample: Sample, *, response: str | None = None, error: str | None = None) -> "Prediction":
        """Return the prediction made for `sample`; give one of `response` and `error`."""
        assert (response is None) != (error is None)
        values = {field.name: getattr(sample, field.name) for field in fields(Sample)}
        return cls(**values, response=response, error=error)


@dataclass(frozen=True, slots=True)
class Answered:
    """What scoring reads of a `Prediction`: neither the question nor its images, which the row need not have.

    `ans` and `avg` are the confidences by token probabilities that `eval run` writes; None where there is none.
    """

    id: str
    candidates: tuple[str, ...]
    label: str
    task: str
    source: str
    line: int
    response: str | None
    error: str | None
    ans: float | None = None
    avg: float | None = None


def read_vecbench(url: str, image_root: str | None = None) -> Iterator[Sample]:
    """Yield the samples of a VECBench file; `image_root` defaults to the file's own folder.

    Raises:
        DataError: naming the first malformed row's file, line and key.
    """
    seen: dict[str, int] = {}
    for row in read_rows(url, image_root):
        refuse_repeated_id(seen, row)
        yield sample_of_vecbench_row(row)


def write_vecbench(url: str, samples: Iterable[Sample]) -> None:
    """Write samples that `read_vecbench` reads back. Images below the file's folder are written relative to it."""
    folder = Location.parse(url).parent
    write_jsonl(url, (vecbench_row(with_portable_images(folder, sample)) for sample in samples))


def read_predictions(url: str) -> Iterator[Prediction]:
    """Yield the predictions of a VECBench file after inference. Images may lie anywhere: scoring does not open them.

    Raises:
        DataError: naming the first malformed row's file, line and key.
    """
    seen: dict[str, int] = {}
    for row in read_prediction_rows(url):
        asked, response, error = _outcome(row)
        refuse_repeated_id(seen, asked)
        yield Prediction.of(_sample_of(asked, _read_task_asked), response=response, error=error)


def answered_of_row(row: Row) -> Answered:
    """Check what scoring needs of one row after inference, and return it.

    Raises:
        DataError: naming file, line and key.
    """
    asked, response, error = _outcome(row)
    task, label, candidates = _read_task_asked(asked)
    shares = token_confidence(row, "confidence_ans"), token_confidence(row, "confidence_avg")
    return Answered(asked.id, candidates, label, task, row.url, row.line, response, error, *shares)


def token_confidence(row: Row, key: str) -> float | None:
    """Return a row's confidence by token probabilities; None where it has none, or it is no number in [0, 1]."""
    value = row.value.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return None


def _outcome(row: Row) -> tuple[Row, str | None, str | None]:
    """Return (the row as it was asked, the response, the error of a failed inference)."""
    if (bench := row.value.get("bench") or PLAIN_BENCHES[0]) not in PLAIN_BENCHES:
        fix = "Score the rows of each benchmark apart."
        raise row.error("bench", bench, "is another benchmark's row among VECBench's", fix)
    if isinstance(original := row.value.get("original_data"), dict):
        return Row(row.url, row.line, original, row.root), None, str(row.value.get("error"))
    if (error := row.value.get("error")) is not None:
        return row, None, str(error)
    response = row.value.get("response")
    if not isinstance(response, str):
        fix = "Run inference first; a failed one is {'original_data': ..., 'error': ...}."
        raise row.error("response", response, "must be the model's response as a string", fix)
    return row, response, None


def write_predictions(url: str, predictions: Iterable[Prediction]) -> None:
    """Write predictions that `read_predictions` reads back, with the extracted `confidence` (number or null)."""
    folder = Location.parse(url).parent
    write_jsonl(url, (_row_of_prediction(folder, prediction) for prediction in predictions))


def sample_of_vecbench_row(row: Row) -> Sample:
    """Check one row and return its sample.

    Raises:
        DataError: naming file, line and key.
    """
    return _sample_of(row, _read_task)


def example_of_vecbench_row(row: Row) -> Sample | DemonstrationSample:
    """Check one row and return its sample, or, where it has a `response`, the demonstration that is."""
    sample = sample_of_vecbench_row(row)
    if row.value.get("response") is None:
        return sample
    return DemonstrationSample(sample, row.text("response"))


def _sample_of(row: Row, read_task: Callable[[Row], "_Task"]) -> Sample:
    images, question, system = _read_conversations(row)
    task, label, candidates = read_task(row)
    return Sample(row.id, images, question, candidates, label, task, row.url, row.line, system)


_Task = tuple[str, str, tuple[str, ...]]
"""(task, label, candidates)."""


def _read_task(row: Row) -> _Task:
    task, label, candidates = row.text("task"), row.text("ground_truth"), row.texts("candidates")
    if not candidates:
        rule = "must list the labels to choose from"
        raise row.error("candidates", candidates, rule, "Give the row its candidates.", "candidates")
    row.check_label("ground_truth", label, task, candidates)
    return task, label, candidates


def _read_task_asked(row: Row) -> _Task:
    """As `_read_task`, but of a question of any format: it may be of no task, or of a task without candidates."""
    candidates = row.texts("candidates")
    is_of_no_task = row.value.get("task") == "" and candidates
    is_of_all_labels = row.value.get("candidates") == [] and row.value.get("task")
    if not is_of_no_task and not is_of_all_labels:
        return _read_task(row)
    task, label = "" if is_of_no_task else row.text("task"), row.text("ground_truth")
    row.check_label("ground_truth", label, task, candidates)
    return task, label, candidates


def _read_conversations(row: Row) -> tuple[tuple[str, ...], str, str]:
    """Return (images, question, system prompt)."""
    turns = row.value.get("conversations")
    roles = [turn.get("role") for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
    if not isinstance(turns, list) or len(roles) != len(turns) or roles not in (["user"], ["system", "user"]):
        rule = "must be one user turn, after a system turn at most"
        raise row.error("conversations", turns, rule, "Correct the row, or drop it.", "roles")
    misplaced, system = _read_content(row, turns[0].get("content")) if len(turns) > 1 else ((), "")
    if misplaced:
        rule = "images belong into the user turn"
        raise row.error("conversations", turns[0], rule, "Move them there, or drop the row.")
    images, question = _read_content(row, turns[-1].get("content"))
    if not images or not question:
        rule = "the user turn must have an image and a text"
        raise row.error("conversations", turns[-1], rule, "Correct the row, or drop it.")
    return images, question, system


def _read_content(row: Row, content: object) -> tuple[tuple[str, ...], str]:
    """Return (images, text) of one turn: a string, or image items followed by text items."""
    if isinstance(content, str):
        return (), content
    images: list[str] = []
    texts: list[str] = []
    for item in content if isinstance(content, list) else [content]:
        match item:
            case {"type": "image", "image": str(reference)} if reference and not texts:
                images.append(row.image("image", reference))
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case _:
                rule = (
                    "content must be {'type': 'image', 'image': PATH} items, then {'type': 'text', 'text': ...} items"
                )
                raise row.error("conversations", item, rule, "Correct the row, or drop it.")
    return tuple(images), "\n".join(texts)


def vecbench_row(example: Sample | DemonstrationSample) -> dict[str, Any]:
    """Return the row that `example_of_vecbench_row` reads back, with the image references as they are."""
    sample = example if isinstance(example, Sample) else example.sample
    content = [{"type": "image", "image": image} for image in sample.images]
    user = {"role": "user", "content": [*content, {"type": "text", "text": sample.question}]}
    system = [{"role": "system", "content": sample.system}] if sample.system else []
    row = {
        "id": sample.id,
        "conversations": [*system, user],
        "task": sample.task,
        "ground_truth": sample.label,
        "candidates": list(sample.candidates),
    }
    return row if isinstance(example, Sample) else {**row, "response": example.response}


def _row_of_prediction(folder: Location, prediction: Prediction) -> dict[str, Any]:
    row = vecbench_row(with_portable_images(folder, prediction))
    if prediction.response is None:
        return {"original_data": row, "error": prediction.error}
    return {**row, "response": prediction.response, "confidence": parse_response(prediction.response).confidence}
