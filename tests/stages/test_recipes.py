from pathlib import Path

import pytest

import emocal_rl.stages
from emocal_rl.cluster.placement import plan_placement
from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.config.recipes import list_recipes, read_recipe
from emocal_rl.rewards.composition import Composition
from emocal_rl.stages.estimate import estimate_memory
from emocal_rl.stages.pipeline_workers import with_sampling_workers, with_sft_workers

NUM_GPUS = {"synthvec": 0, "smoke": 0, "emocaliber-7b": 8, "emocaliber-3b-1gpu": 1}
"""GPUs of the machine a recipe is for; without any it is for two cores."""


def test_all_shipped_recipes_are_listed() -> None:
    folder = Path(next(iter(emocal_rl.stages.__path__))) / "recipes"
    assert sorted(list_recipes()) == sorted(path.stem for path in folder.glob("*.yaml"))
    assert set(NUM_GPUS) == set(list_recipes())


@pytest.mark.parametrize("recipe", list_recipes())
def test_recipe_resolves_and_fits_the_machine_it_is_for(recipe: str) -> None:
    config = resolve_config(recipe)
    assert resolve_config(None, sets=[]) != config
    for settings in (config, with_sft_workers(config), with_sampling_workers(config)):
        wanted = plan_placement(settings, NUM_GPUS[recipe]).wanted
        assert wanted["GPU"] <= NUM_GPUS[recipe]
        assert wanted["CPU"] <= (2 if NUM_GPUS[recipe] == 0 else 16)
    assert Composition.from_config(config.reward).worst_total > float("-inf")
    assert config.advantage.normalize is False
    assert config.reward.confidence.rule == "loglik"


@pytest.mark.parametrize("recipe", list_recipes())
def test_a_dumped_recipe_reads_back_the_same(recipe: str, tmp_path: Path) -> None:
    config = resolve_config(recipe)
    (tmp_path / "config.yaml").write_text(dump_config(config))
    assert resolve_config(str(tmp_path / "config.yaml")) == config


def test_the_7b_recipe_has_the_published_numbers() -> None:
    config = resolve_config("emocaliber-7b")
    assert [config.reasoning.optimizer.learning_rate, config.confidence.optimizer.learning_rate] == [1e-5, 4e-6]
    assert config.learner.optimizer.learning_rate == 1e-6
    assert [config.reasoning.batch_size, config.confidence.batch_size, config.reasoning.max_length] == [128, 128, 2048]
    settings = config.calibration
    assert [settings.prompts_per_step, settings.num_mini_batches, settings.group_size] == [64, 2, 8]
    assert [config.loss.clip_ratio, config.loss.kl_coefficient] == [0.2, 0.01]
    assert [config.model.min_pixels, config.model.max_pixels] == [200704, 451584]
    plan = plan_placement(config, num_gpus=8)
    assert {role.role: (role.count, role.num_gpus) for role in plan.roles} == {
        "rollout": (3, 1.0), "learner": (4, 1.0), "reference": (1, 1.0), "reward": (1, 0.0)
    }  # fmt: skip
    # 18 bytes a parameter over 4 ranks beside the process itself
    gib = estimate_memory(config, 8_292_166_656, on_gpu=True).per_worker_gib
    assert gib["learner"] == pytest.approx(0.8 + 4.5 * 8_292_166_656 / 2**30)


def test_the_1_gpu_recipe_fits_80_gb_with_the_engines_share() -> None:
    config = resolve_config("emocaliber-3b-1gpu")
    memory = estimate_memory(config, 3_754_622_976, on_gpu=True)
    shared = memory.per_worker_gib["learner"] + memory.per_worker_gib["reference"]
    assert shared + 80 * config.rollout.gpu_memory_utilization < 60  # the rest is for activations
    assert memory.offloaded_gib == pytest.approx(12 * 3_754_622_976 / 2**30)
    assert memory.offloaded_gib < 64


@pytest.mark.parametrize("recipe", ["emocaliber-7b", "emocaliber-3b-1gpu"])
def test_every_number_of_a_published_recipe_names_its_source(recipe: str) -> None:
    lines = read_recipe(recipe)[1].splitlines()
    settings = [line for line in lines if not line.startswith("#") and not line.rstrip().endswith(":")]
    assert [line for line in settings if not {"[P]", "[C]", "[ours]"} & set(line.replace(",", "").split())] == []
