import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import Prediction, write_predictions
from emocal_rl.platform.errors import DataError, UserError


def response(answer: str, confidence: str) -> str:
    return f"<answer>{answer}</answer><confidence>{confidence}</confidence>"


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Two FI-2 samples (right at .8, wrong at .6), a percent, and a failed inference on WebEmo-7."""

    def sample(name: str, task: str, candidates: tuple[str, ...], label: str) -> Sample:
        return Sample(name, (str(tmp_path / "a.png"),), "Q?", candidates, label, task)

    polarity = ("positive", "negative")
    rows = [
        Prediction.of(sample("a", "FI-2", polarity, "positive"), response=response("positive", "0.8")),
        Prediction.of(sample("b", "FI-2", polarity, "negative"), response=response("positive", "0.6")),
        Prediction.of(sample("c", "WebEmo-7", ("joy", "fear"), "joy"), response=response("joy", "85%")),
        Prediction.of(sample("d", "WebEmo-7", ("joy", "fear"), "fear"), error="timeout"),
    ]
    path = tmp_path / "predictions.jsonl"
    write_predictions(str(path), rows)
    return path


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["eval", "score", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_json_is_the_whole_output_in_full_precision(predictions: Path) -> None:
    report = json.loads(invoke(predictions, "--json"))
    assert report["protocol"] == "strict"
    assert report["overall"]["accuracy"] == 0.5
    assert report["tasks"]["FI-2"]["ece"] == pytest.approx((0.2 + 0.6) / 2, abs=1e-15)
    assert report["tasks"]["FI-2"]["brier"] == pytest.approx((0.04 + 0.36) / 2, abs=1e-15)
    assert report["tasks"]["WebEmo-7"]["ece"] is None
    assert report["confidence_problems"] == {"inference_error": 1, "percent": 1}
    assert report["num_errors"] == 1


def test_the_table_is_in_percent_with_two_decimals(predictions: Path) -> None:
    lines = invoke(predictions).splitlines()
    (fi_2,) = (line.split() for line in lines if line.split()[:1] == ["FI-2"])
    assert fi_2 == ["FI-2", "50.00", "33.33", "33.33", "40.00", "20.00", "100.00", "70.00", "100.00", "2"]
    (web_emo,) = (line.split() for line in lines if line.split()[:1] == ["WebEmo-7"])
    assert web_emo == ["WebEmo-7", "50.00", "50.00", "50.00", "–", "–", "–", "–", "0.00", "2"]
    assert [line.split()[0] for line in lines if line.startswith((" Overall", " ID"))] == ["ID", "ID", "Overall"]
    assert "No valid confidence (outside ECE, Brier, AUC): 1 (percent 1)" in lines
    assert "Failed inferences (counted as wrong): 1" in lines


def test_bins(predictions: Path) -> None:
    report = json.loads(invoke(predictions, "--bins", 2, "--json"))
    assert [entry["count"] for entry in report["reliability"]] == [0, 2]
    assert report["overall"]["ece"] == pytest.approx(0.2)


def test_out_writes_the_report_and_its_reliability_diagram(predictions: Path, tmp_path: Path) -> None:
    shown = invoke(predictions, "--json", "--out", tmp_path / "deep" / "scores")
    assert (tmp_path / "deep/scores/strict.json").read_text() == shown
    assert (tmp_path / "deep/scores/reliability.svg").read_text().startswith("<svg")


def test_official_writes_the_logs_of_the_released_evaluator(predictions: Path, tmp_path: Path) -> None:
    lines = invoke(predictions, "--protocol", "official", "--out", tmp_path / "scores").splitlines()
    (overall,) = (line.split() for line in lines if line.split()[:1] == ["Overall"])
    assert overall == ["Overall", "50.00", "33.33", "–", "–", "–", "2"]
    assert "Failed inferences (in no denominator): 1" in lines
    assert "Rows dropped because their confidence is no float: 1" in lines
    log = (tmp_path / "scores/metric.log").read_text().splitlines()
    assert log[3] == "| FI-2            |  50.00 |  33.33 | 2         |"
    log = (tmp_path / "scores/metric_conf.log").read_text().splitlines()
    assert log[5] == "| ID VSA          |  50.00 |  33.33 |    40.00 |      20.00 |     100.00 | 2         |"
    assert json.loads((tmp_path / "scores/official.json").read_text())["overall"]["num_samples"] == 2
    assert not (tmp_path / "scores/reliability.svg").exists()


def test_paper(predictions: Path) -> None:
    report = json.loads(invoke(predictions, "--protocol", "paper", "--json"))
    assert report["tasks"]["WebEmo-7"]["accuracy"] == 1.0
    assert report["overall"]["accuracy"] == 0.75  # the mean of its two groups
    assert report["left_out"] == {"inference_error": 1}


def test_explain_shows_the_protocols_side_by_side_and_every_row_that_differs(predictions: Path, tmp_path: Path) -> None:
    lines = invoke(predictions, "--explain", "--out", tmp_path / "scores").splitlines()
    rows = [line.split() for line in lines]
    assert ["Overall", "50.00", "75.00", "50.00"] in [row[:4] for row in rows]
    assert "Rows the protocols count differently: 3" in lines
    (lower_bin,) = (row for row in rows if row[-1:] == ["lower_bin"])
    assert " ".join(lower_bin) == "b FI-2 negative positive (wrong), 0.6 positive (wrong), 0.6 positive lower_bin"
    assert [row[-1] for row in rows if row[:2] == ["c", "WebEmo-7"]] == ["dropped_row"]
    written = [json.loads(line) for line in (tmp_path / "scores/disagreements.jsonl").read_text().splitlines()]
    assert [(row["id"], row["reasons"]) for row in written] == [
        ("b", ["lower_bin"]), ("c", ["dropped_row"]), ("d", ["inference_error"])
    ]  # fmt: skip


def test_explain_as_json(predictions: Path) -> None:
    report = json.loads(invoke(predictions, "--explain", "--json", "--protocol", "official"))
    assert report["protocol"] == "official"
    explanation = report["explanation"]
    assert list(explanation["reports"]) == ["strict", "paper", "official"]
    assert {name: reason["count"] for name, reason in explanation["reasons"].items()} == {
        "inference_error": 1, "dropped_row": 1, "lower_bin": 1
    }  # fmt: skip
    assert [row["id"] for row in explanation["examples"]] == ["b", "c", "d"]


def test_names_from_a_file_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    row = {"id": "[bold]\x1b[31m\ud800", "task": "[/red]\x07", "ground_truth": "awe", "candidates": ["awe", "fear"]}
    path = tmp_path / "hostile.jsonl"
    path.write_text(json.dumps({**row, "response": "awe"}) + "\n")
    shown = invoke(path, "--explain")
    assert "[/red]\ufffd" in shown
    assert "[bold]\ufffd[31m\ufffd" in shown
    assert "\x1b" not in shown


def test_intervals(predictions: Path) -> None:
    report = json.loads(invoke(predictions, "--bootstrap", 50, "--json"))
    assert (report["intervals"]["num_resamples"], report["intervals"]["level"]) == (50, 0.95)
    assert report["intervals"]["tasks"]["FI-2"].keys() >= {"accuracy", "ece", "brier", "auc"}
    assert sum(line.split()[:2] == ["95", "%"] for line in invoke(predictions, "--bootstrap", 50).splitlines()) == 8


def test_long_resampling_shows_how_far_it_is(predictions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = CliRunner().invoke(app, ["eval", "score", str(predictions), "--bootstrap", "9"], catch_exceptions=False)
    monkeypatch.setattr("emocal_rl.cli.eval._QUICK_DRAWS", 0)
    long = CliRunner().invoke(app, ["eval", "score", str(predictions), "--bootstrap", "9"], catch_exceptions=False)
    assert (quick.stderr, quick.stdout) == ("", long.stdout)
    assert "resampling: 9/9" in long.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"", "holds no rows"),
        (b"\x89PNG\r\n\x1a\n\x00", "must be UTF-8"),
        (b'{"task": "FI-2", "response": "awe"}\n', r"bad\.jsonl:1 ground_truth: must be a non-empty string"),
    ],
)
def test_hostile_files(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        invoke(path)


def test_a_malformed_row_in_the_middle(predictions: Path) -> None:
    lines = predictions.read_text().splitlines(keepends=True)
    predictions.write_text("".join([*lines[:2], lines[2].replace('"joy", "fear"', '"awe", "fear"'), *lines[3:]]))
    with pytest.raises(DataError, match=r"predictions\.jsonl:3 ground_truth = 'joy': must be one of awe, fear"):
        invoke(predictions)


def test_folders_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        invoke(tmp_path)


def test_an_unknown_protocol(predictions: Path) -> None:
    with pytest.raises(
        UserError, match=r"--protocol = 'Strict': must be one of: strict, paper, official\. Did you mean 'strict'"
    ):
        invoke(predictions, "--protocol", "Strict")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--protocol", "paper", "--bins", 15), "--bins = 15: the paper protocol has 10"),
        (("--protocol", "official", "--bootstrap", 9), "--bootstrap = 9: intervals are of strict"),
        (("--protocol", "official", "--elicitation", "ans"), "--elicitation = 'ans': the other protocols know stated"),
        (("--explain", "--elicitation", "avg"), "--elicitation = 'avg': the other protocols know stated"),
        (("--elicitation", "Verb"), "--elicitation = 'Verb': must be one of: verb, ans, avg. Did you mean 'verb'"),
    ],
)
def test_options_that_do_not_go_together(predictions: Path, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        invoke(predictions, *arguments)


def test_a_user_error_is_one_message_and_exit_code_2(
    tmp_path: Path, run_main: Callable[..., tuple[object, str, str]]
) -> None:
    message = f"error: {tmp_path}/none.jsonl: there is no such file. Check the path.\n"
    assert run_main("eval", "score", f"{tmp_path}/none.jsonl") == (2, "", message)


def test_out_is_a_file(predictions: Path) -> None:
    with pytest.raises(UserError, match=r"--out = .* cannot be written: File exists"):
        invoke(predictions, "--out", predictions)
