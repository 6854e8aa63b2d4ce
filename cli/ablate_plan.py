"""What an ablation is about to do, from its configuration alone, and on the terminal what came of its predictions."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emocal_rl.cli.whole_table import print_whole
from emocal_rl.cluster.placement import PlacementPlan, plan_placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.gpus import num_planned_gpus, num_visible_gpus
from emocal_rl.platform.report.ablation_page import Verdict
from emocal_rl.platform.report.html import format_duration
from emocal_rl.platform.runs.manifest import host_shape
from emocal_rl.stages.ablation.grid import Layout
from emocal_rl.stages.ablation.resources import concurrency, phase_plans
from emocal_rl.stages.cold_start_cache import find_cold_start
from emocal_rl.stages.estimate import estimate_time, known_parameters
from emocal_rl.stages.inputs import measure_inputs


def check(layout: Layout) -> None:
    """Find what is wrong with a cell before anything starts.

    Raises:
        UserError: of its reward, its trackers, its data, its model or its placement.
    """
    from emocal_rl.actors.learner.lora import check_installed
    from emocal_rl.actors.model_source import local_model
    from emocal_rl.platform.trackers.opening import check_trackers
    from emocal_rl.rewards.composition import Composition
    from emocal_rl.stages.pipeline_files import check_files

    for cell in layout.cells:
        Composition.from_config(cell.config.reward)
        check_trackers(cell.config)
        check_installed(cell.config.learner.lora)
    if layout.stage == "calibration":
        for cell in layout.cells:
            measure_inputs(cell.config)
    elif layout.base.model.path is not None:
        check_files(_of_stage(layout))
    if layout.base.model.path is not None:
        local_model(layout.base.model)


def _of_stage(layout: Layout) -> Config:
    """The base configuration as a pipeline of the one stage; the test file may be named either way."""
    pipeline = layout.base.pipeline
    files = {"first_stage": layout.stage, "evaluation": pipeline.evaluation or layout.base.data.eval}
    if layout.stage != "confidence":
        files["confidence"] = pipeline.confidence or pipeline.reasoning
    files["calibration"] = pipeline.calibration or pipeline.confidence or pipeline.reasoning
    return layout.base.model_copy(update={"pipeline": pipeline.model_copy(update=files)})


def print_plan(layout: Layout, verdicts: Sequence[str], console: Console) -> None:
    """Say which cells are run, what one trial reserves, how many run at a time, and about how long it takes."""
    num_cpus = float(layout.base.cluster.num_cpus or host_shape()["num_cpus"])
    resources = {"CPU": num_cpus, "GPU": float(num_visible_gpus())}
    plans = _plans(layout, num_planned_gpus(layout.base.cluster.address))
    at_once = concurrency(plans, resources)
    wanted = max((plan.wanted for plan in plans), key=lambda each: (each["GPU"], each["CPU"]))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("Cell", "Audit"):
        table.add_column(title)
    for cell, verdict in zip(layout.cells, verdicts, strict=True):
        table.add_row(cell.name + (" (baseline)" if cell is layout.baseline else ""), verdict)
    print_whole(table, console)
    seeds = ", ".join(map(str, layout.seeds))
    facts = {
        "runs": f"{len(layout.cells)} cells x {len(layout.seeds)} seeds ({seeds}) = {len(layout.trials)}, "
        f"stage {layout.stage}",
        "trial": f"{wanted['CPU']:g} CPUs, {wanted['GPU']:g} GPUs; {at_once} at a time on "
        + (
            f"this machine ({resources['CPU']:g} CPUs, {resources['GPU']:g} GPUs)"
            if layout.base.cluster.address == "local"
            else "a cluster like this machine; the cluster itself decides"
        ),
        "paired": "cells of a seed share cold start, sample order and rollout seeds",
        "time": _time(layout, resources["GPU"], at_once),
    }
    for name, value in facts.items():
        console.print(f"{name:<9}{value}", markup=False, highlight=False, soft_wrap=True)


def _plans(layout: Layout, num_gpus: float) -> list[PlacementPlan]:
    if layout.stage == "calibration":
        return [plan_placement(cell.config, num_gpus) for cell in layout.cells]
    return [plan for cell in layout.cells for plan in phase_plans(cell.config, num_gpus)]


def _time(layout: Layout, num_gpus: float, at_once: int) -> str:
    """A rough estimate of stage 3; stages 1 and 2 of a real model depend too much on it to be guessed here."""
    base = layout.base
    num_parameters = known_parameters(base.model)
    if num_parameters is None:
        return "unknown: the model is not on disk"
    on_gpu, total_s, cold_starts = num_gpus > 0, 0.0, set()
    for trial in layout.trials:
        place: Path | None = None if base.model.path else find_cold_start(trial.config).directory
        builds = place is not None and place not in cold_starts and not find_cold_start(trial.config).is_complete
        cold_starts.add(place)
        sizes = measure_inputs(trial.config) if layout.stage == "calibration" else None
        parts = estimate_time(
            trial.config,
            num_parameters,
            num_prompts=sizes.num_prompts if sizes else trial.config.synthvec.num_calibration,
            num_test=sizes.num_test if sizes else trial.config.synthvec.num_test + trial.config.synthvec.num_test_ood,
            builds_cold_start=builds or layout.stage != "calibration",
            on_gpu=on_gpu,
        ).parts_s
        if layout.stage != "calibration":
            parts = {name: seconds for name, seconds in parts.items() if name in ("start", "evaluation", layout.stage)}
        total_s += sum(parts.values()) / (1 if builds else at_once)
    cold = "" if base.model.path else f", {sum(1 for place in cold_starts if place and not _is_built(place))} to build"
    counted = f" (cold starts: {len(cold_starts)}{cold})" if layout.stage == "calibration" else ""
    return f"about {format_duration(total_s)}{counted}, a rough estimate"


def _is_built(cold_start: Path) -> bool:
    return (cold_start / "cold_start.json").exists()


def print_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print what the audit had predicted of each cell, and what came of it."""
    if not verdicts:
        return
    styles = {"good": "green", "warning": "yellow", "bad": "red"}
    for verdict in verdicts:
        console.print(f"[{styles[verdict.tone]}]●[/] ", end="")
        reason = f": {verdict.reason}" if verdict.reason else ""
        console.print(f"{verdict.cell}: {verdict.outcome}{reason}", markup=False, highlight=False, soft_wrap=True)
