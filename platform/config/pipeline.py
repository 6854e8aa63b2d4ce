from typing import Literal, get_args

from pydantic import Field

from emocal_rl.platform.config.section import Section

StageName = Literal["reasoning", "confidence", "calibration", "evaluation"]
STAGES: tuple[StageName, ...] = get_args(StageName)
"""In the order they are run."""


class PipelineConfig(Section):
    """`emocal-rl pipeline`: the stages one after another. Without files it runs on SynthVEC's."""

    first_stage: StageName = "reasoning"
    """The stage that begins with `model.path`; those before it are not run."""
    reasoning: str | None = None
    """Demonstrations of stage 1 (VEC-CoT-1)."""
    confidence: str | None = None
    """Rows of stage 2, unseen in stage 1, which the scaffold model answers (VEC-CoT-2)."""
    calibration: str | None = None
    """Prompts of stage 3 (VEC-CoT-3)."""
    evaluation: str | None = None
    """Rows to evaluate on, in stage 3 and after it (VECBench)."""
    num_sft_workers: int | None = Field(default=None, ge=1, le=4096)
    """Learner ranks in stages 1 and 2, where no other role takes part; unset is `learner.num_workers`."""
    num_sampling_workers: int | None = Field(default=None, ge=1, le=4096)
    """Rollout workers that label and evaluate, where no other role takes part; unset is `rollout.num_workers`."""

    @property
    def files(self) -> dict[StageName, str | None]:
        """The file of every stage that is run, by stage."""
        return {name: getattr(self, name) for name in STAGES[STAGES.index(self.first_stage) :]}
