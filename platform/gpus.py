import math
import os

from emocal_rl.platform.runs.manifest import gpu_names


def num_visible_gpus() -> int:
    """GPUs that a Ray cluster started here will have: NVIDIA's of this machine, those that CUDA_VISIBLE_DEVICES names.

    The list is read as Ray reads it: entries are counted, not looked up.
    """
    count, visible = len(gpu_names()), os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return count
    return 0 if visible in ("", "NoDevFiles") else min(count, len(visible.split(",")))


def num_planned_gpus(address: str) -> float:
    """GPUs to plan a run with: those an own cluster will have.

    What a cluster at another `address` has, only the run will know; its machines are taken to be like this one. Where
    this one has GPUs, there are as many as wanted (infinity): its own number must not refuse what fits elsewhere.
    """
    count = num_visible_gpus()
    return math.inf if count and address != "local" else count
