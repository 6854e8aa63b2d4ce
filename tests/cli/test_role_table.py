import io
import math

import pytest
from rich.console import Console

from emocal_rl.cli.role_table import print_roles
from emocal_rl.cluster.placement import plan_placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.stages.estimate import estimate_memory


@pytest.mark.parametrize(
    ("num_gpus", "address", "note"),
    [
        (0, "local", None),
        (8, "local", None),
        (0, "auto", "Planned for 0 GPU(s); what the cluster at auto has decides."),
        (math.inf, "h:6379", "Planned for a GPU for every worker; what the cluster at h:6379 has decides."),
    ],
)
def test_a_plan_for_another_cluster_says_who_decides(num_gpus: float, address: str, note: str | None) -> None:
    shown, config = io.StringIO(), Config()
    memory = estimate_memory(config, 10**9, on_gpu=num_gpus > 0)
    print_roles(plan_placement(config, num_gpus), memory, address, Console(file=shown, width=120))
    last = shown.getvalue().splitlines()[-1]
    assert last == note if note else "Planned" not in shown.getvalue()
