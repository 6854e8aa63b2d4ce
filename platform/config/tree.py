"""The whole config tree. `Config()` is the embedded default before a recipe is laid over it."""

from typing import Literal

from pydantic import Field, model_validator

from emocal_rl.platform.config.alarms import AlarmsConfig
from emocal_rl.platform.config.cluster import ClusterConfig, WeightTransferConfig
from emocal_rl.platform.config.data import DataConfig, SynthVECConfig
from emocal_rl.platform.config.learner import LearnerConfig
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.config.pipeline import PipelineConfig
from emocal_rl.platform.config.reward import AdvantageConfig, LossConfig, RewardConfig
from emocal_rl.platform.config.rollout import RolloutConfig
from emocal_rl.platform.config.section import Section
from emocal_rl.platform.config.stages import (
    CalibrationStageConfig,
    ConfidenceStageConfig,
    EvaluationConfig,
    PretrainingConfig,
    SFTStageConfig,
)
from emocal_rl.platform.config.synthesis import SynthesisConfig


class TrackingConfig(Section):
    """Where metrics go besides the run directory's own JSONL. A tracker that fails never stops a run."""

    trackers: tuple[Literal["tensorboard", "wandb", "trackio", "mlflow"], ...] = ()
    """Extra trackers; each needs its extra installed."""
    project: str = "emocal-rl"
    """Project name for the trackers that have one."""


class RunConfig(Section):
    """One run: its name, its place and its seed."""

    name: str = "calibration"
    """First part of the run directory's name."""
    root: str = "runs"
    """Folder that holds run directories."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seed of sample order, rollouts and initialisation."""
    cold_start_seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """Seed of the tiny policy's cold start; unset is `run.seed`. Set, runs of any seed share one cold start."""


class Config(Section):
    """Everything a run depends on. Read from defaults < YAML < flags < `--set section.key=value`."""

    run: RunConfig = RunConfig()
    """Name, place and seed."""
    model: ModelConfig = ModelConfig()
    """The policy."""
    data: DataConfig = DataConfig()
    """Training and evaluation files."""
    synthvec: SynthVECConfig = SynthVECConfig()
    """The synthetic world, used when `data.train` is unset."""
    rollout: RolloutConfig = RolloutConfig()
    """Rollout workers."""
    learner: LearnerConfig = LearnerConfig()
    """Learner ranks."""
    reward: RewardConfig = RewardConfig()
    """Reward composition."""
    advantage: AdvantageConfig = AdvantageConfig()
    """Advantage estimator."""
    loss: LossConfig = LossConfig()
    """Policy loss."""
    pretraining: PretrainingConfig = PretrainingConfig()
    """What stands for the tiny policy's pre-training."""
    reasoning: SFTStageConfig = SFTStageConfig()
    """Stage 1."""
    confidence: ConfidenceStageConfig = ConfidenceStageConfig()
    """Stage 2."""
    calibration: CalibrationStageConfig = CalibrationStageConfig()
    """Stage 3."""
    alarms: AlarmsConfig = AlarmsConfig()
    """What is watched in stage 3, and what may stop it."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation before and after stage 3."""
    pipeline: PipelineConfig = PipelineConfig()
    """The stages in one run."""
    synthesis: SynthesisConfig = SynthesisConfig()
    """VEC-CoT construction."""
    cluster: ClusterConfig = ClusterConfig()
    """Ray and the placement of roles."""
    weight_transfer: WeightTransferConfig = WeightTransferConfig()
    """Learner to rollout engines."""
    tracking: TrackingConfig = TrackingConfig()
    """Extra metric trackers."""

    @model_validator(mode="after")
    def _model_and_data_go_together(self) -> "Config":
        has_files = self.data.train is not None or any(self.pipeline.files.values())
        if (self.model.path is None) == has_files:
            raise ValueError(
                "model.path and data.train go together: give both (--model M --data F; a pipeline takes "
                "pipeline.reasoning and so on) or neither (SynthVEC)"
            )
        if self.rollout.sampling.top_p != 1.0:
            raise ValueError("rollout.sampling.top_p must be 1 in training: the learner's log-probs know no nucleus")
        if self.rollout.sampling.temperature == 0.0:
            raise ValueError(
                "rollout.sampling.temperature must be above 0 in training: greedy groups have no advantage"
            )
        if self.calibration.prompts_per_step % self.calibration.num_mini_batches:
            raise ValueError(
                f"calibration.prompts_per_step {self.calibration.prompts_per_step} must be a multiple of "
                f"calibration.num_mini_batches {self.calibration.num_mini_batches}"
            )
        return self
