"""The command without an endpoint: plans, prompts and what is wrong."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import UserError

MODELS = ["--teacher", "big", "--teacher-url", "http://localhost:9/v1", "--judge", "ckpt/judge"]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["synthesize", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def pairs(tmp_path: Path, face_image: bytes) -> Path:
    (tmp_path / "face.png").write_bytes(face_image)
    samples = [Sample(f"s{i}", (str(tmp_path / "face.png"),), "?", ("awe", "fear"), "awe", "FI-8") for i in range(3)]
    write_vecbench(str(tmp_path / "pairs.jsonl"), samples)
    return tmp_path / "pairs.jsonl"


def test_templates_are_shown_and_can_be_edited(tmp_path: Path) -> None:
    shown = invoke("--show-templates").stdout
    assert shown.startswith("{# teacher #}\nYou write training data")
    assert "{# judge #}\nYou check training data" in shown
    (tmp_path / "own.jinja").write_text("Say why: {{ label }}")
    shown = invoke("--show-templates", "--teacher-template", tmp_path / "own.jinja").stdout
    assert shown.startswith("{# teacher #}\nSay why: {{ label }}\n{# judge #}\n")


def test_a_dry_run_shows_plan_and_prompts_and_writes_nothing(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    out = tmp_path / "out" / "cot.jsonl"
    shown = invoke("--data", pairs, "--out", out, *MODELS, "--limit", 2, "--max-cost", 1.5, "--dry-run").stdout
    lines = shown.splitlines()
    assert lines[0] == f"pairs    2 from {pairs}"
    assert lines[1].startswith("teacher  big at http://localhost:9/v1, 16 requests at a time")
    assert lines[2:4] == ["judge    ckpt/judge in our rollout workers", "caps     cost 1.5, requests none"]
    assert "agreed on this emotion: awe." in shown
    assert "[analysis] ..." in shown
    assert "sk-secret" not in shown
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], r"exactly one of --data \(synthesis.data\) and --synthvec"),
        (["--data", "x.jsonl", "--synthvec", "--out", "y.jsonl"], r"exactly one of --data"),
        (["--data", "x.jsonl"], r"--out: must be given"),
        (["--data", "x.jsonl", "--out", "s3://bucket/y.jsonl"], r"--out = .*must be a local .jsonl file"),
        (["--data", "x.jsonl", "--out", "y.json"], r"--out = 'y.json': must be a local .jsonl file"),
        (["--data", "x.jsonl", "--out", "y.jsonl"], r"synthesis.teacher.model: must be set"),
        (["--data", "x.jsonl", "--out", "y.jsonl", *MODELS], r"synthesis.teacher.api_key_env = 'OPENAI_API_KEY'"),
        (["--data", "x.jsonl", "--out", "y.jsonl", "--teacher-url", "http://u:p@host/v1"], r"no user or password"),
        (["--data", "x.jsonl", "--out", "y.jsonl", "--teacher-url", "localhost:8000"], r"must start with http"),
    ],
)
def test_what_is_wrong_is_said_at_once(arguments: list[str], problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match=problem):
        invoke(*arguments)
