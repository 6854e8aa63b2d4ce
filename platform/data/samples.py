"""Any dataset file: JSONL or Parquet, of VECBench, VEC-CoT (ms-swift) or verl rows, told apart row by row."""

from collections.abc import Iterator
from dataclasses import replace

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.embedded import with_unpacked_images
from emocal_rl.platform.data.rows import Row, read_rows, refuse_repeated_id
from emocal_rl.platform.data.vec_cot import example_of_vec_cot_row
from emocal_rl.platform.data.vecbench import example_of_vecbench_row
from emocal_rl.platform.data.verl import sample_of_verl_row
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.errors import DataError

Example = Sample | DemonstrationSample
"""What a row holds: a sample, with the response to imitate where it has one."""
_SIGNS = ("conversations", "messages", "query", "prompt")
"""The keys by which formats are told apart."""


def read_samples(url: str, image_root: str | None = None) -> Iterator[Sample]:
    """Yield the samples of a file; responses are checked and left out.

    Embedded images are unpacked into the cache: a corpus of them can be held.

    Args:
        url: path or fsspec URL.
        image_root: folder or URL that relative image references are resolved against; None is the file's own folder.

    Raises:
        DataError: naming the first malformed row's file, line and key.
    """
    return (with_unpacked_images(sample_of(example)) for example in read_examples(url, image_root))


def read_questions(url: str, image_root: str | None = None) -> Iterator[Sample]:
    """Yield the samples of a file that answers are judged by: each has candidates, or a task whose labels are known.

    Raises:
        DataError: as `read_samples`, and naming the first row that has neither.
    """
    for sample in read_samples(url, image_root):
        try:
            taxonomy_of_question(sample.task, sample.candidates)
        except DataError as error:
            rule = "lists no candidates and is of no known task: no answer to it can be judged"
            fix = "Give the row its candidates (a list in the question will do), or its task."
            raise Row(url, sample.line, {}, None).error("candidates", None, rule, fix, "candidates") from error
        yield sample


def read_demonstration_samples(url: str, image_root: str | None = None) -> Iterator[DemonstrationSample]:
    """Yield the demonstrations of a file, every row of which must have a response; the rest as `read_samples`."""
    for example in read_examples(url, image_root):
        if isinstance(example, Sample):
            row = Row(url, example.line, {}, None)
            raise row.error("response", None, "needs a response to imitate", "Drop the row.", "response")
        yield replace(example, sample=with_unpacked_images(example.sample))


def read_examples(url: str, image_root: str | None = None) -> Iterator[Example]:
    """Yield what each row holds, embedded images as data URIs; arguments and errors as in `read_samples`."""
    seen: dict[str, int] = {}
    for row in read_rows(url, image_root):
        refuse_repeated_id(seen, row)
        yield example_of_row(row)


def sample_of(example: Example) -> Sample:
    """Return the example without its response."""
    return example if isinstance(example, Sample) else example.sample


def example_of_row(row: Row) -> Example:
    """Check one row of any format and return what it holds."""
    if len(signs := [key for key in _SIGNS if row.value.get(key) is not None]) > 1:
        rule = f"must be of one format; {' and '.join(signs)} are of different ones"
        raise row.error("keys", sorted(row.value), rule, "Remove the keys of the other format.", "format")
    if "conversations" in row.value:
        example = example_of_vecbench_row(row)
    elif "messages" in row.value or "query" in row.value:
        example = example_of_vec_cot_row(row)
    elif "prompt" in row.value and "reward_model" in row.value:
        example = sample_of_verl_row(row)
    else:
        rule = (
            "must be a VECBench row (with `conversations`), a VEC-CoT row (with `messages`, or `query` and `response`) "
            "or a verl row (with `prompt` and `reward_model`)"
        )
        raise row.error("keys", sorted(row.value), rule, "Convert the file to one of these formats.", "format")
    _refuse_half_characters(row, example)
    return example


def _refuse_half_characters(row: Row, example: Example) -> None:
    """JSON can spell what no UTF-8 file, path or hash can hold: half of a surrogate pair."""
    sample, response = sample_of(example), "" if isinstance(example, Sample) else example.response
    texts = (sample.id, sample.question, sample.label, sample.task, sample.system, response)
    try:
        "".join((*texts, *sample.images, *sample.candidates)).encode()
    except UnicodeEncodeError as error:
        rule = r"must be Unicode text: \uD800 to \uDFFF stand in pairs only"
        raise row.error("text", error.object[error.start], rule, "Correct the row.", "encoding") from error
