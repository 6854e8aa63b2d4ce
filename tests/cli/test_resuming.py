from pathlib import Path

import pytest

from emocal_rl.cli.resuming import open_to_resume
from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.errors import RunError
from emocal_rl.platform.runs.directory import RunDirectory

NO_FLAGS = {"run.seed": None, "cluster.address": None}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    config = resolve_config(None, sets=["alarms.stop=[decoy]", "run.seed=3"])
    with RunDirectory.create(tmp_path, "run") as run:
        run.config.write_text(dump_config(config))
    return tmp_path


def test_a_run_resumes_with_other_alarms_and_says_so(root: Path) -> None:
    flags = {**NO_FLAGS, "cluster.address": "ray://head:10001"}
    directory, config = open_to_resume("latest", str(root), flags, config=None, sets=["alarms.stop=[]"])
    with directory:
        assert (config.alarms.stop, config.run.seed, config.cluster.address) == ((), 3, "ray://head:10001")
        written = resolve_config(str(directory.config))
        assert (written.alarms.stop, written.run.seed, written.cluster.address) == ((), 3, "local")


@pytest.mark.parametrize(
    ("flags", "config", "sets", "named"),
    [
        ({"run.seed": 1}, None, None, "run.seed was given"),
        ({}, "smoke", None, "--config was given"),
        ({}, None, ["alarms.window=5", "loss.kl_coefficient=0"], "--set loss.kl_coefficient=0 was given"),
    ],
)
def test_what_would_make_it_another_run_is_refused(
    root: Path, flags: dict[str, int], config: str | None, sets: list[str] | None, named: str
) -> None:
    with pytest.raises(RunError, match=named):
        open_to_resume("latest", str(root), {**NO_FLAGS, **flags}, config=config, sets=sets)
