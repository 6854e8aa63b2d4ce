import pytest

from emocal_rl.actors.learner.schedule import learning_rate
from emocal_rl.platform.config.learner import OptimizerConfig


def rates(total: int, **options: object) -> list[float]:
    config = OptimizerConfig(learning_rate=1.0, **options)  # type: ignore[arg-type]
    return [learning_rate(step, total, config) for step in range(total)]


def test_warmup_rises_linearly_and_then_stays() -> None:
    assert rates(8, warmup_fraction=0.375) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])


def test_linear_decay_ends_at_the_final_fraction() -> None:
    assert rates(4, schedule="linear") == pytest.approx([1, 0.75, 0.5, 0.25])
    assert rates(4, schedule="linear", final_fraction=0.2) == pytest.approx([1, 0.8, 0.6, 0.4])


def test_cosine_decay() -> None:
    assert rates(4, schedule="cosine") == pytest.approx([1, 0.853553, 0.5, 0.146447], abs=1e-6)


def test_steps_past_the_end_keep_the_last_rate() -> None:
    config = OptimizerConfig(learning_rate=1.0, schedule="cosine", final_fraction=0.1)
    assert learning_rate(99, 4, config) == pytest.approx(0.1)
