import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emocal_rl.cli.main import main

RunMain = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunMain:
    """Run the command line as a shell does, but in this process: (exit code, standard output, standard error)."""

    def run(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["emocal-rl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


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
