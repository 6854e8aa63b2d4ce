import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.config.rollout import RolloutConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.synthesis.construction import Construction, run
from emocal_rl.stages.synthesis.files import SynthesisFiles

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_a_local_teacher_writes_in_our_rollout_workers_and_an_endpoint_judges(
    endpoint: Any, pairs: Any, configure: Callable[..., Config], tiny_policy: Path, tmp_path: Path
) -> None:
    local = {"model": str(tiny_policy), "base_url": None}
    config = configure(pairs(3), teacher=local).model_copy(
        update={
            "rollout": RolloutConfig(engine="scripted"),
            "cluster": ClusterConfig(num_cpus=1, object_store_gib=0.2),
        }
    )
    files = SynthesisFiles.at(str(tmp_path / "cot.jsonl"))
    files.folder.mkdir()
    summary = run(Construction(config), files, SilentProgress())
    # The scripted engine states a confidence, which a stage-1 text must not have; each was asked for twice.
    assert (summary.kept, summary.reasons, summary.malformed) == (0, {"format": 3}, 6)
    rows = [json.loads(line) for line in files.rejected.read_text().splitlines()]
    assert [(row["id"], row["detail"]) for row in rows] == [(f"s{i}", "unexpected:confidence") for i in range(3)]
    assert summary.usage["teacher"]["replies"] == 6
    assert endpoint.requests == []
