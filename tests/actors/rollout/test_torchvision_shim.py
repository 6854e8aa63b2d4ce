import subprocess
import sys
from pathlib import Path

import pytest

from emocal_rl.actors.rollout.torchvision_shim import hide_if_broken


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_torchvision_and_the_qwen_processor_import_after_preparation() -> None:
    code = (
        "from emocal_rl.actors.rollout.torchvision_shim import prepare_imports, register\n"
        "missing = prepare_imports()\n"
        "register()\n"
        "assert prepare_imports() == missing\n"
        "import torchvision, torch, sys\n"
        "from transformers import Qwen2_5_VLProcessor\n"
        "assert 'vllm' not in sys.modules\n"
        "print(torch.ops.torchvision.nms.default._schema)"
    )
    assert run(code).startswith("torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def test_a_package_whose_library_does_not_load_counts_as_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "brokenaudio"
    package.mkdir()
    (package / "part.py").write_text("")
    (package / "__init__.py").write_text("import brokenaudio.part\nraise OSError('libcudart.so.13 not found')\n")
    (tmp_path / "soundaudio.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("brokenaudio", "soundaudio", "absentaudio"):
        hide_if_broken(name)
    with pytest.raises(ModuleNotFoundError):
        import brokenaudio  # noqa: F401
    assert "brokenaudio.part" not in sys.modules
    assert sys.modules["soundaudio"].__name__ == "soundaudio"
    assert "absentaudio" not in sys.modules
    hide_if_broken("brokenaudio")
    for name in ("brokenaudio", "soundaudio"):
        monkeypatch.delitem(sys.modules, name)
