from collections.abc import Mapping
from pathlib import Path

from emocal_rl.cluster.placement import Placement
from emocal_rl.platform.errors import PlacementError


def check_shared(placement: Placement, paths: Mapping[str, Path]) -> None:
    """Make sure that every node that holds a worker sees the driver's `paths`, given by what they are.

    Workers read the model's files and write checkpoints under the paths the driver names. Nodes other than the driver's
    are asked, by a task each; on one machine there is nothing to ask.

    Raises:
        PlacementError: a node does not see a path, or cannot run this package at all.
    """
    import ray
    from ray.util import placement_group_table
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = set(placement_group_table(placement.group)["bundles_to_node_id"].values())
    nodes.discard(ray.get_runtime_context().get_node_id())
    names = {what: str(path.resolve()) for what, path in paths.items()}
    answers = {
        node: ray.remote(find_absent)
        .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
        .remote(names)
        for node in sorted(nodes)
    }
    for node, answer in answers.items():
        try:
            absent = ray.get(answer)
        except ray.exceptions.RayError as error:
            rule = f"node {node} cannot run a task of emocal_rl: {str(error).strip().splitlines()[-1]}"
            fix = "Install the same version of emocal-rl, in the same Python, on every node"
            raise PlacementError("cluster.address", rule=rule, fix=fix) from error
        for what in absent:
            raise PlacementError(
                what,
                names[what],
                rule=f"is not visible from node {node}, where a worker needs it",
                fix="Put it on a file system that all nodes mount at the same path (ARCHITECTURE.md, Several nodes)",
            )


def find_absent(paths: Mapping[str, str]) -> list[str]:
    """Names of the paths that this machine does not have."""
    return [what for what, path in paths.items() if not Path(path).exists()]
