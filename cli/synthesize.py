import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.options import DEFAULT_RECIPE, ConfigOption, ImageRootOption, SetOption

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.platform.config.tree import Config
    from emocal_rl.stages.synthesis.construction import Construction
    from emocal_rl.stages.synthesis.files import SynthesisFiles
    from emocal_rl.stages.synthesis.output import Summary

DataOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Image-label pairs: any dataset file the other commands read.")
]
SynthVECOption = Annotated[
    bool, typer.Option("--synthvec", help="Pairs of SynthVEC, where what is said of an image can be checked.")
]
OutOption = Annotated[
    str | None,
    typer.Option(metavar="FILE.jsonl", help="VEC-CoT rows that were kept; the rest goes to FILE.synthesis/."),
]
TeacherOption = Annotated[str | None, typer.Option(metavar="MODEL", help="Served name, local checkpoint or hub id.")]
TeacherURLOption = Annotated[
    str | None, typer.Option("--teacher-url", metavar="URL", help="OpenAI-compatible endpoint; without it local.")
]
TeacherTemplateOption = Annotated[str | None, typer.Option(metavar="PATH", help="Prompt of the teacher (Jinja).")]
JudgeOption = Annotated[str | None, typer.Option(metavar="MODEL", help="The same for the judge.")]
JudgeURLOption = Annotated[str | None, typer.Option("--judge-url", metavar="URL", help="The same for the judge.")]
JudgeTemplateOption = Annotated[str | None, typer.Option(metavar="PATH", help="Prompt of the judge (Jinja).")]
LimitOption = Annotated[int | None, typer.Option(metavar="N", help="Only the first N pairs; a later run continues.")]
MaxCostOption = Annotated[float | None, typer.Option(help="Spend no more, in the currency of the configured prices.")]
MaxRequestsOption = Annotated[int | None, typer.Option(help="Have no more requests to endpoints answered.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the plan and both prompts; ask nothing.")]
ShowTemplatesOption = Annotated[bool, typer.Option("--show-templates", help="Print both templates, and do nothing.")]


def synthesize(
    data: DataOption = None,
    synthvec: SynthVECOption = False,
    out: OutOption = None,
    image_root: ImageRootOption = None,
    teacher: TeacherOption = None,
    teacher_url: TeacherURLOption = None,
    teacher_template: TeacherTemplateOption = None,
    judge: JudgeOption = None,
    judge_url: JudgeURLOption = None,
    judge_template: JudgeTemplateOption = None,
    limit: LimitOption = None,
    max_cost: MaxCostOption = None,
    max_requests: MaxRequestsOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    dry_run: DryRunOption = False,
    show_templates: ShowTemplatesOption = False,
) -> None:
    """Construct VEC-CoT: a teacher writes the five-part reasoning to image and label, a judge keeps or rejects it.

    The judge looks for hallucination, label leakage and logical inconsistency; a reasoning that names the label is
    rejected without it. Every answer is journaled as it comes: stopped anywhere, the same command continues.

    The endpoint's key is read from OPENAI_API_KEY (or synthesis.teacher.api_key_env; null for none).

    Examples:
      emocal-rl synthesize --data pairs.jsonl --out vec_cot.jsonl --teacher big-vlm --teacher-url https://host/v1
        --judge other-vlm --judge-url https://host/v1 --limit 20 --dry-run
      emocal-rl synthesize --synthvec --out cot.jsonl --teacher ckpt/vlm --judge ckpt/other-vlm
      emocal-rl synthesize --show-templates
    """
    from emocal_rl.platform.config.load import resolve_config

    flags: dict[str, Any] = {
        "synthesis.data": data,
        "synthesis.max_samples": limit,
        "synthesis.max_cost": max_cost,
        "synthesis.max_requests": max_requests,
        "synthesis.teacher.model": teacher,
        "synthesis.teacher.base_url": teacher_url,
        "synthesis.teacher.template": teacher_template,
        "synthesis.judge.model": judge,
        "synthesis.judge.base_url": judge_url,
        "synthesis.judge.template": judge_template,
        "data.image_root": image_root,
    }
    resolved = resolve_config(config or (DEFAULT_RECIPE if synthvec else None), flags, sets or ())
    if show_templates:
        _print_templates(resolved.synthesis.teacher.template, resolved.synthesis.judge.template)
    else:
        _start(resolved, out, synthvec=synthvec, dry_run=dry_run)


def _start(config: "Config", out: str | None, *, synthvec: bool, dry_run: bool) -> None:
    from rich.console import Console

    from emocal_rl.platform.errors import UserError

    data = config.synthesis.data
    if (data is None) != synthvec:
        raise UserError("--data", data, rule="exactly one of --data (synthesis.data) and --synthvec must be given")
    if out is None:
        raise UserError("--out", rule="must be given", fix="Name the .jsonl file the kept rows go to.")

    from emocal_rl.stages.synthesis.construction import Construction
    from emocal_rl.stages.synthesis.files import SynthesisFiles

    console, files = Console(), SynthesisFiles.at(out)
    construction = Construction(config)
    _print_plan(construction, files, console)
    if dry_run:
        _print_example(construction, console)
    else:
        _run(construction, files, console)


def _run(construction: "Construction", files: "SynthesisFiles", console: "Console") -> None:
    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.errors import UserError
    from emocal_rl.platform.runs.lock import RunLock
    from emocal_rl.stages.synthesis import construction as job

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: local engines are stopped
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"cannot be written: {error.strerror}"
        raise UserError("--out", str(files.out), rule=rule, fix="Check the path and its permissions.") from error
    lock = RunLock(files.folder)
    lock.acquire()
    try:
        with open_view(console) as view:
            summary = job.run(construction, files, view)
    finally:
        lock.release()
    _print_summary(summary, files, construction.pairs.image_root, console)
    if summary.open and summary.is_budget_spent:
        caps = construction.config.synthesis
        name = "max_requests" if caps.max_cost is None else "max_cost"
        rule = f"is spent (cost {summary.cost:g}), {summary.open} samples are open"
        fix = "Raise it and run the same command again: it continues."
        raise UserError(f"synthesis.{name}", getattr(caps, name), rule=rule, fix=fix)
    if summary.open:
        rule = f"{summary.open} samples got no answer"
        raise UserError("synthesis", rule=rule, fix="Run the same command again: it asks for them alone.")


def _print_templates(teacher: str | None, judge: str | None) -> None:
    from emocal_rl.stages.synthesis.prompts import template_text

    for title, text in (("teacher", template_text("teacher", teacher)), ("judge", template_text("judge", judge))):
        typer.echo(f"{{# {title} #}}\n{text}")


def _print_plan(construction: "Construction", files: "SynthesisFiles", console: "Console") -> None:
    settings, samples = construction.config.synthesis, construction.pairs.samples
    facts = {
        "pairs": f"{len(samples):,} from {settings.data or 'SynthVEC'}",
        "teacher": _describe_model(settings.teacher),
        "judge": _describe_model(settings.judge),
        "caps": f"cost {settings.max_cost or 'none'}, requests {settings.max_requests or 'none'}",
        "out": f"{files.out}, journal and rejected rows in {files.folder}"
        + (", continuing the journal" if files.journal.exists() else ""),
    }
    for name, value in facts.items():
        console.print(f"{name:<9}{value}", markup=False, highlight=False, soft_wrap=True)


def _describe_model(model: Any) -> str:
    if model.base_url is None:
        return f"{model.model} in our rollout workers"
    prices = f"{model.input_price:g} / {model.output_price:g} per million tokens in / out"
    return f"{model.model} at {model.base_url}, {model.concurrency} requests at a time, {prices}"


def _print_example(construction: "Construction", console: "Console") -> None:
    sample = construction.pairs.samples[0]
    for role, prompt in construction.example.items():
        console.print(f"\nPrompt of the {role} for {sample.id}, after its image:", highlight=False)
        console.print(prompt, markup=False, highlight=False, soft_wrap=True)


def _print_summary(summary: "Summary", files: "SynthesisFiles", image_root: str, console: "Console") -> None:
    lines = [f"kept {summary.kept:,}, rejected {summary.rejected:,}, open {summary.open:,}"]
    lines += [f"  rejected for {reason}: {count:,}" for reason, count in summary.reasons.most_common()]
    lines.append(f"texts of the teacher that were no use: {summary.malformed:,}")
    for role, used in summary.usage.items():
        tokens = f"{used['prompt_tokens']:,} prompt and {used['completion_tokens']:,} completion tokens"
        lines.append(f"{role}: {used['replies']:,} replies, {tokens}, cost {used['cost']:g}")
    for kind, claims in (summary.claims or {}).items():
        share = (
            "no claims" if claims.share_right is None else f"{claims.share_right:.1%} of {claims.num_claims:,} right"
        )
        lines.append(f"attribute words of {kind} reasonings: {share}")
    if not Path(image_root).is_relative_to(files.out.parent):
        lines.append(f"Who reads the kept rows needs --image-root {image_root}")
    lines.append(f"Kept: {files.out}\nRejected: {files.rejected}\nSummary: {files.summary}")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
