import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import ndcg_score

from emocal_rl.benchmarks.suites.eemo_bench import EEmoBench
from emocal_rl.benchmarks.suites.eemo_rows import EMOTIONS, options_of
from emocal_rl.benchmarks.suites.eemo_scores import assessment, description, level_score, perception, ranking
from emocal_rl.benchmarks.suites.suite import Scoring, SuiteAnswer
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.errors import DataError

SINGLE = {
    "id": 4,
    "image_url": "1.jpg",
    "emotion_dict": "{'Joy': 39, 'Neutral': 37, 'Surprise': 33}",
    "valence": 6.0,
    "arousal": 4.22,
    "dominance": 6,
    "question": "Is surprise one of them?",
    "options": "{'A': 'No.', 'B': 'Yes.'}",
    "correct_answer": "B",
    "question_type": "Yes-or-No",
    "perceptual_dimension": "Emotion perception",
}
PAIR = {
    "id": 4,
    "image1_url": "1.jpg",
    "image2_url": "2.jpg",
    "image1_label": "[Image1] Ranking:{'Joy': 39}     category:Animal     Valence:6.0",
    "question": "Which is more pleasant, and why?",
    "correct_answer": "The first, for its colours.",
    "question_type": "Open_ended",
    "describing_dimension": "Valence comparison",
}


def read(config: Config, file: str) -> tuple[Sample, ...]:
    return EEmoBench().read([file], config).samples


def test_a_row_asks_its_question_and_once_those_about_its_image(config: Config, write: Callable[..., str]) -> None:
    other = {**SINGLE, "id": 5, "question_type": "What/How", "options": {"A": "x", "B": "y", "C": "z"}}
    found = read(config, write(SINGLE, other, PAIR))
    assert [(each.id, each.task, each.label) for each in found] == [
        ("single-4", "perception|single|Yes-or-No|Emotion perception", "B"),
        ("ranking-1.jpg", "ranking", '{"joy": 39, "neutral": 37, "surprise": 33}'),
        ("valence-1.jpg", "assessment|valence", "6.0"),
        ("arousal-1.jpg", "assessment|arousal", "4.22"),
        ("dominance-1.jpg", "assessment|dominance", "6.0"),
        ("single-5", "perception|single|What/How|Emotion perception", "B"),
        ("pair-4", "description|pair|Valence comparison", "The first, for its colours."),
    ]
    assert [len(each.images) for each in found] == [1, 1, 1, 1, 1, 1, 2]
    assert options_of(found[0]) == {"A": "No.", "B": "Yes."}
    assert found[0].question.endswith("Choose one option, by its letter. A: No. B: Yes.")
    assert EEmoBench().first_words(found[2]) == ("Positive", "Neutral", "Negative")
    assert EEmoBench().first_words(found[0]) == ()


def test_what_an_image_lacks_is_not_asked(config: Config, write: Callable[..., str]) -> None:
    bare = {key: value for key, value in SINGLE.items() if key not in ("emotion_dict", "arousal", "dominance")}
    assert [each.id for each in read(config, write(bare))] == ["single-4", "valence-1.jpg"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"options": "{'A': exit()}"}, r"rows\.json:2 options = .*must be the text of a Python dict"),
        ({"options": "{'A': 'x'}"}, r"rows\.json:2 options = .*two or more capital letters"),
        ({"options": "{'A': 'x', 'b': 'y'}"}, r"rows\.json:2 options = .*two or more capital letters"),
        ({"options": "{'A': 'x', 'B': 3}"}, r"rows\.json:2 options = .*must have texts as values"),
        ({"correct_answer": "C"}, r"rows\.json:2 correct_answer = 'C': must be one of: A, B"),
        ({"question_type": "Rank"}, r"rows\.json:2 question_type = 'Rank': must be one of: Yes-or-No, What/How"),
        ({"question": 3}, r"rows\.json:2 question = 3: must be a non-empty string"),
        ({"perceptual_dimension": None}, r"rows\.json:2 perceptual_dimension: must be a non-empty string"),
        ({"image_url": "/etc/passwd"}, r"rows\.json:2 image = '/etc/passwd': must lie in the image root"),
        ({"emotion_dict": "{'Envy': 3}", "image_url": "2.jpg"}, r"rows\.json:2 emotion_dict = 'Envy': must be one of"),
        ({"emotion_dict": "{'Joy': 'x'}"}, r"rows\.json:2 emotion_dict = 'x': must be an intensity"),
        ({"emotion_dict": "{'Joy': 0}"}, r"rows\.json:2 emotion_dict = .*of some intensity"),
        ({"valence": 9.5}, r"rows\.json:2 valence = 9\.5: must be a number from 1 to 9"),
        ({"id": 4}, r"rows\.json:2 id = 'single-4': must be unique over all files; .*rows\.json:1 has it too"),
    ],
)
def test_a_malformed_row_is_named(
    config: Config, write: Callable[..., str], changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(config, write(SINGLE, {**SINGLE, "id": 5, **changed}))


def answer(task: str, label: str, response: str | None, **more: Any) -> SuiteAnswer:
    return SuiteAnswer(Sample("s", (), "Q?", ("A: No.", "B: Yes."), label, task), response, **more)


def test_perception_is_right_or_wrong_by_kind_and_dimension() -> None:
    yes_no, how = "perception|single|Yes-or-No|Emotion perception", "perception|pair|What/How|Valence perception"
    stated = "<answer>B</answer><confidence>0.75</confidence>"
    rows = perception([answer(yes_no, "B", stated), answer(yes_no, "B", "A: No."), answer(how, "A", "?")], 10)
    assert {name: (row["accuracy"], row["num_samples"]) for name, row in rows.items()} == {
        "Pair: What/How": (0.0, 1),
        "Single: Yes-or-No": (0.5, 2),
        "Pair": (0.0, 1),
        "Single": (0.5, 2),
        "Emotion perception": (0.5, 2),
        "Valence perception": (0.0, 1),
        "Overall": (pytest.approx(1 / 3), 3),
    }
    assert (rows["Overall"]["unread"], rows["Overall"]["ece"]) == (pytest.approx(1 / 3), pytest.approx(0.25))
    assert perception([], 10) == {}


TRUTH = {"joy": 39, "neutral": 37, "surprise": 33}


@pytest.mark.parametrize(
    ("named", "first", "overlap", "exact"),
    [
        (("joy", "neutral", "surprise"), 1.0, 1.0, 1.0),
        (("surprise", "neutral", "joy"), 0.0, 1.0, 0.0),
        (("joy", "anger", "fear"), 1.0, 1 / 3, 0.0),
        (("anger", "fear", "disgust", "joy"), 0.0, 0.0, 0.0),  # the fourth does not count
    ],
)
def test_ranking_is_ndcg_with_intensities_as_gains(
    named: tuple[str, ...], first: float, overlap: float, exact: float
) -> None:
    (row,) = ranking([answer("ranking", json.dumps(TRUTH), f"[{', '.join(named)}]")]).values()
    gains = np.array([[TRUTH.get(name, 0) for name in EMOTIONS]])
    scores = np.array([[10 - named.index(name) if name in named[:3] else 0 for name in EMOTIONS]])
    assert row["ndcg"] == pytest.approx(ndcg_score(gains, scores, k=3, ignore_ties=True) if overlap else 0.0)
    assert (row["first"], row["overlap"], row["exact"], row["unread"]) == (first, pytest.approx(overlap), exact, 0.0)


def test_an_unread_ranking_is_nothing() -> None:
    (row,) = ranking([answer("ranking", json.dumps(TRUTH), None)]).values()
    assert (row["ndcg"], row["overlap"], row["unread"]) == (0.0, 0.0, 1.0)


def test_a_judges_scores_are_halved_and_averaged() -> None:
    task = "description|single|Reasoning description"
    answers = [
        answer(task, "ref", "said", judge_scores=(2, 2, 1, 2, 2)),
        answer(task, "ref", "said"),  # no readable score
        answer(task, "ref", None, error="no answer"),
    ]
    rows = description(answers)
    assert list(rows) == ["Single: Reasoning description", "Single", "Overall"]
    assert rows["Overall"] == {"score": pytest.approx((0.9 + 0.0) / 2), "num_judged": 2, "num_samples": 3}
    assert description(answers[1:])["Overall"] == {"score": None, "num_judged": 0, "num_samples": 2}
    question = EEmoBench().judge_question(answers[0])
    assert question is not None
    assert all(text in question for text in ("Q?", "ref", "said", "Score: N"))
    assert EEmoBench().judge_question(answers[2]) is None
    assert EEmoBench().judge_question(answer("ranking", "{}", "joy")) is None


def level(truth: float, high: float | None, task: str = "assessment|arousal") -> SuiteAnswer:
    words = None if high is None else {"High": high, "Medium": 0.2, "Low": 0.8 - high}
    return answer(task, str(truth), "High", first_words=words)


def test_assessment_correlates_expected_levels_with_peoples_scores() -> None:
    truth, high = [2.0, 4.0, 5.0, 8.0], [0.1, 0.3, 0.2, 0.7]
    assert level_score(level(5, 0.3)) == pytest.approx(0.3 + 0.2 / 2)
    rows = assessment([level(*pair) for pair in zip(truth, high, strict=True)] + [level(9, None)])
    assert rows["Arousal"]["plcc"] == pytest.approx(np.corrcoef(truth, high)[0, 1])
    ranks = np.corrcoef(rankdata(truth), rankdata(high))[0, 1]
    assert rows["Arousal"]["srcc"] == pytest.approx(ranks)
    assert (rows["Arousal"]["num_read"], rows["Arousal"]["num_samples"]) == (4, 5)
    assert "Overall" not in rows
    assert assessment([level(5, 0.3), level(6, 0.3)])["Arousal"]["plcc"] is None


def test_the_overall_assessment_is_the_mean_of_the_dimensions() -> None:
    answers = [level(2, 0.1), level(4, 0.3), level(9, 0.2)]
    for task in ("assessment|valence", "assessment|dominance"):
        words = ("Positive", "Neutral", "Negative") if task.endswith("valence") else ("High", "Medium", "Low")
        for truth, up in ((1, 0.1), (5, 0.5)):
            shares = dict(zip(words, (up, 0.0, 1 - up), strict=True))
            answers.append(answer(task, str(truth), "x", first_words=shares))
    rows = assessment(answers)
    assert rows["Valence"]["srcc"] == pytest.approx(1.0)
    assert rows["Overall"]["srcc"] == pytest.approx((1 + 1 + rows["Arousal"]["srcc"]) / 3)
    assert rows["Overall"]["num_samples"] == 7


def test_a_dimension_without_probabilities_says_why() -> None:
    valence = "assessment|valence"
    answers = [answer(valence, "3", "Ne"), answer(valence, "4", "Ne"), answer(valence, "5", None), level(3, 0.2)]
    report = EEmoBench().report(answers, Scoring())
    assert report.tables["Assessment"]["Valence"]["num_read"] == 0
    (note,) = report.notes[1:]
    assert note.startswith("Valence: 2 of 2 answers came without probabilities of Positive, Neutral, Negative.")
    assert "begin with the same token" in note


def test_the_report_has_a_table_for_what_was_asked() -> None:
    report = EEmoBench().report([answer("ranking", json.dumps(TRUTH), None, error="x"), level(3, 0.2)], Scoring())
    assert list(report.tables) == ["Ranking", "Assessment"]
    assert (report.num_samples, report.num_errors, len(report.notes)) == (2, 1, 2)
    json.dumps(report.to_dict(), allow_nan=False)
