import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole
from emocal_rl.cluster.placement import PlacementPlan
from emocal_rl.stages.estimate import MemoryEstimate


def print_roles(placement: PlacementPlan, memory: MemoryEstimate, address: str, console: Console) -> None:
    """Print what the workers of each role reserve and about how much memory they take, and who decides in the end."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Role")
    for title in ("Workers", "CPU each", "GPU each", "GiB each"):
        table.add_column(title, justify="right")
    for role in placement.roles:
        gib = memory.per_worker_gib[role.role]
        table.add_row(role.role, str(role.count), f"{role.num_cpus:g}", f"{role.num_gpus:g}", f"{gib:.1f}")
    wanted = placement.wanted
    total_gib = sum(role.count * memory.per_worker_gib[role.role] for role in placement.roles)
    table.add_section()
    table.add_row("all", "", f"{wanted['CPU']:g}", f"{wanted['GPU']:g}", f"{total_gib:.1f}")
    print_whole(table, console)
    if address != "local":
        note = f"Planned for {say_gpus(placement.num_gpus)}; what the cluster at {address} has decides."
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def say_object_store(address: str, size_gib: float) -> str:
    """How large Ray's object store will be, and where."""
    if address != "local":
        return f"the cluster's own; two snapshots of the weights and 1 GiB for images want {size_gib:.1f} GiB"
    return f"{size_gib:.1f} GiB of /dev/shm for Ray's objects: weights on their way, images, groups"


def say_gpus(num_gpus: float) -> str:
    """What a plan counted on, in words."""
    return "a GPU for every worker" if math.isinf(num_gpus) else f"{num_gpus:g} GPU(s)"
