import pytest

from emocal_rl.benchmarks.vecbench.comparison import score_model
from emocal_rl.benchmarks.vecbench.evaluation_report import build_evaluation, of_group
from emocal_rl.benchmarks.vecbench.prediction_sets import PredictionSet
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.report.evaluation_page import Evaluation

MIKELS = TAXONOMIES["mikels8"].labels
RING = ("amusement", "anger", "fear", "disgust", "sadness", "awe", "contentment", "excitement")


def row(
    name: str, label: str, response: str | None, task: str = "FI-8", labels: tuple[str, ...] = MIKELS
) -> Prediction:
    sample = Sample(name, ("image.png",), "Which?", labels, label, task)
    return Prediction.of(sample, response=response, error=None if response else "timeout")


def said(answer: str, confidence: str = "0.85") -> str:
    return f"<answer>{answer}</answer><confidence>{confidence}</confidence>"


def evaluate(*sets: PredictionSet, num_cases: int = 100, seed: int = 0) -> Evaluation:
    models = [score_model(each, SilentProgress()) for each in sets]
    return build_evaluation(sets, models, SilentProgress(), num_cases=num_cases, load_image=lambda _: None, seed=seed)


FIRST = [
    row("a", "awe", said("fear")),
    row("b", "awe", said("awe", "0.9")),
    row("c", "fear", None),
    row("d", "fear", "?"),
]


def test_confusions_follow_the_ring_and_end_with_what_is_no_label() -> None:
    evaluation = evaluate(PredictionSet("m", [FIRST]))
    ((name, (title, (matrix,))),) = evaluation.confusions.items()
    assert (name, title) == ("confusion-mikels8", "Confusion on FI-8")
    assert matrix.labels == list(RING)
    awe, fear = RING.index("awe"), RING.index("fear")
    found = {(y, x): count for y, line in enumerate(matrix.counts) for x, count in enumerate(line) if count}
    assert found == {(awe, fear): 1, (awe, awe): 1, (fear, 8): 2}


def test_other_labels_keep_their_order() -> None:
    rows = [row("a", "calm", said("Calm"), "mine", ("wild", "calm"))]
    assert evaluate(PredictionSet("m", [rows])).confusions["confusion-labels-1"][1][0].labels == ["wild", "calm"]


def test_a_case_shows_what_every_model_and_repeat_said() -> None:
    again = [row("a", "awe", said("awe", "high"))]
    evaluation = evaluate(PredictionSet("m", [FIRST, again]), PredictionSet("n", [[row("a", "awe", said("joy"))]]))
    assert evaluation.models == ["m", "m #2", "n"]
    case = evaluation.cases[0]
    assert (case.id, case.task, case.label, case.image) == ("a", "FI-8", "awe", "")
    shown = [(p.model, p.answer, p.written, p.confidence, p.confidence_problem, p.correct) for p in case.predictions]
    assert shown == [
        (0, "fear", "fear", 0.85, None, False),
        (1, "awe", "awe", None, "not_a_number", True),
        (2, None, "joy", 0.85, None, False),
    ]
    failed = evaluation.cases[2].predictions[0]
    assert (failed.response, failed.error, failed.confidence_problem) == (None, "timeout", "inference_error")
    assert evaluation.notes == [
        "m: no valid confidence, outside ECE, Brier and AUC: missing 1, not a number 1.",
        "m: failed inferences, counted as wrong: 1.",
    ]


def test_cases_are_drawn_evenly_over_the_tasks() -> None:
    many = [row(f"a{number}", "awe", said("awe")) for number in range(50)]
    few = [row(f"b{number}", "awe", said("awe"), "EmoSet-8") for number in range(3)]
    evaluation = evaluate(PredictionSet("m", [many + few]), num_cases=10)
    drawn = [case.task for case in evaluation.cases]
    assert drawn == ["FI-8"] * 7 + ["EmoSet-8"] * 3
    again = evaluate(PredictionSet("m", [many + few]), num_cases=10)
    assert [case.id for case in again.cases] == [case.id for case in evaluation.cases]
    other = evaluate(PredictionSet("m", [many + few]), num_cases=10, seed=1)
    assert [case.id for case in other.cases] != [case.id for case in evaluation.cases]


def test_the_histograms_bars_are_students_interval_over_repeats() -> None:
    stated = [("0.5", "0.5", "0.9", "0.9"), ("0.5", "0.5", "0.9", "0.9"), ("0.5", "0.5", "0.5", "0.9")]
    repeats = [[row(name, "awe", said("awe", c)) for name, c in zip("abcd", each, strict=True)] for each in stated]
    (panel,) = evaluate(PredictionSet("m", repeats)).panels
    assert (panel.num_repeats, sum(panel.histogram), panel.histogram[10], panel.histogram[18]) == (3, 12, 7, 5)
    # shares .5, .5 and .75: mean 7/12, standard error 1/12, t(.975, 2) = 4.303
    assert panel.spread[10] == pytest.approx((7 / 12 - 4.303 / 12, 7 / 12 + 4.303 / 12), abs=1e-3)
    assert panel.spread[0] == (0.0, 0.0)
    (wide,) = evaluate(PredictionSet("m", repeats[1:])).panels
    assert wide.spread[10] == (0.0, 1.0)  # t(.975, 1) = 12.706 is wider than any share
    assert evaluate(PredictionSet("m", repeats[:1])).panels[0].spread == []


def test_risk_falls_with_coverage_where_confidence_ranks() -> None:
    rows = [
        row("a", "awe", said("awe", "0.9")),
        row("b", "awe", said("fear", "0.5")),
        row("c", "awe", "<answer>awe</answer>"),
    ]
    (curve,) = evaluate(PredictionSet("m", [rows])).curves
    assert (curve.coverage, curve.risk, curve.aurc) == ([0.5, 1.0], [0.0, 0.5], 0.25)
    assert evaluate(PredictionSet("m", [rows[2:]])).curves == []


def test_published_stages_are_beside_models_of_their_names_on_the_whole_benchmark(
    write_example_predictions, tmp_path
) -> None:
    from emocal_rl.platform.data.vecbench import read_predictions

    rows = list(read_predictions(str(write_example_predictions(tmp_path / "a.jsonl", count=2))))
    whole = evaluate(PredictionSet("cold_start", [rows]), PredictionSet("calibrated", [rows]))
    assert whole.published is not None
    assert whole.published["calibrated"]["ID VER"]["ece"] == 13.63
    assert [table.title for table in whole.tables][::5] == ["Results", "Evolvement along the three training stages"]
    assert evaluate(PredictionSet("mine", [rows])).published is None
    assert evaluate(PredictionSet("calibrated", [FIRST])).published is None


def test_one_group() -> None:
    rows = [*FIRST, row("e", "positive", said("positive"), "FI-2", ("positive", "negative"))]
    only = of_group(PredictionSet("m", [rows, FIRST]), "ID VSA")
    assert [[each.id for each in repeat] for repeat in only.repeats] == [["e"]]
    with pytest.raises(DataError, match="m: has no task of the group OOD VER"):
        of_group(only, "OOD VER")
