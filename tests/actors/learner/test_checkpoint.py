from pathlib import Path

import pytest

from emocal_rl.actors.learner.checkpoint import atomic_directory, require_complete, verify_checkpoint, write_manifest
from emocal_rl.platform.errors import RunError


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    with atomic_directory(tmp_path / "step-000001") as staging:
        (staging / "engine").mkdir()
        (staging / "engine" / "rank-0.pt").write_bytes(b"weights")
        (staging / "state.json").write_text("{}")
        write_manifest(staging, {"num_workers": 1})
    return tmp_path / "step-000001"


def test_a_complete_checkpoint_verifies_and_nothing_else_is_left(checkpoint: Path) -> None:
    assert verify_checkpoint(checkpoint) == []
    require_complete(checkpoint)
    assert [path.name for path in checkpoint.parent.iterdir()] == ["step-000001"]


def test_every_kind_of_damage_is_named(checkpoint: Path) -> None:
    weights = checkpoint / "engine" / "rank-0.pt"
    weights.write_bytes(b"WEIGHTS")
    assert verify_checkpoint(checkpoint) == ["engine/rank-0.pt was changed after it was written"]
    weights.write_bytes(b"weigh")
    assert verify_checkpoint(checkpoint) == ["engine/rank-0.pt has 5 bytes instead of 7"]
    weights.unlink()
    assert verify_checkpoint(checkpoint) == ["engine/rank-0.pt is missing"]
    with pytest.raises(RunError, match=r"is incomplete: engine/rank-0.pt is missing"):
        require_complete(checkpoint)
    (checkpoint / "manifest.json").write_text('{"files": ')
    assert verify_checkpoint(checkpoint) == [f"{checkpoint / 'manifest.json'} is damaged"]
    assert verify_checkpoint(checkpoint / "nothing") == [f"{checkpoint / 'nothing'} has no manifest.json"]


def test_an_interrupted_write_leaves_the_previous_checkpoint(checkpoint: Path) -> None:
    def fail_halfway() -> None:
        with atomic_directory(checkpoint) as staging:
            (staging / "state.json").write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail_halfway()
    assert verify_checkpoint(checkpoint) == []


def test_a_new_checkpoint_replaces_the_old_one(checkpoint: Path) -> None:
    with atomic_directory(checkpoint) as staging:
        (staging / "state.json").write_text("new")
        write_manifest(staging, {})
    assert verify_checkpoint(checkpoint) == []
    assert not (checkpoint / "engine").exists()
