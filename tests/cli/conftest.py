from pathlib import Path

import pytest


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Files that pass for a checkpoint as long as nothing loads it."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("tokenizer.json", "preprocessor_config.json"):
        (model / name).touch()
    (model / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (model / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    return model
