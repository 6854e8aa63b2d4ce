import json
from pathlib import Path

import pytest

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.config.stages import ConfidenceStageConfig, SFTStageConfig
from emocal_rl.platform.errors import DataError
from emocal_rl.stages.demonstrations import read_demonstrations

RESPONSE = "<answer>awe</answer><confidence>0.75</confidence>"


def spans(tmp_path: Path, settings: SFTStageConfig, *messages: dict[str, object]) -> object:
    path = tmp_path / "rows.jsonl"
    user = {"role": "user", "content": "<image>Which emotion?"}
    assistant = [{"role": "assistant", **message} for message in messages]
    row = {"messages": [user, *assistant], "images": ["a.png"], "ground_truth": "awe"}
    path.write_text(json.dumps(row) + "\n")
    (demonstration,) = read_demonstrations(str(path), settings, DataConfig())
    return demonstration.loss_spans


def test_a_row_without_a_mask_trains_on_what_its_stage_says(tmp_path: Path) -> None:
    start = RESPONSE.index("<confidence>")
    assert spans(tmp_path, SFTStageConfig(), {"content": RESPONSE}) is None
    assert spans(tmp_path, ConfidenceStageConfig(), {"content": RESPONSE}) == ((start, len(RESPONSE)),)
    assert spans(tmp_path, ConfidenceStageConfig(loss_on="response"), {"content": RESPONSE}) is None


@pytest.mark.parametrize(
    "settings", [SFTStageConfig(), ConfidenceStageConfig(), ConfidenceStageConfig(loss_on="response")]
)
def test_a_rows_own_mask_stands(tmp_path: Path, settings: SFTStageConfig) -> None:
    messages = ({"content": "<answer>awe</answer>", "loss": True}, {"content": " end", "loss": False})
    assert spans(tmp_path, settings, *messages) == ((0, 20),)


def test_stage_2_refuses_a_row_with_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl:1 response.*exactly one <confidence>.*emocal-rl label"):
        spans(tmp_path, ConfidenceStageConfig(), {"content": "<answer>awe</answer>"})
