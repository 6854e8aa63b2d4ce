from typing import Any

import pytest

from emocal_rl.platform.config.ablation import list_ablations, make_ablation, read_ablation
from emocal_rl.platform.errors import ConfigErrors
from emocal_rl.stages.ablation.grid import lay_out
from emocal_rl.stages.cold_start_cache import cold_start_key


def messages(grid: dict[str, list[Any]], *, sets: list[str] | None = None, **changed: Any) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        lay_out(make_ablation({"grid": grid, **changed}, "test"), "smoke", {}, sets or [])
    return str(caught.value).splitlines()


def test_cells_are_all_combinations_and_trials_go_seed_by_seed(made_up: Any) -> None:
    layout = made_up.layout(seeds=2)
    assert [cell.name for cell in layout.cells] == [
        "rule=loglik, normalize=false",
        "rule=loglik, normalize=true",
        "rule=brier, normalize=false",
        "rule=brier, normalize=true",
    ]
    assert [(trial.cell.number, trial.seed) for trial in layout.trials] == [
        (c, s) for s in (0, 1) for c in (1, 2, 3, 4)
    ]
    assert layout.trials[5].run == "02-rule-loglik-normalize-true-seed-1"
    found = layout.trials[7].config
    assert (found.reward.confidence.rule, found.advantage.normalize, found.run.seed) == ("brier", True, 1)
    assert layout.baseline is layout.cells[0]


def test_some_of_the_combinations(made_up: Any) -> None:
    layout = made_up.layout(seeds=2, only=["rule=brier, normalize=true", "rule=loglik,normalize=true"])
    assert [trial.run for trial in layout.trials] == [
        "02-rule-loglik-normalize-true-seed-0",
        "04-rule-brier-normalize-true-seed-0",
        "02-rule-loglik-normalize-true-seed-1",
        "04-rule-brier-normalize-true-seed-1",
    ]
    assert layout.baseline.name == "rule=loglik, normalize=true"
    assert layout.description != made_up.layout(seeds=2).description


def test_seeds_change_the_order_and_not_the_cold_start(made_up: Any) -> None:
    layout = made_up.layout(seeds=3)
    assert {cold_start_key(trial.config) for trial in layout.trials} == {cold_start_key(layout.base)}
    assert [trial.config.run.cold_start_seed for trial in layout.trials[::4]] == [0, 0, 0]


def test_a_grid_over_cold_start_keys_has_a_cold_start_for_each_cell(made_up: Any) -> None:
    grid = {"confidence.optimizer.learning_rate": [1e-4, 5e-4], "run.cold_start_seed": [0, 1]}
    layout = made_up.layout(seeds=2, grid=grid)
    assert len({cold_start_key(trial.config) for trial in layout.trials}) == 4


def test_equal_ends_of_keys_are_told_apart(made_up: Any) -> None:
    layout = made_up.layout(grid={"reward.format.weight": [1.0], "reward.confidence.weight": [1.0, 2.5]})
    assert [cell.name for cell in layout.cells] == [
        "format.weight=1, confidence.weight=1",
        "format.weight=1, confidence.weight=2.5",
    ]


def test_a_preset_of_a_cell_is_the_whole_preset(made_up: Any) -> None:
    layout = made_up.layout(grid={"reward.preset": ["paper", "rlcr"]})
    assert [cell.config.reward.confidence.rule for cell in layout.cells] == ["loglik", "brier"]


@pytest.mark.parametrize(
    ("grid", "changed", "message"),
    [
        ({}, {}, "--grid: must name at least one key with its values: KEY=A,B."),
        ({"loss.clip_ratio": []}, {}, "--grid loss.clip_ratio: must have at least one value."),
        ({"reward.confidence.rul": ["brier"]}, {}, "reward.confidence.rul: unknown key."),
        ({"run.seed": [1, 2]}, {}, "--grid run.seed: says where or how often, not what is compared. Seeds count up"),
        ({"advantage.normalize": [True]}, {"sets": ["advantage.normalize=false"]}, "is also set for all cells."),
        ({"advantage.normalize": [True, True]}, {}, "is the same configuration as 'normalize=true'"),
        ({"advantage.normalize": [True]}, {"baseline": "normalize=no"}, "--baseline = 'normalize=no': is no cell."),
        ({"advantage.normalize": [True]}, {"only": ["normalize=yes"]}, "--only = 'normalize=yes': is no cell."),
        ({"loss.clip_ratio": [0.2]}, {"stage": "reasoning"}, "must be a key of reasoning.*"),
    ],
)
def test_a_wrong_grid_is_one_message(grid: dict[str, list[Any]], changed: dict[str, Any], message: str) -> None:
    (found,) = messages(grid, **changed)
    assert message in found


def test_every_value_that_does_not_validate_is_named_once() -> None:
    found = messages({"loss.clip_ratio": [0.2, -1], "advantage.normalize": [True, False, "perhaps"]})
    assert [line.partition(":")[0] for line in found] == ["advantage.normalize = 'perhaps'", "loss.clip_ratio = -1"]


@pytest.mark.parametrize("seeds", [0, -1, 1.5])
def test_a_number_of_seeds_is_at_least_one(seeds: float) -> None:
    with pytest.raises(ConfigErrors, match="seeds"):
        make_ablation({"grid": {"advantage.normalize": [True]}, "seeds": seeds}, "test")


def test_an_unknown_key_or_file_of_an_ablation_names_what_there_is(tmp_path: Any) -> None:
    (tmp_path / "mine.yaml").write_text("gird: {}\n")
    with pytest.raises(ConfigErrors, match=r"gird: unknown key. Did you mean 'grid'"):
        read_ablation(str(tmp_path / "mine.yaml"))
    with pytest.raises(ConfigErrors, match=r"no such ablation or file. Did you mean 'table9'"):
        read_ablation("table")


@pytest.mark.parametrize("name", list_ablations())
def test_a_shipped_ablation_lays_out(name: str) -> None:
    ablation = read_ablation(name)
    layout = lay_out(ablation, ablation.recipe or "synthvec", {}, [])
    assert len(layout.cells) == {"table7": 8, "table8": 6, "table9": 4, "decoy": 4, "recipe": 2}[name]
    assert len(layout.trials) == len(layout.cells) * ablation.seeds


def test_the_shipped_recipe_compares_ours_with_the_papers() -> None:
    layout = lay_out(read_ablation("recipe"), "synthvec", {}, [])
    assert [
        (cell.name, cell.config.reward.confidence.rule, cell.config.reward.confidence.teaches) for cell in layout.cells
    ] == [
        ("preset=paper, normalize=false", "loglik", "response"),
        ("preset=split-credit, normalize=true", "brier", "confidence"),
    ]
    assert (layout.baseline.name, layout.seeds) == ("preset=paper, normalize=false", (0, 1, 2))


def test_the_shipped_table_9_crosses_the_papers_rules_with_its_estimators() -> None:
    layout = lay_out(read_ablation("table9"), "synthvec", {}, [])
    found = [(each.config.reward.confidence.rule, each.config.advantage.normalize) for each in layout.cells]
    assert found == [("brier", True), ("brier", False), ("loglik", True), ("loglik", False)]
    assert (layout.baseline.name, layout.seeds) == ("rule=loglik, normalize=false", (0, 1, 2))
