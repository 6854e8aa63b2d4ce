from dataclasses import fields

import pytest

from emocal_rl.benchmarks.vecbench.comparison import ScoredModel, compare, has_tasks, score_model
from emocal_rl.benchmarks.vecbench.prediction_sets import Elicited, PredictionSet
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import UserError
from emocal_rl.platform.progress import SilentProgress

POLARITY = ("positive", "negative")
GOOD = [("FI-2", 0.9, True), ("FI-2", 0.8, False), ("WebEmo-2", 0.6, True), ("WebEmo-2", 0.7, True)]
"""Task, stated confidence, whether the answer is right."""


def predictions(rows: list[tuple[str, float | None, bool]]) -> list[Prediction]:
    found = []
    for number, (task, confidence, right) in enumerate(rows):
        sample = Sample(f"{task}-{number}", ("a.png",), "Q", POLARITY, POLARITY[number % 2], task)
        answer = POLARITY[(number + (not right)) % 2]
        stated = "" if confidence is None else f"<confidence>{confidence}</confidence>"
        found.append(Prediction.of(sample, response=f"<answer>{answer}</answer>{stated}"))
    return found


def model(name: str, *repeats: list[tuple[str, float | None, bool]], num_resamples: int = 0) -> ScoredModel:
    return score_model(PredictionSet(name, [predictions(rows) for rows in repeats]), SilentProgress(),
                       num_resamples=num_resamples)  # fmt: skip


def texts(table, label: str) -> list[str]:
    (row,) = (row for row in table.rows if row.label == label)
    return [cell.text for cell in row.cells]


def test_ours_stand_below_the_published_rows_and_are_ranked_with_them() -> None:
    table = compare(3, [model("ours", GOOD)], with_published=True)
    assert [row.label for row in table.rows][::7] == ["Qwen2.5-VL (Bai et al., 2025b)", "ours"]
    assert [column.group for column in table.columns] == ["FI-2"] * 2 + ["WebEmo-2"] * 2 + ["Average"] * 2
    # FI-2: one of two, answered positive both times: weighted F1 is half of 2/3; the average is the tasks' mean
    assert texts(table, "ours") == ["50.00", "33.33", "100.00", "100.00", "75.00", "66.67"]
    marks = {row.label: marks for row, marks in zip(table.rows, table.marks(), strict=True)}
    assert [mark and mark.value for mark in marks["ours"]] == [None, None, "best", "best", None, None]
    assert [mark and mark.value for mark in marks["EmoCaliber"]] == ["second", "second", None, "second", "best", "best"]
    assert table.notes[1] == "Published: arXiv 2512.15528, Table 3."


def test_calibration_is_pooled_over_the_group() -> None:
    table = compare(5, [model("ours", GOOD)], with_published=False)
    (row,) = table.rows
    assert (row.detail, row.section) == ("Verb", "Ours")
    # ECE: the bins of .9, .8, .6 and .7 are off by .1, .8, .4 and .3; Brier: .01, .64, .16 and .09
    assert texts(table, "ours") == ["–"] * 3 + ["40.00", "22.50", "33.33"] + ["–"] * 3
    assert texts(compare(6, [model("ours", GOOD)], with_published=True), "ours")[3:6] == ["75.00", "40.00", "22.50"]


def test_token_probabilities_have_rows_of_their_own() -> None:
    found = []
    for prediction, ans in zip(predictions(GOOD), (1.0, 0.0, 1.0, None), strict=True):
        values = {field.name: getattr(prediction, field.name) for field in fields(Prediction)}
        found.append(Elicited(**values, ans=ans))
    scored = score_model(PredictionSet("ours", [found]), SilentProgress())
    table = compare(5, [scored], with_published=False)
    assert [(row.detail, row.cells[3].text, row.cells[4].text) for row in table.rows] == [
        ("Verb", "40.00", "22.50"),
        ("Ans", "0.00", "0.00"),
    ]
    assert [row.detail for row in compare(6, [scored], with_published=False).rows] == [""]


def test_a_part_of_a_groups_tasks_is_marked_and_not_ranked() -> None:
    table = compare(3, [model("part", GOOD[2:])], with_published=True)
    assert texts(table, "part") == ["–", "–", "100.00", "100.00", "100.00†", "100.00†"]
    assert [mark and mark.value for mark in table.marks()[-1]] == [None, None, "best", "best", None, None]
    assert "† part lacks FI-2: a value over the tasks it has is not ranked." in table.notes


def test_repeats_are_averaged() -> None:
    worse = [(task, confidence, False) for task, confidence, _ in GOOD]
    table = compare(3, [model("twice", GOOD, worse)], with_published=False)
    assert texts(table, "twice")[::2] == ["25.00", "50.00", "37.50"]
    assert "Values and bounds are means over repeats (twice 2)." in table.notes


def test_intervals_hold_the_value() -> None:
    many = [("FI-2", 0.5 + (number % 40) / 100, number % 3 > 0) for number in range(60)] + GOOD[2:] * 10
    table = compare(3, [model("ours", many, num_resamples=200)], with_published=False)
    cell = table.rows[0].cells[0]
    assert cell.value == pytest.approx(100 * 40 / 60)
    assert cell.interval is not None
    assert cell.interval[0] < cell.value < cell.interval[1]
    assert 15 < cell.interval[1] - cell.interval[0] < 30  # about 4 standard errors of 6 points
    assert (
        "Intervals: 95 % BCa bootstrap over samples (basic where too biased for it), stratified by task." in table.notes
    )


def test_the_synthetic_world_stands_alone() -> None:
    synthetic = model("synthetic", [(f"Synth{task}", confidence, right) for task, confidence, right in GOOD])
    table = compare(3, [synthetic], with_published=True)
    assert [row.label for row in table.rows] == ["synthetic"]
    assert texts(table, "synthetic")[::2] == ["50.00", "100.00", "75.00"]
    assert any("nothing here compares with published numbers" in note for note in table.notes)
    with pytest.raises(UserError, match=r"synthetic.*cannot stand beside predictions on VECBench"):
        compare(3, [synthetic, model("real", GOOD)], with_published=True)


def test_which_tables_have_tasks() -> None:
    assert [number for number in (2, 3, 4, 5, 6) if has_tasks(number, [model("ours", GOOD)])] == [3, 5, 6]
