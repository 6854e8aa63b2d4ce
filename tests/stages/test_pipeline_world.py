"""The pipeline on the synthetic world: everything it reads and hands over is real but the engines."""

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.benchmarks.vecbench.tasks import group_of_task
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs import manifest as manifest_file
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.stages import evaluation, label_job, launch, pipeline, pipeline_world, recording, sft
from emocal_rl.stages.demonstrations import read_demonstrations
from emocal_rl.stages.inputs import check_images, load_inputs, synthvec_world
from emocal_rl.stages.labelling import ScaffoldResponse


def make_model(directory: Path) -> Path:
    """Files that pass for a checkpoint; nobody loads them."""
    directory.mkdir(exist_ok=True)
    for name in ("model.safetensors", "tokenizer.json", "preprocessor_config.json"):
        (directory / name).touch()
    (directory / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    return directory


def sample_scaffold(_: object, samples: Sequence[Sample], *__: object, **___: object) -> Iterator[Any]:
    thought = "".join(f"<{part}>so</{part}>" for part in REASONING_PARTS)
    for index, sample in enumerate(samples):
        yield index, ScaffoldResponse(f"<think>{thought}</think><answer>{sample.label}</answer>", 0.5, "stop")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A world of the smallest size; the engines are made up."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pipeline_world, "_base_model", lambda _, base, __: make_model(base))
    monkeypatch.setattr(label_job, "sample_scaffold", sample_scaffold)
    monkeypatch.setattr(label_job, "sampling_engines", lambda *_: nullcontext())
    monkeypatch.setattr(recording, "write_report", lambda *_: None)
    for slow in ("git_state", "package_versions", "host_shape"):
        monkeypatch.setattr(manifest_file, slow, dict)
    sizes = {"num_pretrain": 32, "num_reasoning": 32, "num_confidence": 32, "num_calibration": 16}
    sizes |= {"num_validation": 9, "num_test": 9, "num_test_ood": 3}
    return resolve_config("smoke", sets=[f"synthvec.{name}={size}" for name, size in sizes.items()])


def run(config: Config, path: Path, last_stage: Any = "calibration") -> None:
    with RunDirectory.at(path) as directory:
        known = read_manifest(directory.manifest).get("hashes", {})
        with Manifest(directory.manifest, seeds={}) as manifest:
            job = pipeline.PipelineJob(config, directory, last_stage, "")
            pipeline.run(job, manifest, SilentProgress(), known)


def test_every_stage_reads_what_the_one_before_wrote(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, Any] = {}

    def train(job: sft.SFTJob, *_: object) -> None:
        demonstrations = list(read_demonstrations(str(job.config.data.train), job.settings, job.config.data))
        check_images([demonstration.sample for demonstration in demonstrations], job.config)
        read[job.stage] = {demonstration.response[-30:] for demonstration in demonstrations}, len(demonstrations)
        make_model(job.directory.path / "model")

    def calibrate(job: launch.Job, *_: object) -> None:
        inputs = load_inputs(job.config)
        check_images([*inputs.prompts, *inputs.test], job.config)
        assert job.oracle is not None
        assert all(job.oracle.bayes_answer(sample.id)[1] > 0 for sample in inputs.test)
        read["calibration"] = len(inputs.prompts), len(inputs.test)

    monkeypatch.setattr(sft, "run", train)
    monkeypatch.setattr(launch, "run", calibrate)
    run(config, tmp_path / "run")

    assert read["reasoning"][1] == 32
    # every answer is right and p = 0.5, so c* = 0.5 (1 + p)
    assert read["confidence"][1] == 32
    assert {response.endswith("<confidence>0.75</confidence>") for response in read["confidence"][0]} == {True}
    assert read["calibration"] == (16, 9 + 3)


def test_a_kill_while_the_base_model_is_made_forgets_no_hash(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline_world, "_base_model", die)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "run")
    hashes = read_manifest(tmp_path / "run" / "manifest.json")["hashes"]
    assert set(hashes) == {f"pipeline.{stage}" for stage in ("reasoning", "confidence", "calibration", "evaluation")}
    (tmp_path / "run" / "test.jsonl").write_text("")
    with pytest.raises(RunError, match=r"pipeline.evaluation = '.*test.jsonl': has changed since the run"):
        run(config, tmp_path / "run")


def test_the_oracle_stands_in_every_evaluation(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave_model(job: sft.SFTJob | launch.Job, *_: object) -> None:
        make_model(job.directory.path / "model")

    def evaluate(
        _: object,
        samples: Sequence[Sample],
        *__: object,
        journal: object,
        **options: Any,
    ) -> evaluation.Evaluation:
        predictions = [Prediction.of(sample, response="<answer>awe</answer>") for sample in samples]
        return evaluation.score(predictions, 1.0, **options)

    monkeypatch.setattr(sft, "run", leave_model)
    monkeypatch.setattr(launch, "run", leave_model)
    monkeypatch.setattr(pipeline, "sampling_engines", lambda *_: nullcontext())
    monkeypatch.setattr(pipeline, "evaluate", evaluate)
    run(config, tmp_path / "run", "evaluation")
    test = list(read_samples(str(tmp_path / "run" / "test.jsonl"), str(tmp_path)))
    oracle = load_oracle(synthvec_world(config).directory)
    best = {sample.id: oracle.bayes_answer(sample.id)[1] for sample in test}
    for name in ("base", "scaffold", "cold_start", "calibrated"):
        written = json.loads((tmp_path / "run" / "evaluation" / "eval" / f"{name}.json").read_text())
        assert written["oracle"]["accuracy"] == pytest.approx(mean(best.values()))
    evolvement = json.loads((tmp_path / "run" / "evolvement.json").read_text())
    tasks = {task for task in (sample.task for sample in test) if group_of_task(task) == "OOD VER"}
    means = [mean(best[sample.id] for sample in test if sample.task == task) for task in tasks]
    assert evolvement["oracle"]["OOD VER"]["accuracy"] == pytest.approx(100 * mean(means), abs=0.005)
    assert {row["ece"] for row in evolvement["oracle"].values()} == {0.0}
