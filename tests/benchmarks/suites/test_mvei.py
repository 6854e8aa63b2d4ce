from collections.abc import Callable
from typing import Any

import pytest
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from emocal_rl.benchmarks.suites.mvei import MVEI, said
from emocal_rl.benchmarks.suites.suite import Scoring, SuiteAnswer
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import DataError

STATEMENT = {"statement": "It evokes joy.", "label": "correct", "class": "sentiment polarity", "subclass": "none"}


def entry(**changed: Any) -> dict[str, Any]:
    return {"image_id": "a/1.jpg", "ov_emotion": ["joy"], "statement_list": [{**STATEMENT, **changed}]}


def test_every_statement_is_a_question(config: Config, write: Callable[..., str]) -> None:
    twice = {**entry(), "statement_list": [STATEMENT, {**STATEMENT, "label": "Incorrect", "class": "scene context"}]}
    found = MVEI().read([write(twice, entry())], config).samples
    assert [(each.id, each.label, each.task, each.line) for each in found] == [
        ("a/1.jpg#1", "Correct", "sentiment polarity", 1),
        ("a/1.jpg#2", "Incorrect", "scene context", 1),
        ("a/1.jpg#3", "Correct", "sentiment polarity", 2),
    ]
    assert found[0].images[0].endswith("/images/a/1.jpg")
    assert "It evokes joy." in found[0].question


def test_a_confidence_is_asked_for_where_it_is_wanted() -> None:
    sample = Sample("s", ("a",), "Q?", ("Correct", "Incorrect"), "Correct", "scene context")
    plain, with_confidence = (MVEI().ask(sample, name).question for name in ("trained", "zero-shot-confidence"))
    assert plain == "Q? Answer with one word and give no reason."
    assert with_confidence.startswith("Q? Reason step by step")
    assert "<confidence></confidence>" in with_confidence


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (entry(label="maybe"), r"rows\.json:2 label = 'maybe': must be one of: Correct, Incorrect"),
        (entry(**{"class": "mood"}), r"rows\.json:2 class = 'mood': must be one of: sentiment polarity"),
        (entry(statement=" "), r"rows\.json:2 statement = ' ': must be a non-empty string"),
        ({**entry(), "statement_list": []}, r"rows\.json:2 statement_list = \[\]: must be a list of at least one"),
        ({**entry(), "statement_list": ["x"]}, r"rows\.json:2 statement_list = 'x': must hold objects"),
        ({**entry(), "image_id": "../x.jpg"}, r"rows\.json:2 image_id = '../x.jpg': must lie in the image root"),
        ({**entry(), "image_id": None}, r"rows\.json:2 image_id: must be a non-empty string"),
    ],
)
def test_a_malformed_row_is_named(config: Config, write: Callable[..., str], row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        MVEI().read([write(entry(), row)], config)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Correct", "Correct"),
        ("incorrect.", "Incorrect"),
        ("This is not correct", "Correct"),  # as the released scorer reads it
        ("It is correct, no, incorrect", "Incorrect"),
        ("yes", None),
        ("<think>incorrect?</think><answer>Correct</answer>", "Correct"),  # only the answer decides
        (None, None),
    ],
)
def test_replies_are_read_as_the_released_scorer_does(response: str | None, answer: str | None) -> None:
    assert said(response) == answer


def answer(label: str, reply: str | None, confidence: str = "", task: str = "scene context") -> SuiteAnswer:
    stated = f"<confidence>{confidence}</confidence>" if confidence else ""
    sample = Sample("s", (), "", ("Correct", "Incorrect"), label, task)
    return SuiteAnswer(sample, None if reply is None else f"<answer>{reply}</answer>{stated}")


ANSWERS = [
    answer("Correct", "Correct", "0.9"),
    answer("Correct", "Incorrect", "0.6"),
    answer("Incorrect", "Correct", "0.8"),
    answer("Incorrect", "Incorrect", "0.7"),
    answer("Correct", "Correct"),
    answer("Correct", "who knows", "0.2", "sentiment polarity"),
    answer("Incorrect", None, task="sentiment polarity"),
]


def test_accuracy_f1_yes_rate_and_calibration() -> None:
    report = MVEI().report(ANSWERS, Scoring(10))
    rows = report.tables["MVEI"]
    assert list(rows) == ["sentiment polarity", "scene context", "Overall"]
    row = rows["Overall"]
    truth = [each.sample.label == "Correct" for each in ANSWERS]
    yes = [said(each.response) == "Correct" for each in ANSWERS]
    assert row["f1"] == pytest.approx(f1_score(truth, yes))
    assert (row["accuracy"], row["yes_rate"], row["unread"]) == (3 / 7, 3 / 7, 2 / 7)
    confidence, right = [0.9, 0.6, 0.8, 0.7, 0.2], [1, 0, 0, 1, 0]
    assert row["brier"] == pytest.approx(brier_score_loss(right, confidence))
    assert row["auc"] == pytest.approx(roc_auc_score(right, confidence))
    assert row["ece"] == pytest.approx((0.1 + 0.6 + 0.8 + 0.3 + 0.2) / 5)  # a bin each
    assert (row["coverage"], row["mean_confidence"]) == (pytest.approx(5 / 7), pytest.approx(0.64))
    assert rows["scene context"]["f1"] == pytest.approx(4 / 6)
    assert rows["sentiment polarity"]["f1"] == 0.0
    assert (report.num_samples, report.num_errors, row["num_samples"]) == (7, 1, 7)


def test_without_any_yes_there_is_no_f1() -> None:
    row = MVEI().report([answer("Incorrect", "Incorrect")], Scoring()).tables["MVEI"]["Overall"]
    assert (row["accuracy"], row["f1"], row["ece"]) == (1.0, None, None)
