import math

from emocal_rl.platform.config.learner import OptimizerConfig


def learning_rate(step: int, total_steps: int, config: OptimizerConfig) -> float:
    """Learning rate of an optimizer step: linear warm-up, then the configured course.

    Args:
        step: 0-based; the first warm-up step already moves, the last step of a decay is one before its end.
        total_steps: optimizer steps of the whole stage.
        config: peak rate, warm-up share, course and where it ends.
    """
    num_warmup = round(config.warmup_fraction * total_steps)
    if step < num_warmup:
        return config.learning_rate * (step + 1) / (num_warmup + 1)
    progress = min(1.0, (step - num_warmup) / max(1, total_steps - num_warmup))
    match config.schedule:
        case "constant":
            remaining = 1.0
        case "linear":
            remaining = 1.0 - progress
        case "cosine":
            remaining = 0.5 * (1.0 + math.cos(math.pi * progress))
    return config.learning_rate * (config.final_fraction + (1.0 - config.final_fraction) * remaining)
