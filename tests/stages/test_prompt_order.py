from emocal_rl.platform.config.stages import CalibrationStageConfig
from emocal_rl.stages.prompt_order import num_steps, prompt_order


def test_an_epoch_visits_each_prompt_once_and_drops_what_does_not_fill_a_step() -> None:
    steps = [prompt_order(10, 3, step, seed=1) for step in (1, 2, 3)]
    visited = [index for step in steps for index in step]
    assert len(visited) == len(set(visited)) == 9
    assert set(visited) < set(range(10))


def test_epochs_differ_and_every_step_is_a_function_of_seed_and_step() -> None:
    assert prompt_order(100, 50, 1, seed=0) != prompt_order(100, 50, 3, seed=0)
    assert prompt_order(100, 50, 1, seed=0) != prompt_order(100, 50, 1, seed=1)
    assert prompt_order(100, 50, 7, seed=0) == prompt_order(100, 50, 7, seed=0)


def test_steps_are_as_configured_or_one_epoch() -> None:
    assert num_steps(CalibrationStageConfig(prompts_per_step=4, num_mini_batches=2), 11) == 2
    assert num_steps(CalibrationStageConfig(num_steps=0), 11) == 0
