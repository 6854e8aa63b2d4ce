from typing import Literal

from pydantic import Field, model_validator

from emocal_rl.platform.config.section import Section


class ModelConfig(Section):
    """Which policy is trained, and how its inputs are prepared."""

    path: str | None = None
    """Local directory or hub id of a Hugging Face vision-language checkpoint; unset builds the tiny policy."""
    revision: str | None = None
    """Commit, tag or branch of a hub id."""
    trust_remote_code: bool = False
    """Run code shipped with the checkpoint. Needs a pinned `revision`."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Parameter type; auto is float32 on CPU and bfloat16 on GPU."""
    min_pixels: int | None = Field(default=None, ge=28 * 28)
    """Images are scaled up to at least this many pixels; unset keeps the processor's own limit (official: 200704)."""
    max_pixels: int | None = Field(default=None, ge=28 * 28)
    """Images are scaled down to at most this many pixels; unset keeps the processor's own limit (official: 451584)."""
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2"] = "auto"
    """Attention implementation of learner and reference; auto is sdpa."""

    @model_validator(mode="after")
    def _remote_code_is_pinned(self) -> "ModelConfig":
        if self.trust_remote_code and not self.revision:
            raise ValueError("trust_remote_code=true needs a pinned model.revision: add --revision COMMIT")
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError(f"min_pixels {self.min_pixels} is above max_pixels {self.max_pixels}")
        return self
