"""What a supervised run is about to do, from its configuration and data alone."""

from typing import Literal

from rich.console import Console

from emocal_rl.actors.chat_template import ChatTemplate
from emocal_rl.actors.model_source import local_model
from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.platform.config.stages import SFTStageConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.gpus import num_planned_gpus
from emocal_rl.stages.demonstrations import SFTInputs
from emocal_rl.stages.estimate import count_parameters, estimate_memory


def print_plan(stage: Literal["reasoning", "confidence"], config: Config, inputs: SFTInputs, console: Console) -> None:
    """Say what a run would do, with one demonstration as the policy would see it."""
    settings: SFTStageConfig = getattr(config, stage)
    demonstrations, held_out = inputs.demonstrations, len(inputs.held_out)
    model = local_model(config.model)
    num_updates = settings.epochs * -(-len(demonstrations) // settings.batch_size)
    learner, optimizer = config.learner, settings.optimizer
    facts = {
        "policy": config.model.path,
        "data": f"{config.data.train}: {len(demonstrations):,} demonstrations, {held_out:,} for the evaluation loss",
        "steps": f"{num_updates:,} of {settings.batch_size} demonstrations, {settings.epochs} epoch(s); "
        f"longer than {settings.max_length} tokens is dropped",
        "trained": _trained(config, settings),
        "rate": f"{optimizer.learning_rate:g}, warm-up {optimizer.warmup_fraction:.0%}, {optimizer.schedule}",
        "learner": f"{learner.num_workers} rank(s), ZeRO {learner.zero_stage}, "
        f"micro-batches of {learner.micro_batch_tokens:,} padded tokens",
    }
    if model is not None:
        memory = estimate_memory(config, count_parameters(model), on_gpu=num_planned_gpus(config.cluster.address) > 0)
        facts["memory"] = (
            f"{memory.num_parameters / 1e6:,.1f} M parameters, about {memory.per_worker_gib['learner']:.1f} GiB a rank "
            "when all of them train, without activations"
        )
    for name, value in facts.items():
        console.print(f"{name:<9}{value}", markup=False, highlight=False, soft_wrap=True)
    sample = demonstrations[0].sample
    template = ChatTemplate.of_checkpoint(model) if model else None
    console.print(f"One demonstration: {sample.id}", markup=False, highlight=False, soft_wrap=True)
    prompt = render_prompt(template, sample) if template else sample.question
    console.print(prompt + demonstrations[0].response, markup=False, highlight=False, soft_wrap=True)


def _trained(config: Config, settings: SFTStageConfig) -> str:
    if config.learner.lora.rank:
        return f"LoRA adapters of rank {config.learner.lora.rank}"
    parts = {"vision encoder": settings.freeze_vision, "projector": settings.freeze_projector}
    return ", ".join(["language model", *(part for part, frozen in parts.items() if not frozen)])
