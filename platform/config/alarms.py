from typing import Literal

from pydantic import Field

from emocal_rl.platform.config.section import Section

AlarmName = Literal[
    "confidence-collapse", "overconfidence-drift", "decoy", "format-exit", "kl-blow-up", "degenerate-repetition"
]


class AlarmsConfig(Section):
    """Alarms of stage 3: rules over the journal's metrics. Each is shown and journaled once; none changes the training.

    A moving mean is taken over `window` steps, or over `short_window` where a rule says so; before that many steps no
    alarm sounds.
    """

    stop: tuple[AlarmName, ...] = ()
    """Alarms that end the run, with a checkpoint. It resumes with other `alarms.*` settings, e.g. without the alarm
    here; with the same it stops again after one step."""
    window: int = Field(default=20, ge=2, le=1000)
    """Steps of a moving mean. Of 128 responses a step, half of them to prompts that were once answered right, 20 steps
    leave a standard error of about 0.014 in the retained accuracy."""
    short_window: int = Field(default=5, ge=1, le=1000)
    """Steps of the moving mean in the rules that know an absolute limit."""
    collapse_entropy: float = Field(default=1.5, ge=0, le=20)
    """confidence-collapse: the entropy of the stated confidences (short window) is below this many bits and below half
    of its highest so far. 1.5 bits are fewer than three values stated equally often."""
    overconfidence_gap: float = Field(default=0.1, gt=0, le=1)
    """overconfidence-drift: mean confidence is above accuracy by more than this, and by more than this further above it
    than in the best window so far."""
    decoy_rise: float = Field(default=0.1, gt=0, le=1)
    """decoy: among the prompts that the cold start answered right, the share of wrong answers with a confidence below
    0.1 is this much above its lowest so far, and the accuracy at least half as much below its highest."""
    format_exit_rise: float = Field(default=0.1, gt=0, le=1)
    """format-exit: the share of responses that are not well-formed or state no valid confidence is this much above its
    lowest so far."""
    kl_limit: float = Field(default=1.0, gt=0)
    """kl-blow-up: the KL to the reference (short window), by the loss's estimator, is above this many nats a token."""
    repetition_limit: float = Field(default=0.05, ge=0, le=1)
    """degenerate-repetition: a larger share of responses (short window) ends in a loop."""
    cold_start_answers: bool = True
    """Let the policy answer every prompt of the run once, greedily, before step 1, which the decoy alarm needs. Costs
    1 / group_size of one epoch's sampling, and nothing where the tiny policy's cold start has its answers cached."""
