"""How many steps stage 3 takes, and which prompts each samples.

The order is a pure function of seed and step, so that a resumed run continues it.
"""

from collections.abc import Sequence

import numpy as np

from emocal_rl.platform.config.stages import CalibrationStageConfig


def num_steps(settings: CalibrationStageConfig, num_prompts: int) -> int:
    """Steps of stage 3: as configured, or one epoch."""
    return settings.num_steps if settings.num_steps is not None else num_prompts // settings.prompts_per_step


def prompt_order(num_prompts: int, prompts_per_step: int, step: int, seed: int) -> Sequence[int]:
    """Return the indices of the prompts of `step` (1-based).

    Every epoch is a new seeded permutation. Prompts that do not fill a last step wait for the next epoch's permutation,
    so no prompt occurs twice in a step.
    """
    steps_per_epoch = num_prompts // prompts_per_step
    epoch, position = divmod(step - 1, steps_per_epoch)
    permutation = np.random.default_rng((seed, epoch)).permutation(num_prompts)
    start = position * prompts_per_step
    return [int(index) for index in permutation[start : start + prompts_per_step]]
