import pytest

from emocal_rl.benchmarks.vecbench.scoring import PROTOCOLS, score_files
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.progress import SilentProgress


@pytest.fixture
def files(tmp_path):
    """FI-2 in two shards: right at .9, substring at 1.0, a percent, a failed inference."""
    asked = {"task": "FI-2", "ground_truth": "positive", "candidates": ["positive", "negative"]}
    answers = [("positive", "0.9"), ("not positive", "1.0"), ("positive", "80%")]
    rows = [
        {**asked, "response": f"<answer>{answer}</answer><confidence>{stated}</confidence>"}
        for answer, stated in answers
    ]
    urls = [str(tmp_path / "0.jsonl"), str(tmp_path / "1.jsonl.gz")]
    write_jsonl(urls[0], rows[:2])
    write_jsonl(urls[1], [rows[2], {"original_data": asked, "error": "timeout"}])
    return urls


def test_three_protocols_in_one_pass(files):
    found = []
    scores = score_files(files, list(PROTOCOLS), SilentProgress(), on_disagreements=found.extend)
    accuracy = {name: (report.overall.accuracy, report.overall.num_samples) for name, report in scores.reports.items()}
    assert accuracy == {"strict": (2 / 4, 4), "paper": (2 / 3, 3), "official": (2 / 2, 2)}
    ece = {name: report.groups["ID VSA"].ece for name, report in scores.reports.items()}
    assert ece == {"strict": pytest.approx(0.45), "paper": pytest.approx(0.45), "official": pytest.approx(0.05)}
    assert [(row.line, row.reasons) for row in found] == [
        (2, ("substring", "no_bin")),
        (1, ("dropped_row",)),
        (2, ("inference_error",)),
    ]
    assert scores.outcomes["strict"].failed.tolist() == [False, False, False, True]


def test_only_what_is_needed_is_read(files):
    assert list(score_files(files, ["paper"], SilentProgress()).outcomes) == ["strict"]
    assert list(score_files(files, ["official"], SilentProgress()).outcomes) == ["official", "official_overall"]


def test_bins_are_of_strict(files):
    scores = score_files(files, ["strict"], SilentProgress(), num_bins=2)
    assert [entry.count for entry in scores.reports["strict"].reliability] == [0, 2]


def test_confidences_by_token_probabilities_take_the_place_of_the_stated_one(tmp_path):
    asked = {"task": "FI-2", "ground_truth": "positive", "candidates": ["positive", "negative"]}
    right, wrong = (f"<answer>{name}</answer><confidence>0.9</confidence>" for name in ("positive", "negative"))
    rows = [
        {**asked, "response": right, "confidence_ans": 0.75, "confidence_avg": 1},
        {**asked, "response": wrong, "confidence_ans": 0.25, "confidence_avg": None},
        {**asked, "response": right, "confidence_ans": 1.5, "confidence_avg": "0.5"},
        {"original_data": asked, "error": "timeout", "confidence_ans": 0.5},
    ]
    url = str(tmp_path / "rows.jsonl")
    write_jsonl(url, rows)
    scores = {
        name: score_files([url], ["strict"], SilentProgress(), elicitation=name) for name in ("verb", "ans", "avg")
    }
    reports = {name: found.reports["strict"] for name, found in scores.items()}
    assert {report.overall.accuracy for report in reports.values()} == {2 / 4}
    assert scores["ans"].outcomes["strict"].confidence[:2].tolist() == [0.75, 0.25]
    brier = {name: report.overall.brier for name, report in reports.items()}
    assert brier == pytest.approx({"verb": (0.01 + 0.81 + 0.01) / 3, "ans": (0.0625 + 0.0625) / 2, "avg": 0.0})
    assert reports["ans"].confidence_problems == {"inference_error": 1, "missing": 1}
    assert reports["avg"].confidence_problems == {"inference_error": 1, "missing": 2}
