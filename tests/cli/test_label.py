import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import REASONING_PARTS, DemonstrationSample, Sample
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.errors import UserError
from emocal_rl.stages import label_job
from emocal_rl.stages.labelling import ScaffoldResponse

PARTS = "".join(f"<{part}>x</{part}>" for part in REASONING_PARTS)


def answers(_: object, samples: Sequence[Sample], *__: object, **___: object) -> Iterator[Any]:
    """`positive` with p = 0.9, except for a last row without tags."""
    for index in range(len(samples)):
        text = f"<think>{PARTS}</think><answer>positive</answer>"
        yield index, ScaffoldResponse(text if index < len(samples) - 1 else "nothing", 0.9, "stop")


@pytest.fixture
def arguments(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    Image.new("RGB", (56, 56)).save(tmp_path / "face.png")
    labels = ["positive", "positive", "negative", "positive"]
    samples = [
        Sample(str(n), (str(tmp_path / "face.png"),), "Which?", ("positive", "negative"), label, "FI-2")
        for n, label in enumerate(labels)
    ]
    write_vec_cot(str(tmp_path / "rows.jsonl"), [DemonstrationSample(each, "-") for each in samples])
    monkeypatch.setattr(label_job, "sample_scaffold", answers)
    monkeypatch.setattr(label_job, "sampling_engines", lambda *_: nullcontext())
    files = {"--model": checkpoint, "--data": tmp_path / "rows.jsonl", "--out": tmp_path / "out.jsonl"}
    return [part for option, value in files.items() for part in (option, str(value))]


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["label", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_the_plan_comes_first_then_progress_then_the_table(arguments: list[str], tmp_path: Path) -> None:
    lines = invoke(*arguments).stdout.splitlines()
    assert lines[1].startswith("data     ")
    assert lines[1].endswith("rows.jsonl: 4 rows, 0 of them answered already")
    assert lines[2] == "tasks    FI-2 4"
    assert any(line.endswith("responses: 4/4") for line in lines)
    cells = [line.split() for line in lines]
    assert ["FI-2", "3", "2", "1", "0.667", "0.950", "0.050"] in cells  # 0.5 (1 + 0.9), and 0.5 - 0.5 * 0.9
    assert ["0.95", "2", "0", "█" * 30] in cells
    assert "labelled 3 of 4; dropped: 1 malformed" in lines
    assert lines[-3:] == [str(tmp_path / name) for name in ("out.jsonl", "out.summary.json", "out.png")]
    assert "4 of them answered already" in invoke(*arguments, "--dry-run").stdout


def test_json_alone_on_standard_output(arguments: list[str], tmp_path: Path) -> None:
    summary = json.loads(invoke(*arguments, "--json").stdout)
    assert summary == json.loads((tmp_path / "out.summary.json").read_text())
    assert (summary["kept"], summary["dropped"], summary["ring"]) == (3, {"malformed": 1}, "shipped")


def test_a_dry_run_writes_nothing(arguments: list[str], tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert "rollout" in invoke(*arguments, "--dry-run").stdout
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_missing_is_one_message(arguments: list[str]) -> None:
    for given, key in ((arguments[2:], "--model"), (arguments[:2] + arguments[4:], "--data")):
        with pytest.raises(UserError, match=f"{key}|go together"):
            CliRunner().invoke(app, ["label", *given], catch_exceptions=False)
