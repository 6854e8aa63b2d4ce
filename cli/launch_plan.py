"""What a launch is about to do, from its configuration and data alone: roles, sizes, memory, time, one sample."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from emocal_rl.actors.chat_template import ChatTemplate
from emocal_rl.actors.model_source import local_model
from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.benchmarks.synthvec.tokenizer import CHAT_TEMPLATE
from emocal_rl.cli.role_table import print_roles, say_object_store
from emocal_rl.cluster.placement import PlacementPlan, plan_placement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.gpus import num_planned_gpus
from emocal_rl.platform.report.html import format_duration
from emocal_rl.rewards.audit.one_line import one_line_verdict
from emocal_rl.rewards.audit.verdicts import estimator_name
from emocal_rl.stages.cold_start_cache import find_cold_start
from emocal_rl.stages.estimate import (
    MemoryEstimate,
    TimeEstimate,
    count_parameters,
    estimate_memory,
    estimate_time,
    known_parameters,
    object_store_gib,
)
from emocal_rl.stages.inputs import InputSizes, measure_inputs
from emocal_rl.stages.prompt_order import num_steps


@dataclass(frozen=True)
class LaunchPlan:
    """A launch before it starts. `model` is None for the tiny policy and for a hub id that is not on disk yet."""

    config: Config
    inputs: InputSizes
    model: Path | None
    builds_cold_start: bool
    placement: PlacementPlan
    memory: MemoryEstimate
    object_store_gib: float
    time: TimeEstimate


def make_plan(config: Config) -> LaunchPlan:
    """Read the data, look at the model's files, lay out the roles.

    Raises:
        DataError: a malformed row, by file and line.
        ModelError: the checkpoint lacks something a role needs.
        ConfigError: data and settings do not fit.
    """
    model = local_model(config.model) if config.model.path else None
    inputs = measure_inputs(config)
    num_gpus = num_planned_gpus(config.cluster.address)
    num_parameters = count_parameters(model)
    builds_cold_start = config.model.path is None and not find_cold_start(config).is_complete
    return LaunchPlan(
        config,
        inputs,
        model,
        builds_cold_start,
        plan_placement(config, num_gpus),
        estimate_memory(config, num_parameters, on_gpu=num_gpus > 0),
        object_store_gib(config, known_parameters(config.model), on_gpu=num_gpus > 0),
        estimate_time(
            config,
            num_parameters,
            num_prompts=inputs.num_prompts,
            num_test=inputs.num_test,
            builds_cold_start=builds_cold_start,
            on_gpu=num_gpus > 0,
        ),
    )


def print_plan(plan: LaunchPlan, console: Console) -> None:
    """Say what is about to happen."""
    config, settings = plan.config, plan.config.calibration
    steps = num_steps(settings, plan.inputs.num_prompts)
    cold_start = "to be built" if plan.builds_cold_start else "cached"
    policy = config.model.path or f"tiny Qwen2.5-VL policy, cold start {cold_start}"
    data = config.data.train or "SynthVEC"
    facts = {
        "policy": f"{policy}, {plan.memory.num_parameters / 1e6:,.1f} M parameters",
        "data": f"{data}: {plan.inputs.num_prompts:,} prompts, {plan.inputs.num_validation:,} for validation, "
        f"{plan.inputs.num_test:,} for the test",
        "reward": f"{config.reward.preset}, confidence by {config.reward.confidence.rule}; "
        f"{estimator_name(config.reward, config.advantage)} advantages",
        "audit": one_line_verdict(config.reward, config.advantage),
        "stage 3": f"{steps} steps of {settings.prompts_per_step} prompts x {settings.group_size} responses",
        "store": say_object_store(config.cluster.address, plan.object_store_gib),
        "time": f"about {format_duration(plan.time.total_s)} ("
        + ", ".join(f"{name} {format_duration(seconds)}" for name, seconds in plan.time.parts_s.items())
        + "), a rough estimate",
    }
    for name, value in facts.items():
        console.print(f"{name:<9}{value}", markup=False, highlight=False, soft_wrap=True)
    print_roles(plan.placement, plan.memory, config.cluster.address, console)


def print_sample(plan: LaunchPlan, console: Console) -> None:
    """Show one training prompt as the policy will see it."""
    sample = plan.inputs.example
    template = ChatTemplate.of_checkpoint(plan.model) if plan.model else ChatTemplate(CHAT_TEMPLATE)
    prompt = render_prompt(template, sample) if template else sample.question
    console.print(f"One sample: {sample.id} ({sample.task}), label {sample.label}", highlight=False)
    for reference in sample.images:
        console.print(
            f"  {reference if len(reference) < 200 else reference[:200] + '...'}", markup=False, soft_wrap=True
        )
    console.print(prompt, markup=False, highlight=False, soft_wrap=True)
