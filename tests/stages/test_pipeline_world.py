"""The pipeline on the synthetic world: everything it reads and hands over is real but the engines."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs import manifest as manifest_file
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest
from emocal_rl.stages import label_job, launch, pipeline, pipeline_world, recording, sft
from emocal_rl.stages.demonstrations import read_demonstrations
from emocal_rl.stages.inputs import check_images, load_inputs
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


def test_every_stage_reads_what_the_one_before_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    read: dict[str, Any] = {}

    def train(job: sft.SFTJob, *_: object) -> None:
        demonstrations = list(read_demonstrations(str(job.config.data.train), job.settings, job.config.data))
        check_images([demonstration.sample for demonstration in demonstrations], job.config)
        read[job.stage] = {demonstration.response[-30:] for demonstration in demonstrations}, len(demonstrations)
        make_model(job.directory.path / "model")

    def calibrate(job: launch.Job, *_: object) -> None:
        inputs = load_inputs(job.config)
        check_images([*inputs.prompts, *inputs.test], job.config)
        read["calibration"] = len(inputs.prompts), len(inputs.test)

    monkeypatch.setattr(pipeline_world, "_base_model", lambda _, base, __: make_model(base))
    monkeypatch.setattr(sft, "run", train)
    monkeypatch.setattr(launch, "run", calibrate)
    monkeypatch.setattr(label_job, "sample_scaffold", sample_scaffold)
    monkeypatch.setattr(label_job, "sampling_engines", lambda *_: nullcontext())
    monkeypatch.setattr(recording, "write_report", lambda *_: None)
    for slow in ("git_state", "package_versions", "host_shape"):
        monkeypatch.setattr(manifest_file, slow, dict)

    sizes = {"num_pretrain": 32, "num_reasoning": 32, "num_confidence": 32, "num_calibration": 16}
    sizes |= {"num_validation": 9, "num_test": 9, "num_test_ood": 3}
    config = resolve_config("smoke", sets=[f"synthvec.{name}={size}" for name, size in sizes.items()])
    with (
        RunDirectory.create(tmp_path / "runs", "pipeline") as directory,
        Manifest(directory.manifest, seeds={}) as manifest,
    ):
        job = pipeline.PipelineJob(config, directory, "calibration", "")
        pipeline.run(job, manifest, SilentProgress(), {})

    assert read["reasoning"][1] == 32
    # every answer is right and p = 0.5, so c* = 0.5 (1 + p)
    assert read["confidence"][1] == 32
    assert {response.endswith("<confidence>0.75</confidence>") for response in read["confidence"][0]} == {True}
    assert read["calibration"] == (16, 9 + 3)
