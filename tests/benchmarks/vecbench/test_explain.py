import pytest

from emocal_rl.benchmarks.vecbench.explain import REASONS, Explanation, explain
from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.official import judge_official, judge_official_overall
from emocal_rl.platform.data.jsonl import read_jsonl
from emocal_rl.platform.data.vecbench import Answered
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES

MIKELS = TAXONOMIES["mikels8"].labels


def explained(response, *, candidates=MIKELS, label="awe", name="7", task="FI-8"):
    error = None if response is not None else "timeout"
    answered = Answered(name, tuple(candidates), label, task, "rows.jsonl", 7, response, error)
    return explain(answered, judge(answered), judge_official(answered), judge_official_overall(answered))


def reasons(response, **kwargs):
    found = explained(response, **kwargs)
    return found.reasons if found else ()


SURE = "<confidence>0.55</confidence>"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (f"<answer>awe</answer>{SURE}", ()),
        (f"<answer>joy</answer>{SURE}", ()),
        (None, ("inference_error",)),
        ("<answer>awe</answer><confidence>90%</confidence>", ("dropped_row",)),
        # its answer is in metric.log, and right there
        ("<answer>awesome</answer><confidence>90%</confidence>", ("dropped_row", "substring")),
        (f"<Answer>awe</Answer>{SURE}", ("tag_case",)),
        (f"<ANSWER>fear</ANSWER><answer>awe</answer>{SURE}", ("tag_case", "overall_parser")),
        (f"<ANSWER></ANSWER>awe{SURE}", ("whole_response",)),
        (f"<answer>awe</answer></answer>{SURE}", ("first_part",)),
        (f"<answer>\nsadness</answer> or fear{SURE}", ("whole_response",)),
        (f"<answer>awesome</answer>{SURE}", ("substring",)),
        (f"<answer>awe or fear</answer>{SURE}", ("substring",)),
        (f"awe{SURE}", ("whole_response",)),
        (f"<answer></answer> awe{SURE}", ("whole_response",)),
        (f"<answer> </answer> joy{SURE}", ()),  # neither finds an answer
        (f"<answer> </answer> awe{SURE}", ("overall_parser",)),
        (f"<answer>awe</answer><answer>fear</answer>{SURE}", ("first_part",)),
        (f"<answer>fear\n</answer>{SURE}", ()),  # both read fear, official from the whole response
        (f"<think>fear</think><answer>sadness</answer>{SURE}", ("overall_parser",)),
        (f"<answer>AWE</answer>{SURE}", ()),
        ("<answer>awe</answer>", ("no_confidence",)),
        ("<answer>awe</answer><confidence>\n0.55</confidence>", ("two_lines",)),
        ("<answer>awe</answer><confidence>85</confidence>", ("clipped", "no_bin")),
        ("<answer>awe</answer><confidence>-1</confidence>", ("clipped",)),
        ("<answer>awe</answer><confidence>nan</confidence>", ("nan",)),
        ("<answer>awe</answer><confidence>{0.85}</confidence>", ("number_format",)),
        ("<answer>awe</answer><confidence>-0</confidence>", ("number_format",)),
        ("<answer>awe</answer><confidence>inf</confidence>", ("clipped", "no_bin")),
        ("<answer>awe</answer><confidence>{-2}</confidence>", ("clipped",)),
        (
            "<answer>awe</answer><confidence>2</confidence><confidence>.9</confidence>",
            ("first_confidence", "clipped", "no_bin"),
        ),
        ("<answer>awe</answer><confidence>nan</confidence></confidence>", ("first_confidence", "nan")),
        ("<answer>awe</answer><confidence>.2</confidence><confidence>.9</confidence>", ("first_confidence",)),
        ("<answer>awe</answer><confidence>1.0</confidence>", ("no_bin",)),
        ("<answer>awe</answer><confidence>0.3</confidence>", ("lower_bin",)),
        ("<answer>awe</answer><confidence>0.6</confidence>", ("lower_bin",)),
        ("<answer>awe</answer><confidence>0.7</confidence>", ("lower_bin",)),
        ("<answer>awe</answer><confidence>0.8</confidence>", ()),
        ("<answer>awe</answer><confidence>0</confidence>", ()),
    ],
)
def test_why_a_row_is_read_differently(response, expected):
    assert reasons(response) == expected


def test_two_spellings_of_one_label():
    labels = [{"cheerfulness": "cheerfullness"}.get(label, label) for label in TAXONOMIES["webemo25"].labels]
    right = f"<answer>cheerfulness</answer>{SURE}"
    assert reasons(right, candidates=labels, label="cheerfullness") == ("spelling",)
    released = f"<answer>cheerfullness</answer>{SURE}"
    assert reasons(released, candidates=labels, label="cheerfullness") == ()
    assert reasons(released, candidates=labels, label="cheerfulness") == ("label_spelling",)


def test_a_candidate_in_another_case_than_its_label():
    assert reasons(f"<answer>Awe</answer>{SURE}", candidates=["Awe", "fear"], label="awe") == ("overall_parser",)


@pytest.mark.parametrize("task", ["ArtPhoto-8", "fi-8", "UnbaisedEmo-6"])
def test_another_spelling_of_a_task(task):
    assert reasons(f"<answer>awe</answer>{SURE}", task=task) == ("task_name",)


@pytest.mark.parametrize("task", ["Artphoto-8", "SynthFI-8", "Emo-3"])
def test_a_task_that_all_count_alike(task):
    assert reasons(f"<answer>awe</answer>{SURE}", task=task) == ()


def test_a_label_that_is_unknown():
    labels = ["joy", "unknown"]
    assert reasons(f"<answer>none</answer>{SURE}", candidates=labels, label="joy") == ("unknown_label",)
    assert reasons(f"<answer>unknown</answer>{SURE}", candidates=labels, label="unknown") == ()
    assert reasons(f"<answer>an unknown one</answer>{SURE}", candidates=labels, label="joy") == ("substring",)


def test_every_reason_has_a_meaning():
    responses = [None, f"awe{SURE}", "<answer>awe</answer><confidence>85</confidence>"]
    assert {reason for response in responses for reason in reasons(response)} < set(REASONS)


def test_a_disagreement_shows_the_readings():
    found = explained("<answer>awesome</answer><confidence>{1.0}</confidence>")
    assert (found.source, found.line, found.label) == ("rows.jsonl", 7, "awe")
    assert (found.strict.answer, found.strict.correct, found.strict.confidence_problem) == (None, False, "not_a_number")
    assert (found.official.answer, found.official.correct, found.official.confidence) == ("awe", True, 1.0)
    assert found.reasons == ("substring", "number_format", "no_bin")


def test_examples_are_bounded_and_the_file_has_all(tmp_path):
    url = str(tmp_path / "deep" / "disagreements.jsonl")
    explanation = Explanation()
    found = [explained("<answer>awe</answer>", name=str(number)) for number in range(50)]
    found.append(explained("<answer>awe</answer><confidence>nan</confidence>", name="nan"))
    with explanation.writing(url) as add:
        add(found[:20])
        add(found[20:])
    assert [row.id for row in explanation.examples] == ["0", "1", "nan"]
    shown = explanation.to_dict()
    assert shown["num_rows"] == 51
    assert {name: reason["count"] for name, reason in shown["reasons"].items()} == {"no_confidence": 50, "nan": 1}
    written = [row for _, row in read_jsonl(url)]
    assert [row["id"] for row in written] == [*map(str, range(50)), "nan"]
    assert written[-1]["official"]["confidence"] is None
