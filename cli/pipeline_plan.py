"""What a pipeline is about to do, from its configuration and data alone: stages, sizes, placement, memory."""

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.role_table import say_gpus, say_object_store
from emocal_rl.cluster.placement import RoleName, plan_placement
from emocal_rl.platform.config.pipeline import STAGES, StageName
from emocal_rl.platform.config.stages import SFTStageConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.stages.estimate import estimate_memory, known_parameters, object_store_gib
from emocal_rl.stages.pipeline_workers import with_sampling_workers, with_sft_workers


def print_plan(
    config: Config, counts: Mapping[StageName, int], last_stage: StageName, num_gpus: float, console: Console
) -> None:
    """Say what each stage works on, and what its roles reserve and hold on a cluster with `num_gpus` GPUs.

    Raises:
        PlacementError: a tensor-parallel engine would have to share its GPUs.
    """
    num_parameters, address = known_parameters(config.model), config.cluster.address
    size = f"{num_parameters / 1e6:,.1f} M parameters" if num_parameters else "to be downloaded, its size unknown"
    _tell(console, "policy", f"{config.model.path or 'tiny Qwen2.5-VL policy'}, {size}")
    stages = [stage for stage in STAGES[: STAGES.index(last_stage) + 1] if stage in counts]
    for stage in stages:
        url = config.pipeline.files[stage] or "SynthVEC"
        _tell(console, stage, f"{url}: {counts[stage]:,} rows{_work(stage, config, counts[stage])}")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Stage")
    table.add_column("Role")
    for title in ("Workers", "CPU each", "GPU each", "GiB each", "Host GiB each"):
        table.add_column(title, justify="right")
    offloads = False
    for stage in stages:
        for title, settings, roles in _parts(stage, config):
            memory = estimate_memory(settings, num_parameters or 0, on_gpu=num_gpus > 0)
            for role in plan_placement(settings, num_gpus, only=roles).roles:
                gib = f"{memory.per_worker_gib[role.role]:.1f}" if num_parameters else "?"
                offloaded = memory.offloaded_gib if role.role == "learner" else 0.0
                offloads |= offloaded > 0
                host = f"{offloaded:.1f}" if offloaded else ""
                cells = (str(role.count), f"{role.num_cpus:g}", f"{role.num_gpus:g}", gib, host)
                table.add_row(title, role.role, *cells)
                title = ""
    if not offloads:
        table.columns.pop()
    console.print(table)
    console.print(
        f"Memory by formula (weights, gradients, Adam states, cache), without activations; {say_gpus(num_gpus)}"
        + ("." if address == "local" else f"; what the cluster at {address} has decides."),
        markup=False,
        highlight=False,
        soft_wrap=address != "local",
    )
    if "calibration" in stages:
        size_gib = object_store_gib(config, num_parameters, on_gpu=num_gpus > 0)
        _tell(console, "store", say_object_store(address, size_gib))


def _work(stage: StageName, config: Config, num_rows: int) -> str:
    if stage == "evaluation":
        return f", one response each at temperature {config.evaluation.sampling.temperature:g}"
    if stage == "calibration":
        settings = config.calibration
        steps = settings.num_steps if settings.num_steps is not None else num_rows // settings.prompts_per_step
        return f", {steps:,} steps of {settings.prompts_per_step} prompts x {settings.group_size} responses"
    sft: SFTStageConfig = getattr(config, stage)
    steps = sft.epochs * -(-num_rows // sft.batch_size)
    labelled = "labelled first; " if stage == "confidence" else ""
    return f", {labelled}{steps:,} steps of {sft.batch_size}, {sft.epochs} epoch(s)"


def _parts(stage: StageName, config: Config) -> list[tuple[str, Config, list[RoleName] | None]]:
    """The jobs of a stage: title, configuration, and the roles that take part (None: all)."""
    if stage == "reasoning":
        return [(stage, with_sft_workers(config), ["learner"])]
    if stage == "confidence":
        return [
            ("labels", with_sampling_workers(config), ["rollout"]),
            (stage, with_sft_workers(config), ["learner"]),
        ]
    if stage == "calibration":
        return [(stage, config, None)]
    return [(stage, with_sampling_workers(config), ["rollout"])]


def _tell(console: Console, name: str, value: str) -> None:
    console.print(f"{name:<12}{value}", markup=False, highlight=False, soft_wrap=True)
