"""A corpus with its images in the rows: what a run holds, writes down, and finds again for its report."""

from pathlib import Path

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.contracts import RewardedResponse, Sample, ScoredGroup
from emocal_rl.platform.data.embedded import data_uri
from emocal_rl.platform.data.parquet import parquet_writer
from emocal_rl.platform.data.vecbench import Prediction, read_predictions, write_predictions
from emocal_rl.platform.data.verl import verl_row, verl_schema
from emocal_rl.platform.report.browser import load_groups
from emocal_rl.platform.report.images import image_loader
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.samples import write_samples
from emocal_rl.stages.inputs import load_inputs
from emocal_rl.stages.sample_rows import sample_rows


def test_images_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face_image: bytes) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    train = str(tmp_path / "train.parquet")
    with parquet_writer(train, verl_schema(embedded=True)) as append:
        for index in range(40):
            sample = Sample(f"s{index}", (data_uri(face_image),), "Which?", ("awe", "fear"), "awe", "FI-8")
            append(verl_row(sample, split="train", index=index, embedded=True))
    sets = ["calibration.prompts_per_step=4", "calibration.num_mini_batches=1"]
    config = resolve_config(overrides={"model.path": str(tmp_path), "data.train": train}, sets=sets)
    inputs = load_inputs(config)
    (image,) = {image for sample in (*inputs.prompts, *inputs.test) for image in sample.images}
    assert Path(image).read_bytes() == face_image

    rewarded = RewardedResponse({"format": 1.0}, 1.0, True, 0.9, True, "awe")
    group = ScoredGroup("s", "FI-8", (rewarded,), (0.0,), (3,), 9, (0,), ("stop",), ("said",))
    rows = sample_rows(1, inputs.prompts[:1], [group])
    assert rows[0]["image"] == image
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    write_samples(run, 1, rows)
    (shown,) = load_groups(run, image_loader(config.data))
    assert shown.image.startswith("data:image/jpeg;base64,")

    predictions = str(tmp_path / "run" / "before.jsonl")
    write_predictions(predictions, [Prediction.of(inputs.test[0], response="said")])
    (prediction,) = read_predictions(predictions)
    assert prediction.images == (image,)
    assert Path(predictions).stat().st_size < 600
