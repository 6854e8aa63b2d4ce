"""The report: one HTML file that works offline, with a content security policy that lets nothing else in."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emocal_rl.platform.report.calibration_figures import Panel, draw_histograms, draw_reliability
from emocal_rl.platform.report.comparison import COLUMNS, LOWER_IS_BETTER, compare, decoding_name
from emocal_rl.platform.report.data import LoadImage, ReportData, load_report_data
from emocal_rl.platform.report.page import json_for_script, render_page, svg_uri
from emocal_rl.platform.report.palette import AFTER, BEFORE
from emocal_rl.platform.report.training_figures import draw_learning_curves, draw_phase_times, draw_sft_losses
from emocal_rl.platform.report.watch_figures import draw_monitors, draw_tasks
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.platform.runs.directory import RunDirectory


def render_report(data: ReportData) -> str:
    """Render the whole page. Everything that came from a model, a dataset or a config is escaped."""
    return render_page(
        "report.html.jinja",
        "report.js",
        {"number": format_number, "percent": _format_percent, "duration": format_duration, "when": _format_time},
        data=data,
        summary=data.summary,
        cards=_cards(data),
        comparisons=compare(data.evaluations),
        columns=COLUMNS,
        figures=_figures(data),
        tasks=_task_rows(data),
        facts=_facts(data),
        samples=json_for_script([group.to_dict() for group in data.groups]),
    )


def write_report(run: RunDirectory, load_image: LoadImage | None = None) -> Path:
    """Render the run's report into its directory and return the file's path; `load_image` as in `load_report_data`."""
    write_text(run.report, render_report(load_report_data(run.path, load_image)))
    return run.report


def _cards(data: ReportData) -> list[dict[str, Any]]:
    """Headline metrics of the sampled policy, the one that is trained."""
    before, after = data.evaluations.get("before_sampled"), data.evaluations.get("after_sampled")
    if before is None or after is None:
        return []
    old, new, oracle = before.primary.best, after.primary.best, after.primary.oracle
    cards = []
    for name in ("ece", "brier", "accuracy", "mean_confidence"):
        first, last = old.get(name), new.get(name)
        change = None if first is None or last is None else last - first
        tone = "neutral"
        if change is not None and abs(change) >= 0.005 and name != "mean_confidence":
            tone = "good" if (change < 0) == (name in LOWER_IS_BETTER) else "bad"
        reference = oracle.get(name) if oracle else None
        cards.append({"title": COLUMNS[name], "before": first, "after": last, "tone": tone, "oracle": reference})
    return cards


def _figures(data: ReportData) -> list[dict[str, str]]:
    """Draw what there is data for: title, caption, source URI."""
    figures = []
    panels = _calibration_panels(data)
    if any(panel.bins for panel in panels):
        caption = (
            "Each point is a bin of stated confidence, sized by its share of responses, with Wilson's 95 % interval of "
            "its accuracy; perfect calibration is dashed. Below, the number of responses in each bin. Labels as drawn."
        )
        figures.append(("calibration", "Reliability diagram", caption, draw_reliability(panels)))
    if any(panel.histogram for panel in panels):
        caption = "Where the stated confidences lie, on one scale."
        figures.append(("calibration", "Confidence histogram", caption, draw_histograms(panels)))
    if data.train:
        caption = "Faint: as measured on the step's rollouts. Full: moving average. Rings: periodic validation."
        figures.append(("curves", "Learning curves", caption, draw_learning_curves(data.train, data.validation)))
    figures += _watch_figures(data)
    if data.sft:
        caption = "Token cross-entropy of the supervised stages."
        figures.append(("curves", "Supervised losses", caption, draw_sft_losses(data.sft)))
    if data.train:
        caption = (
            "Phases overlap, because groups stream between the roles; 'driver alone' is time in which no role worked."
        )
        figures.append(("time", "Time by phase", caption, draw_phase_times(data.train)))
    return [
        {"section": section, "title": title, "caption": caption, "source": svg_uri(svg)}
        for section, title, caption, svg in figures
    ]


def _watch_figures(data: ReportData) -> list[tuple[str, str, str, str]]:
    """What stage 3 watches, for a run that has watched."""
    figures = []
    if any("rollout/confidence_entropy" in row for row in data.train):
        caption = (
            "Of each step's rollouts. The Brier score is reliability - resolution + uncertainty. Variance shares are "
            "of the total reward within a group. A level of confidence flips if raw "
            "advantages encourage it and normalised ones discourage it, or the other way round. Dotted: an alarm."
        )
        figures.append(("curves", "Watched", caption, draw_monitors(data.train, data.alarms)))
    if svg := draw_tasks(data.train):
        caption = "Mean confidence against accuracy of each task's rollouts, as moving averages."
        figures.append(("curves", "Confidence and accuracy by task", caption, svg))
    return figures


def _calibration_panels(data: ReportData) -> list[Panel]:
    panels = []
    for label, prefix, colour in (("Cold start", "before", BEFORE), ("Calibrated", "after", AFTER)):
        evaluation = data.evaluations.get(f"{prefix}_sampled") or data.evaluations.get(f"{prefix}_greedy")
        if evaluation is not None:
            scope, title = evaluation.primary, f"{label} · {decoding_name(evaluation)}"
            histogram = scope.histogram or evaluation.overall.histogram
            panels.append(Panel(title, colour, scope.reliability, scope.measured.get("ece"), histogram))
    return panels


def _task_rows(data: ReportData) -> list[dict[str, Any]]:
    """Per task: number of samples and before/after metrics, measured."""
    before, after = data.evaluations.get("before_sampled"), data.evaluations.get("after_sampled")
    old = before.overall.tasks if before else {}
    new = after.overall.tasks if after else {}
    return [
        {
            "task": task,
            "num_samples": (new.get(task) or old[task]).get("num_samples"),
            "before": old.get(task, {}),
            "after": new.get(task, {}),
        }
        for task in dict.fromkeys([*old, *new])
    ]


def _facts(data: ReportData) -> list[tuple[str, str]]:
    manifest, summary = data.manifest, data.summary
    host, git = manifest.get("host") or {}, manifest.get("git") or {}
    facts = [
        ("Run directory", summary.path),
        ("Status", f"{summary.status}{': ' + manifest['error'] if manifest.get('error') else ''}"),
        ("Command", " ".join(manifest.get("command", []))),
        ("Started", _format_time(summary.started_at)),
        ("Duration", format_duration(summary.duration_s)),
        ("Steps", str(summary.num_steps)),
        ("Resumed", f"{len(manifest['earlier'])} times" if manifest.get("earlier") else ""),
        ("Commit", f"{git['commit']}{' with local changes' if git['dirty'] else ''}" if git else ""),
        *((f"Reward: {term}", _rule(rule)) for term, rule in manifest.get("reward", {}).items() if rule["weight"]),
        ("Audit", manifest.get("audit") or ""),
        ("Seeds", _pairs(manifest.get("seeds", {}))),
        ("Host", ", ".join(_host_words(host))),
        ("Packages", _pairs(manifest.get("packages", {}))),
        *((f"Hash of {name}", value) for name, value in manifest.get("hashes", {}).items()),
        ("Checkpoints", ", ".join(summary.checkpoints)),
    ]
    return [(name, value) for name, value in facts if value]


def _host_words(host: dict[str, Any]) -> Sequence[str]:
    if not host:
        return ()
    gpus = ", ".join(host["gpus"]) or "no GPU"
    return (host["name"], host["system"], f"{host['num_cpus']} cores", f"{host['memory_gib']} GiB", gpus)


def _rule(described: dict[str, Any]) -> str:
    """A reward term as the manifest knows it: weight, rule, parameters, and which file that was."""
    params = f" ({_pairs(described['params'])})" if described["params"] else ""
    content = f", {described['source']}, sha256 {described['sha256'][:12]}" if described["sha256"] else ""
    return f"{described['weight']:g} × {described['rule']}{params}{content}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def format_number(value: float | None, digits: int = 3) -> str:
    """Write a metric, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"


def _format_percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def format_duration(seconds: float | None) -> str:
    """Write seconds as people read them: 42 s, 3 min 5 s, 2 h 7 min."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def _format_time(seconds: float | None) -> str:
    return "–" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
