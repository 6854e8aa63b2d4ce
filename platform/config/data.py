from pydantic import Field

from emocal_rl.platform.config.section import Section


class DataConfig(Section):
    """Where samples come from when a model is trained on files. Paths may be local or any fsspec URL."""

    train: str | None = None
    """VECBench, VEC-CoT (ms-swift) or verl rows to train on, JSONL or Parquet; unset uses SynthVEC."""
    eval: str | None = None
    """Rows to evaluate on; unset holds out `holdout_fraction` of `train`, seeded."""
    holdout_fraction: float = Field(default=0.05, gt=0, lt=1)
    """Share of `train` held out for evaluation when `eval` is unset."""
    image_root: str | None = None
    """Folder or URL that relative image references are resolved against; unset is the file's own folder."""
    allow_remote_images: bool = False
    """Accept image references that are URLs (s3://, gs://, https://)."""
    max_image_pixels: int = Field(default=50_000_000, ge=1, le=1_000_000_000)
    """An image with more pixels is refused before it is decoded."""
    max_image_bytes: int = Field(default=50_000_000, ge=1)
    """An image file with more bytes is refused before it is read."""


class SynthVECConfig(Section):
    """The synthetic world: sizes and seed. Each count is images: training splits by the tasks' shares, tests evenly."""

    seed: int = Field(default=0, ge=0)
    """Seed of the whole world; another seed is another set of images from the same distribution."""
    num_pretrain: int = Field(default=6000, ge=32)
    """Images that stand for pre-training (vision attributes, language on mismatched text)."""
    num_reasoning: int = Field(default=6000, ge=32)
    """Stage-1 demonstrations."""
    num_confidence: int = Field(default=3000, ge=32)
    """Stage-2 images, unseen in stage 1."""
    num_calibration: int = Field(default=2000, ge=16)
    """Stage-3 prompts, unseen in stages 1 and 2."""
    num_validation: int = Field(default=300, ge=9)
    """Held-out images for the periodic validation of stage 3."""
    num_test: int = Field(default=1500, ge=9)
    """In-domain test images, evaluated before and after."""
    num_test_ood: int = Field(default=600, ge=0)
    """Out-of-domain test images."""
