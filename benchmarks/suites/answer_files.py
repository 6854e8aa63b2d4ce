"""Prediction files of suites other than VECBench: its rows, with the suite's name as `bench` and what else was found.

`first_words`: probabilities of the words that the answer may begin with. `judge_scores`: a judge's, once a round.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from emocal_rl.benchmarks.suites.suite import SuiteAnswer
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.rows import Row, read_prediction_rows
from emocal_rl.platform.data.vecbench import token_confidence
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress


def bench_of_file(url: str) -> str | None:
    """Return which suite the first row says it is of; None where it does not say."""
    bench = next(read_prediction_rows(url)).value.get("bench")
    return bench if isinstance(bench, str) else None


def read_answers(urls: Sequence[str], progress: Progress) -> list[SuiteAnswer]:
    """Read the answers of one suite, spread over several files.

    Raises:
        DataError: a file cannot be read or has no rows, a row is malformed, or an id occurs twice.
    """
    progress.phase("reading predictions")
    seen: dict[str, Row] = {}
    answers = []
    for row in chain.from_iterable(read_prediction_rows(url) for url in urls):
        answer = _answer(row)
        first = seen.setdefault(answer.sample.id, row)
        if first is not row:
            rule = f"must be unique over all files; {first.url}:{first.line} has it too"
            raise DataError(f"{row.url}:{row.line} id", answer.sample.id, rule=rule, fix="Leave out what repeats it.")
        answers.append(answer)
        progress.advance()
    return answers


def _answer(row: Row) -> SuiteAnswer:
    if isinstance(original := row.value.get("original_data"), dict):
        return SuiteAnswer(_sample(Row(row.url, row.line, original, None)), None, str(row.value.get("error")))
    response = row.value.get("response")
    if not isinstance(response, str):
        rule = "must be the model's response as a string"
        raise row.error("response", response, rule, "Run inference first: emocal-rl eval run.")
    return SuiteAnswer(
        _sample(row),
        response,
        None,
        token_confidence(row, "confidence_ans"),
        token_confidence(row, "confidence_avg"),
        _first_words(row),
        tuple(_judge_scores(row)),
    )


def _sample(row: Row) -> Sample:
    """Return what scoring needs of a sample: neither the question nor its images, which the row need not have."""
    label, task = row.text("ground_truth"), row.text("task")
    return Sample(row.id, (), "", row.texts("candidates"), label, task, row.url, row.line)


def _first_words(row: Row) -> dict[str, float] | None:
    found = row.value.get("first_words")
    if found is None:
        return None
    if not isinstance(found, dict) or not all(_is_share(value) for value in found.values()):
        rule = "must be probabilities by word"
        raise row.error("first_words", found, rule, "Leave it out where they are not known.")
    return {word: float(value) for word, value in found.items()}


def _judge_scores(row: Row) -> Iterator[int]:
    found = row.value.get("judge_scores")
    if found is not None and not isinstance(found, list):
        raise row.error("judge_scores", found, "must be a list of scores", "Leave it out where there are none.")
    for score in found or ():
        if score not in (0, 1, 2) or isinstance(score, bool):
            raise row.error("judge_scores", score, "must be 0, 1 or 2", "Leave out what is no score.")
        yield int(score)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
