import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emocal_rl.cli.main import app
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import UserError
from emocal_rl.stages.inference import job
from emocal_rl.stages.inference.answer import Answer, Receive
from emocal_rl.stages.inference.question import Question


class MadeUpModel:
    """Says `positive`, 0.75 sure in the first repeat and 0.5 sure in any other."""

    def answer(self, questions: Sequence[Question], receive: Receive) -> None:
        for question in questions:
            text = f"<answer>positive</answer><confidence>{0.5 if question.repeat else 0.75}</confidence>"
            receive(question, Answer(text, "stop", confidence_ans=0.25, confidence_avg=1.0, image_sizes=[[84, 84]]))


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The configs that models were started with."""
    started: list[Any] = []

    @contextmanager
    def answering(config: Any, *_: object) -> Iterator[MadeUpModel]:
        started.append(config)
        yield MadeUpModel()

    monkeypatch.setattr(job, "answering", answering)
    return started


@pytest.fixture
def arguments(tmp_path: Path, face_image: bytes) -> list[str]:
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.safetensors", "tokenizer.json", "preprocessor_config.json"):
        (model / name).touch()
    (model / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    (tmp_path / "face.png").write_bytes(face_image)
    labels = ("positive", "negative")
    samples = [Sample(str(n), (str(tmp_path / "face.png"),), "Which?", labels, labels[n % 2], "FI-2") for n in range(4)]
    write_vecbench(str(tmp_path / "rows.jsonl"), samples)
    files = {"--model": model, "--data": tmp_path / "rows.jsonl", "--out": tmp_path / "out"}
    return [part for option, value in files.items() for part in (option, str(value))]


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["eval", "run", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_plan_progress_scores_files_and_the_next_command(
    arguments: list[str], configs: list[Any], tmp_path: Path
) -> None:
    lines = invoke(*arguments).stdout.splitlines()
    assert lines[0].endswith("model, 1 rollout worker(s), temperature 0.7, at most 1024 tokens, seed 0")
    assert lines[1] == "bench   vecbench: 4 samples, 1 answer(s) each, prompt trained; 0 of 4 answered already"
    assert lines[2] == "tasks   FI-2 4"
    assert any(line.endswith("responses: 4/4") for line in lines)
    cells = [line.split() for line in lines]
    assert ["FI-2", "50.00", "33.33", "33.33", "25.00", "31.25", "50.00", "75.00", "100.00", "4"] in cells
    assert [
        "Ans:",
        "the",
        "answer's",
        "first",
        "decisive",
        "token",
        "50.00",
        "25.00",
        "31.25",
        "50.00",
        "25.00",
    ] in cells
    predictions = tmp_path / "out" / "predictions.jsonl"
    assert lines[-3:] == [
        str(predictions),
        str(tmp_path / "out" / "summary.json"),
        f"Next: emocal-rl eval compare out={predictions}",
    ]
    assert configs[0].evaluation.sampling.temperature == 0.7
    again = invoke(*arguments)
    assert "4 of 4 answered already" in again.stdout
    assert len(configs) == 1


def test_options_reach_the_config(arguments: list[str], configs: list[Any]) -> None:
    options = "--repeats 2 --seed 3 --temperature 0.25 --max-new-tokens 77 --workers 2 --limit 3 --prompt zero-shot"
    lines = invoke(*arguments, *options.split()).stdout.splitlines()
    (config,) = configs
    assert (config.evaluation.sampling.temperature, config.evaluation.sampling.max_new_tokens) == (0.25, 77)
    assert (config.rollout.num_workers, config.run.seed, config.evaluation.num_repeats) == (2, 3, 2)
    cells = [line.split() for line in lines]
    mean = next(row for row in cells if row[:1] == ["mean"])
    first, second = (next(row for row in cells if row[:2] == ["seed", seed]) for seed in ("3", "4"))
    assert float(mean[5]) == pytest.approx((75.0 + 50.0) / 2)
    assert (first[6], second[6]) == ("75.00", "50.00")


def test_json_alone_on_standard_output(arguments: list[str], configs: list[Any], tmp_path: Path) -> None:
    printed = json.loads(invoke(*arguments, "--json").stdout)
    assert printed == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert printed["scores"][0]["overall"]["ece"] == 0.25


def test_a_dry_run_writes_nothing(arguments: list[str], configs: list[Any], tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    invoke(*arguments, "--dry-run")
    assert (sorted(tmp_path.iterdir()), configs) == (before, [])


def test_an_endpoint_takes_the_models_name(
    arguments: list[str], configs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "secret")
    options = "--model gpt-5 --endpoint http://127.0.0.1:9/v1 --api-key-env KEY --max-requests 50 --temperature 1"
    printed = invoke(*arguments[2:], *options.split(), "--requests-per-minute", "90").stdout
    assert "gpt-5 at http://127.0.0.1:9/v1, 16 requests at a time, temperature 1, at most 1024 tokens" in printed
    assert "secret" not in printed
    endpoint = configs[0].evaluation.endpoint
    assert (endpoint.model, endpoint.max_requests, endpoint.requests_per_minute) == ("gpt-5", 50, 90.0)
    assert configs[0].model.path is None


def test_what_is_missing_is_one_message(arguments: list[str], configs: list[Any]) -> None:
    for given, message in ((arguments[2:], "--model: must be given"), (arguments[:2], "--data: must name")):
        with pytest.raises(UserError, match=message):
            CliRunner().invoke(app, ["eval", "run", *given], catch_exceptions=False)
    assert configs == []
