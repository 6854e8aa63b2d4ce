import io
import json
import math
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.errors import UserError
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.rewards import registry


@pytest.fixture(autouse=True)
def _broken_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no.such.module:f", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [broken])


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["rewards", "list", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_rules_their_parameters_and_presets_are_listed() -> None:
    shown = invoke()
    assert "loglik(clip: float = 0.001)\n    Log c if the answer is right" in shown
    assert "    worst -6.908   emocal_rl.rewards.loglik:loglik\n" in shown
    assert "brier()\n" in shown
    assert "\nofficial\n    the released code by value" in shown


def test_a_plugin_that_cannot_be_loaded_is_listed_with_the_reason() -> None:
    assert "\nbroken\n    cannot be loaded: broken = 'no.such.module:f'" in invoke()


def test_json() -> None:
    listed = json.loads(invoke("--json"))
    rules = {rule["name"]: rule for rule in listed["rewards"]}
    assert rules["loglik"]["worst"] == math.log(0.001)
    assert rules["loglik"]["parameters"] == [{"name": "clip", "type": "float", "default": 0.001}]
    assert "No module named 'no'" in rules["broken"]["problem"]
    assert [preset["name"] for preset in listed["presets"]] == [
        "paper",
        "split-credit",
        "official",
        "rlcr",
        "rewarding-doubt",
        "sayself",
    ]


def test_json_has_no_infinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    @registry.reward("unbounded", worst=-math.inf)
    def unbounded(x: registry.RewardInput) -> float:
        return 0.0

    (rule,) = (rule for rule in json.loads(invoke("--json"))["rewards"] if rule["name"] == "unbounded")
    assert rule["worst"] is None


def answered(answer: str, confidence: str) -> str:
    return render_response(dict.fromkeys(REASONING_PARTS, "x"), answer, confidence)


ROWS = [
    {"response": answered("awe", "0.85"), "ground_truth": "awe"},
    {"response": answered("fear", "0.99"), "ground_truth": "awe", "candidates": ["awe", "fear"], "id": "second"},
    {"response": answered("Awe.", "1.0"), "ground_truth": "awe", "task": "FI-8", "finish_reason": "length"},
    {"response": "", "ground_truth": "awe"},
]


def write_rows(path: Path, rows: list[object]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def scored(file: str, *arguments: str, stdin: str | None = None) -> list[dict[str, object]]:
    result = CliRunner().invoke(
        app, ["rewards", "score", file, "--json", *arguments], input=stdin, catch_exceptions=False
    )
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("preset", "totals"),
    [
        ("paper", [2 + math.log(0.85), 1 + math.log(0.01), 1 + math.log(0.999), math.log(0.001)]),
        ("split-credit", [2 - 6 * 0.15**2, 1 - 6 * 0.99**2, 1.0, -6.0]),
        ("official", [2 + 2 * math.log(0.85), 1 + 2 * math.log(0.01), -5.0, -5.0]),
        ("rlcr", [0.5 + 0.5 + 0.5 * (1 - 0.15**2), 0.5 + 0.5 * (1 - 0.99**2), 0.0, 0.0]),
        ("sayself", [1 - 2 * 0.15**2, 1 - 2 * 0.99**2, 1.0, 1.0]),
    ],
)
def test_every_preset_scores_a_file_by_value(tmp_path: Path, preset: str, totals: list[float]) -> None:
    rows = scored(write_rows(tmp_path / "rows.jsonl", ROWS), "--preset", preset)
    assert [row["total"] for row in rows] == pytest.approx(totals, rel=1e-9)
    assert [row["id"] for row in rows] == ["rows:1", "second", "rows:3", "rows:4"]
    names = ["format", "correctness", "confidence"] + (["malformed"] if preset == "official" else [])
    for row in rows:
        assert sum(row[name] for name in names) == pytest.approx(row["total"])  # type: ignore[misc]


def test_standard_input_other_rules_and_settings() -> None:
    rows = scored("-", "--reward", "brier", "--set", "reward.confidence.weight=2", stdin=json.dumps(ROWS[0]) + "\n\n")
    assert rows == [
        {
            "id": "<stdin>:1",
            "line": 1,
            "format": 1.0,
            "correctness": 1.0,
            "confidence": pytest.approx(-0.045),
            "total": pytest.approx(1.955),
            "masked": None,
            "correct": True,
            "well_formed": True,
            "answer": "awe",
            "stated_confidence": 0.85,
        }
    ]


def test_the_released_predictions_with_their_nan_are_scored(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({**ROWS[0], "confidence": math.nan}))
    (row,) = scored(str(rows))
    assert row["total"] == pytest.approx(2 + math.log(0.85))
    (row,) = scored("-", stdin=rows.read_text())
    assert row["total"] == pytest.approx(2 + math.log(0.85))


def test_a_total_that_is_not_finite_is_null_and_named(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", [{"response": answered("fear", "1"), "ground_truth": "awe"}])
    sets = ("--set", "reward.confidence.params.clip=0", "--set", "reward.confidence.invalid=-9")
    (row,) = scored(rows, *sets)
    assert (row["confidence"], row["total"], row["masked"]) == (None, None, "non-finite")


def test_a_table_for_readers(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rewards", "score", write_rows(tmp_path / "rows.jsonl", ROWS)])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    (second,) = (line.split() for line in lines if line.strip().startswith("second"))
    assert second == ["second", "fear", "no", "0.99", "1.0000", "0.0000", "-4.6052", "-3.6052"]
    (mean,) = (line.split() for line in lines if line.strip().startswith("mean"))
    assert mean[:3] == ["mean", "50%", "0.5000"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"ground_truth": "awe"}, r":2 response: must be the model's response as a string"),
        ({"response": 3, "ground_truth": "awe"}, r":2 response = 3: must be the model's response"),
        ({"response": "x"}, r":2 ground_truth: must be a non-empty string"),
        ({"response": "x", "ground_truth": "joy", "candidates": ["awe", "fear"]}, r":2 ground_truth = 'joy': must be"),
        ({"response": "x", "ground_truth": "awe", "task": "nothing"}, r":2 task = 'nothing': must be a known task"),
        ({"response": "x", "ground_truth": "awe", "finish_reason": "eos"}, r":2 finish_reason = 'eos'"),
        ([], r":2 = \[\]: must be a JSON object"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line_before_anything_is_scored(
    tmp_path: Path, row: object, message: str
) -> None:
    file = write_rows(tmp_path / "rows.jsonl", [ROWS[0], row])
    result = CliRunner().invoke(app, ["rewards", "score", file, "--json"])
    assert isinstance(result.exception, UserError)
    assert result.stdout == ""
    with pytest.raises(UserError, match=f"rows.jsonl{message}"):
        raise result.exception


def test_a_malformed_row_ends_with_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, run_main: Callable[..., tuple[object, str, str]]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}\n")))
    code, shown, errors = run_main("rewards", "score", "-")
    assert (code, shown) == (2, "")
    assert errors.startswith("error: <stdin>:1 response: must be")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rewards", "score", write_rows(tmp_path / "rows.jsonl", [])])
    assert "holds no rows" in str(result.exception)
