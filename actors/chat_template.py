import json
from pathlib import Path
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment


class ChatTemplate:
    """A checkpoint's chat template without its tokenizer: renders in no time what transformers would render.

    Args:
        source: the Jinja template.
    """

    def __init__(self, source: str) -> None:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(source)

    @classmethod
    def of_checkpoint(cls, model_dir: Path) -> "ChatTemplate | None":
        """The template of a local checkpoint, from wherever its files keep it; None when it has none."""
        if (path := model_dir / "chat_template.jinja").is_file():
            return cls(path.read_text())
        for name in ("chat_template.json", "processor_config.json", "tokenizer_config.json"):
            path = model_dir / name
            source = json.loads(path.read_text()).get("chat_template") if path.is_file() else None
            if isinstance(source, str):
                return cls(source)
        return None

    def apply_chat_template(
        self, messages: list[dict[str, Any]], *, tokenize: bool = False, add_generation_prompt: bool = True
    ) -> str:
        """Render the messages as text, like the tokenizer's method of this name."""
        assert not tokenize, "there is no tokenizer here"
        return self._template.render(messages=messages, add_generation_prompt=add_generation_prompt)
