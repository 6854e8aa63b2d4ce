from typing import Literal

from pydantic import Field

from emocal_rl.platform.config.endpoint import EvaluatedEndpointConfig, ScoringJudgeConfig
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.config.rollout import SamplingConfig
from emocal_rl.platform.config.section import Section

PromptName = Literal["trained", "zero-shot", "zero-shot-confidence"]


class SFTConfig(Section):
    """One supervised stage."""

    epochs: int = Field(default=1, ge=1, le=1000)
    """Passes over the data."""
    batch_size: int = Field(default=128, ge=1)
    """Demonstrations per optimizer step, over all ranks (paper: 128)."""
    max_length: int = Field(default=2048, ge=64)
    """Longer demonstrations are dropped and counted; image tokens are never cut."""
    freeze_vision: bool = True
    """Leave the vision encoder as it is."""
    freeze_projector: bool = True
    """Leave the projector from vision encoder to language model as it is."""
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-5, warmup_fraction=0.05, schedule="cosine")
    """Optimizer and schedule of the stage."""


class SFTStageConfig(SFTConfig):
    """Stage 1, or the training of stage 2, as a run of its own."""

    eval_every: int = Field(default=0, ge=0)
    """Measure the loss on `data.eval` every N steps; 0 only at the end. Without `data.eval` never."""
    save_every: int = Field(default=0, ge=0)
    """Checkpoint with Hugging Face export every N steps; 0 only at the end."""
    keep_last: int = Field(default=2, ge=1)
    """Newest checkpoints that stay on disk, beside the one with the lowest evaluation loss."""


class ConfidenceStageConfig(SFTStageConfig):
    """Stage 2: label the scaffold model's own responses by equation 2, then train on the confidence tokens."""

    loss_on: Literal["confidence", "response"] = "confidence"
    """What carries loss in a row without a loss mask of its own: the confidence (equation 3), or the whole response
    (the released code)."""
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=4e-6, warmup_fraction=0.05, schedule="cosine")
    """Optimizer and schedule of the stage."""
    sampling: SamplingConfig = SamplingConfig()
    """How the scaffold model's responses are sampled for labelling."""
    ring: str | None = None
    """Ring file of `emocal-rl ring build` for equation 2's distances; unset uses the shipped rings."""
    scaffold_kl: float = Field(default=0.0, ge=0, le=100)
    """Weight of the KL to the scaffold on the response's other tokens; 0 is the paper."""


class PretrainingConfig(Section):
    """What stands for the pre-training of the tiny policy; a checkpoint given with --model needs none."""

    vision_epochs: int = Field(default=4, ge=1)
    """Passes of the vision tower's attribute regression."""
    vision_learning_rate: float = Field(default=2e-3, gt=0, le=1)
    """Peak learning rate of the regression."""
    vision_batch_size: int = Field(default=32, ge=1)
    """Images per step of the regression."""
    language: SFTConfig = SFTConfig(
        batch_size=16, optimizer=OptimizerConfig(learning_rate=2e-3, warmup_fraction=0.05, schedule="cosine")
    )
    """Language modelling on text that has nothing to do with its image."""
    num_language: int = Field(default=4000, ge=32)
    """Pre-training images whose mismatched text is used."""


class CalibrationStageConfig(Section):
    """Stage 3: the calibration loop."""

    num_steps: int | None = Field(default=None, ge=0)
    """Steps to run; unset is one epoch over the prompts."""
    prompts_per_step: int = Field(default=64, ge=1)
    """Prompts sampled per step (official: 64)."""
    group_size: int = Field(default=8, ge=2, le=1024)
    """Responses per prompt, G (official: 8)."""
    num_mini_batches: int = Field(default=2, ge=1)
    """Optimizer steps per step (official: 64 / 32)."""
    staleness: int = Field(default=0, ge=0, le=0)
    """Updates generation may run ahead of the learner; 0 is strictly on-policy."""
    eval_every: int = Field(default=10, ge=0)
    """Validate every N steps; 0 never."""
    save_every: int = Field(default=100, ge=0)
    """Checkpoint every N steps; 0 only at the end."""
    keep_last: int = Field(default=2, ge=1)
    """Newest checkpoints that stay on disk."""
    best_metric: Literal["brier", "ece", "accuracy", "auc"] = "brier"
    """Validation metric that decides which checkpoint is kept as best."""


class EvaluationConfig(Section):
    """Evaluation: before and after stage 3, and of any model by `eval run`."""

    sampling: SamplingConfig = SamplingConfig(temperature=1.0, max_new_tokens=1024)
    """Sampling of the evaluation. In training T = 1 is primary: it is the policy that is trained."""
    greedy: bool = True
    """Also evaluate greedy decoding."""
    max_samples: int | None = Field(default=None, ge=1)
    """Evaluate a seeded subset of this many samples."""
    num_bins: int = Field(default=10, ge=2, le=100)
    """Bins of the expected calibration error."""
    num_repeats: int = Field(default=1, ge=1, le=1000)
    """`eval run`: how often every sample is answered; repeat r samples with `run.seed` + r."""
    prompt: PromptName = "trained"
    """`eval run`: `trained` asks the row's own question; `zero-shot` and `zero-shot-confidence` put one in its place
    that also an untrained model understands, without and with a request for a confidence."""
    endpoint: EvaluatedEndpointConfig = EvaluatedEndpointConfig()
    """`eval run`: where the model is served. Unset `base_url` runs `model.path` in rollout workers."""
    judge: ScoringJudgeConfig = ScoringJudgeConfig()
    """`eval run`: who scores free texts (EEmo-Bench's descriptions). Unset `model` leaves them without scores."""
