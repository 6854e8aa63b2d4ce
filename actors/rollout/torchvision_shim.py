"""Lets transformers and vLLM import where the compiled parts of torchvision, torchaudio or torchcodec do not load.

The plain wheels are CUDA builds. Beside CPU torch, `import torchvision` dies with "operator torchvision::nms does not
exist" although Qwen's processors need none of its compiled operators; the other two, which nothing here needs, die as
well. So does the fresh subprocess in which vLLM inspects a model class: it loads plugins too late.
"""

import importlib.util
import sys
from pathlib import Path

_OPS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_UNUSED = ("torchaudio", "torchcodec")


def register() -> None:
    """Entry point of `vllm.general_plugins`: prepare imports; where compiled parts are missing, inspect in-process.

    vLLM starts a subprocess only so that inspecting a model class does not initialise CUDA, and a build without
    torchvision's operators has none. So every architecture works, not only those a plugin would register by name.
    """
    if prepare_imports() and "vllm" in sys.modules:
        from vllm.model_executor.models import registry

        registry._run_in_subprocess = lambda inspect: inspect()


def prepare_imports() -> bool:
    """Make torchvision importable and its broken siblings absent. Call before importing transformers or vLLM.

    Needs torch only, may be called any number of times in any process, and changes nothing where compiled parts load.

    Returns:
        Whether torchvision's compiled operators are missing.
    """
    for package in _UNUSED:
        hide_if_broken(package)
    return declare_missing_ops()


def declare_missing_ops() -> bool:
    """Declare the operators torchvision's Python part looks up at import, unless its compiled part defines them.

    Returns:
        Whether the compiled part is missing.
    """
    import torch

    if _compiled_part_loads():
        return False
    for name in _OPS:
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", _SCHEMA)
    return True


def hide_if_broken(package: str) -> None:
    """Let `package` count as not installed when its compiled part does not load: its users then do without."""
    if package in sys.modules or importlib.util.find_spec(package) is None:
        return
    try:
        importlib.import_module(package)
    except (OSError, RuntimeError):
        for name in [name for name in sys.modules if name.startswith(f"{package}.")]:
            del sys.modules[name]
        sys.modules[package] = None  # type: ignore[assignment]  # the import system's mark for "not there"


def _compiled_part_loads() -> bool:
    """Whether torchvision's own library loads; once loaded it has defined the operators, and loading again is free."""
    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    try:
        for library in Path(spec.origin).parent.glob("_C*.so"):
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
            return True
    except OSError:
        pass
    return False
