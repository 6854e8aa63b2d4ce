import json
import signal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.asked_model import (
    EndpointOption,
    KeyOption,
    LogprobsOption,
    MaxTokensOption,
    ModelOption,
    SeedOption,
    describe_asked_model,
    resolve_asked_model,
)
from emocal_rl.cli.options import (
    DEFAULT_RECIPE,
    AddressOption,
    ConfigOption,
    ImageRootOption,
    JsonOption,
    RevisionOption,
    SetOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.platform.config.tree import Config
    from emocal_rl.stages.inference.job import InferenceJob
    from emocal_rl.stages.inference.output import Outcome

_OFFICIAL_TEMPERATURE = 0.7


class Prompt(StrEnum):
    """Which question is asked."""

    TRAINED = "trained"
    ZERO_SHOT = "zero-shot"
    ZERO_SHOT_CONFIDENCE = "zero-shot-confidence"


BenchOption = Annotated[
    str, typer.Option(metavar="vecbench|synthvec|eemo|mvei|FILE.py:CLASS", help="What is asked; a suite of yours too.")
]
DataOption = Annotated[list[str] | None, typer.Option(metavar="FILE", help="The benchmark's files; once per file.")]
JudgeOption = Annotated[
    str | None, typer.Option(metavar="DIR|HUB_ID|NAME", help="Scores eemo's texts; NAME: at evaluation.judge.base_url.")
]
OutOption = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder to write; without it predictions/MODEL-BENCH.")
]
PromptOption = Annotated[
    Prompt | None, typer.Option(help="trained: the rows' own questions; zero-shot...: for a model without training.")
]
RepeatsOption = Annotated[int | None, typer.Option(min=1, help="Answers to every sample, with --seed, --seed + 1, ...")]
TemperatureOption = Annotated[
    float | None, typer.Option(help="0 is greedy; without it the recipe's, without a recipe 0.7.")
]
LimitOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only a seeded subset of N samples.")]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Rollout workers, data-parallel; without it the config's.")
]
RateOption = Annotated[
    float | None, typer.Option("--requests-per-minute", help="Ask the endpoint no more often; without it any.")
]
MaxCostOption = Annotated[
    float | None, typer.Option(help="Spend no more there, in the currency of the configured prices.")
]
MaxRequestsOption = Annotated[int | None, typer.Option(help="Have no more requests answered there.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read the data, show the plan; start nothing.")]


def run(
    model: ModelOption = None,
    bench: BenchOption = "vecbench",
    data: DataOption = None,
    image_root: ImageRootOption = None,
    out: OutOption = None,
    prompt: PromptOption = None,
    repeats: RepeatsOption = None,
    seed: SeedOption = None,
    temperature: TemperatureOption = None,
    max_new_tokens: MaxTokensOption = None,
    limit: LimitOption = None,
    revision: RevisionOption = None,
    workers: WorkersOption = None,
    address: AddressOption = None,
    endpoint: EndpointOption = None,
    api_key_env: KeyOption = None,
    logprobs: LogprobsOption = False,
    requests_per_minute: RateOption = None,
    max_cost: MaxCostOption = None,
    max_requests: MaxRequestsOption = None,
    judge: JudgeOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Answer a benchmark with any model, write the predictions, and score them (VECBench under `strict`).

    Answers are journaled: the same command continues. Rows also hold the
    probabilities of the answer's token (confidence_ans) and of all (_avg).

    Examples:
      emocal-rl eval run --model wudq/EmoCaliber --config emocaliber-7b --data vecbench.jsonl
      emocal-rl eval run --model runs/calibration-.../model --bench synthvec --repeats 3
      emocal-rl eval run --model M --endpoint https://api.openai.com/v1 --bench mvei --data mvei.json --max-requests 500
    """
    flags: dict[str, Any] = {
        "model.revision": revision,
        "data.image_root": image_root,
        "run.seed": seed,
        "cluster.address": address,
        "pipeline.num_sampling_workers": workers,
        "evaluation.prompt": prompt and prompt.value,
        "evaluation.num_repeats": repeats,
        "evaluation.max_samples": limit,
        "evaluation.endpoint.api_key_env": api_key_env,
        "evaluation.endpoint.logprobs": logprobs or None,
        "evaluation.endpoint.requests_per_minute": requests_per_minute,
        "evaluation.endpoint.max_cost": max_cost,
        "evaluation.endpoint.max_requests": max_requests,
        "evaluation.judge.model": judge,
    }
    recipe = config or (DEFAULT_RECIPE if bench == "synthvec" else None)
    if recipe is None and temperature is None:
        flags["evaluation.sampling.temperature"] = _OFFICIAL_TEMPERATURE
    resolved = resolve_asked_model(
        recipe, flags, sets, model=model, endpoint=endpoint, temperature=temperature, max_new_tokens=max_new_tokens
    )
    _start(resolved, bench, data or [], out, as_json=as_json, dry_run=dry_run)


def _start(config: "Config", bench: str, data: list[str], out: str | None, *, as_json: bool, dry_run: bool) -> None:
    from rich.console import Console

    from emocal_rl.stages.inference.job import prepare

    console = Console(stderr=as_json)
    job = prepare(config, bench, data, out)
    _print_plan(job, console)
    if dry_run:
        return
    outcome = _run(job, console)
    if as_json:
        typer.echo(json.dumps(outcome.to_dict(), indent=2, allow_nan=False))
        return
    from emocal_rl.cli.inference_tables import is_vecbench, print_outcome

    print_outcome(outcome, config.run.seed, console)
    if outcome.num_failures:
        line = "did not get an answer and counts as wrong; the same command asks again what was not refused."
        console.print(f"{outcome.num_failures:,} question(s) {line}", highlight=False, soft_wrap=True)
    for path in (*outcome.predictions, str(job.files.summary)):
        console.print(path, markup=False, highlight=False, soft_wrap=True)
    if not is_vecbench(outcome.scores[0]):
        return
    named = " ".join(f"{job.files.folder.name}={path}" for path in outcome.predictions)
    console.print(f"Next: emocal-rl eval compare {named}", markup=False, highlight=False, soft_wrap=True)


def _run(job: "InferenceJob", console: "Console") -> "Outcome":
    from emocal_rl.cli.live import open_view
    from emocal_rl.stages.inference import job as inference

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: the engines are stopped
    with open_view(console) as view:
        return inference.run(job, view)


def _print_plan(job: "InferenceJob", console: "Console") -> None:
    num_repeats = job.config.evaluation.num_repeats
    num_samples = len(job.questions) // num_repeats
    facts = {
        "model": describe_asked_model(job.config),
        "bench": f"{job.bench}: {num_samples:,} samples, {num_repeats} answer(s) each, prompt "
        f"{job.config.evaluation.prompt}; {job.num_done:,} of {len(job.questions):,} answered already"
        + f"; {job.num_left_out:,} more need --logprobs"
        * bool(job.num_left_out),
        "tasks": ", ".join(f"{task or 'by candidates'} {count:,}" for task, count in job.num_by_task.items()),
        "output": str(job.files.folder),
    }
    for name, value in facts.items():
        console.print(f"{name:<8}{value}", markup=False, highlight=False, soft_wrap=True)
