import json
import shutil
from pathlib import Path

import pytest

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal, read_journal
from emocal_rl.platform.runs.manifest import Manifest
from emocal_rl.platform.trackers.tracker_set import TrackerSet
from emocal_rl.stages import sft
from emocal_rl.stages.recorder import Recorder


@pytest.fixture
def config(tiny_policy: Path, face_image: bytes, tmp_path: Path) -> Config:
    (tmp_path / "face.png").write_bytes(face_image)
    user = {"role": "user", "content": "<image>Which emotion?"}
    texts = ["<answer>awe</answer>", "<answer>fear</answer>", "<answer>awe</answer>" * 40]
    rows = [
        {
            "id": f"row-{number}",
            "messages": [user, {"role": "assistant", "content": texts[2 if number == 4 else number % 2]}],
            "images": ["face.png"],
            "ground_truth": "awe",
        }
        for number in range(6)
    ]
    for name, part in (("train", rows), ("eval", rows[:2])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return Config.model_validate(
        {
            "model": {"path": str(tiny_policy)},
            "data": {"train": str(tmp_path / "train.jsonl"), "eval": str(tmp_path / "eval.jsonl")},
            "reasoning": {"batch_size": 4, "epochs": 2, "max_length": 80, "save_every": 1, "keep_last": 5},
            "learner": {"zero_stage": 0, "num_threads": 1},
            "cluster": {"learner": {"num_cpus": 0.5}, "object_store_gib": 0.1},
        }
    )


def run(config: Config, directory: RunDirectory, *, resume: bool, **known: str) -> Path:
    with Journal(directory) as journal, Manifest(directory.manifest, seeds={}) as manifest:
        recorder = Recorder(journal, TrackerSet({}, print), SilentProgress())
        job = sft.SFTJob("reasoning", config, directory, resume, known)
        return sft.run(job, manifest, recorder, SilentProgress())


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_that_lost_its_end_finishes_as_if_nothing_had_happened(config: Config, tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "runs", "reasoning")
    model = run(config, directory, resume=False)
    weights = (model / "model.safetensors").read_bytes()
    rows = list(read_journal(directory, "sft"))
    inputs = (directory.path / "inputs.jsonl").read_text()
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert sum(row["dropped"] for row in rows) == 2
    assert "eval_loss" in rows[-1]
    assert [path.name for path in directory.list_checkpoints()] == [f"step-00000{step}" for step in (1, 2, 3, 4)]

    # A kill between the third step's journal row and its checkpoint: what is left is what an exact resume needs.
    for step in (3, 4):
        shutil.rmtree(directory.checkpoints / f"step-{step:06d}")
    assert run(config, directory, resume=True) == model
    assert (model / "model.safetensors").read_bytes() == weights
    assert (directory.path / "inputs.jsonl").read_text() == inputs
    again = list(read_journal(directory, "sft"))
    assert [(row["step"], row["loss"], row.get("eval_loss")) for row in again] == [
        (row["step"], row["loss"], row.get("eval_loss")) for row in rows
    ]


def test_an_input_that_changed_since_is_refused(config: Config, tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "runs", "reasoning")
    with pytest.raises(RunError, match=r"data\.train.*has changed since the run began.*--new"):
        run(config, directory, resume=True, **{"data.train": "another hash"})
