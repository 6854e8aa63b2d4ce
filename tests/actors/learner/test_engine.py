from typing import Any

import pytest
import torch

from emocal_rl.actors.learner.engine import _deepspeed_config
from emocal_rl.platform.config.learner import LearnerConfig, OptimizerConfig


def data_types(zero_stage: int, dtype: torch.dtype) -> Any:
    config = LearnerConfig(zero_stage=zero_stage)  # type: ignore[arg-type]
    return _deepspeed_config(config, OptimizerConfig(), dtype).get("data_types", {})


@pytest.mark.parametrize(("zero_stage", "types"), [(0, {}), (1, {}), (2, {"grad_accum_dtype": "fp32"})])
def test_micro_batches_of_16_bit_are_added_up_in_float32(zero_stage: int, types: dict[str, str]) -> None:
    assert data_types(zero_stage, torch.bfloat16) == types


@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
def test_float32_needs_no_other_type(zero_stage: int) -> None:
    assert data_types(zero_stage, torch.float32) == {}


@pytest.mark.slow
def test_deepspeed_reads_the_type_under_the_name_we_give(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepspeed.runtime.config import DeepSpeedConfig
    from deepspeed.runtime.engine import DeepSpeedEngine

    def types(zero_stage: int, dtype: torch.dtype) -> tuple[torch.dtype, torch.dtype]:
        config = LearnerConfig(zero_stage=zero_stage)  # type: ignore[arg-type]
        engine = object.__new__(DeepSpeedEngine)
        torch.nn.Module.__init__(engine)
        engine._config = DeepSpeedConfig(_deepspeed_config(config, OptimizerConfig(), dtype))
        model_type, accumulation_type = engine.get_data_types()
        return model_type, accumulation_type

    assert types(3, torch.bfloat16) == (torch.bfloat16, torch.float32)
    assert types(0, torch.bfloat16) == (torch.bfloat16, torch.bfloat16)
    assert types(2, torch.float32) == (torch.float32, torch.float32)
