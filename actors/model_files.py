import json
from pathlib import Path

from emocal_rl.platform.errors import ModelError

SUPPORTED_MODEL_TYPES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "internvl")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_PROCESSOR = ("preprocessor_config.json", "processor_config.json")
_TOKENIZER = ("tokenizer.json", "vocab.json")


def check_model_files(model_dir: str | Path) -> None:
    """Check that a directory holds a Hugging Face checkpoint every role can load. Reads `config.json` only; no torch.

    Raises:
        ModelError: naming the first part that is missing, or the architecture that is not supported.
    """
    directory = Path(model_dir)
    if not directory.is_dir():
        raise ModelError("model.path", str(model_dir), rule="no such directory", fix="Pass a Hugging Face checkpoint.")
    for part, names in (
        ("model configuration", ("config.json",)),
        ("weights", _WEIGHTS),
        ("tokenizer", _TOKENIZER),
        ("image processor", _PROCESSOR),
    ):
        if not any((directory / name).is_file() for name in names):
            raise ModelError(
                "model.path",
                str(model_dir),
                rule=f"the checkpoint has no {part} ({' or '.join(names)})",
                fix=f"Copy the {part} from the model it was trained from.",
            )
    try:
        model_type = json.loads((directory / "config.json").read_text()).get("model_type")
    except json.JSONDecodeError as error:
        raise ModelError("model.path", str(model_dir), rule=f"config.json is not JSON: {error}") from error
    if model_type not in SUPPORTED_MODEL_TYPES:
        raise ModelError(
            "model.path",
            str(model_dir),
            rule=f"model_type {model_type!r} is not supported; supported are {', '.join(SUPPORTED_MODEL_TYPES)}",
            fix="Use a Qwen2-VL, Qwen2.5-VL, Qwen3-VL or InternVL (-hf) checkpoint.",
        )
