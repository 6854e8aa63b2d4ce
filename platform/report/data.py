"""What a report shows, as plain data, and how it is read from a run directory."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emocal_rl.platform.report.browser import SampleGroup, load_groups
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import read_journal
from emocal_rl.platform.runs.listing import RunSummary, summarize_run
from emocal_rl.platform.runs.manifest import read_manifest

Metrics = dict[str, float | None]
LoadImage = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Scope:
    """One evaluation over one set of tasks: everything, or the in-domain part.

    `measured` is against the drawn labels; `expected` under the synthetic world's known probabilities and `oracle`
    what the exactly calibrated Bayes answer would score, both None on real data.
    """

    measured: Metrics
    expected: Metrics | None
    oracle: Metrics | None
    tasks: dict[str, Metrics]
    reliability: list[dict[str, Any]]
    """Bins with lower, upper, count, mean_confidence, accuracy."""
    histogram: list[int]
    """Counts of the stated confidences in equal bins over [0, 1]."""

    @property
    def best(self) -> Metrics:
        """The metrics with the least noise: expected where the truth is known, else measured."""
        return self.expected or self.measured


@dataclass(frozen=True)
class Evaluation:
    """One file of `eval/`."""

    name: str
    temperature: float | None
    overall: Scope
    in_domain: Scope | None

    @property
    def primary(self) -> Scope:
        """The tasks the policy was trained on, where they are told apart."""
        return self.in_domain or self.overall


@dataclass(frozen=True)
class ReportData:
    """All that `render_report` draws. What the run does not have is empty, and `notes` says so."""

    summary: RunSummary
    manifest: dict[str, Any]
    config_yaml: str
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    """By name: before_sampled, before_greedy, after_sampled, after_greedy."""
    train: list[dict[str, Any]] = field(default_factory=list)
    validation: list[dict[str, Any]] = field(default_factory=list)
    sft: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    """Those of the events that are alarms."""
    groups: list[SampleGroup] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load_report_data(run_dir: str | Path, load_image: LoadImage | None = None) -> ReportData:
    """Read a run directory, finished or not.

    Args:
        run_dir: the run directory.
        load_image: gives an image's encoded bytes for a sample's reference, or None when it cannot; unset shows none.
    """
    run = RunDirectory(Path(run_dir))
    notes: list[str] = []
    evaluations = read_evaluations(run, notes)
    rows = list(read_journal(run))
    groups = load_groups(run, load_image)
    config_yaml = run.config.read_text(encoding="utf-8") if run.config.is_file() else ""
    manifest = read_manifest(run.manifest)
    missing: dict[str, object] = {"manifest.json": manifest, "config.yaml": config_yaml}
    if not any(row["kind"] == "sft" for row in rows):  # a supervised run has nothing of the following
        missing |= {
            "training rows in metrics.jsonl": [row for row in rows if row["kind"] == "train"],
            "sample files": groups,
            "evaluation before training": _with_prefix(evaluations, "before"),
            "evaluation after training": _with_prefix(evaluations, "after"),
        }
    notes += [f"This run has no {what}." for what, found in missing.items() if not found]
    return ReportData(
        summary=summarize_run(run),
        manifest=manifest,
        config_yaml=config_yaml,
        evaluations=evaluations,
        train=[row for row in rows if row["kind"] == "train"],
        validation=[row for row in rows if row["kind"] == "validation"],
        sft=[row for row in rows if row["kind"] == "sft"],
        events=[row for row in rows if row["kind"] == "event"],
        alarms=[row for row in rows if row["kind"] == "event" and row.get("name") == "alarm"],
        groups=groups,
        notes=notes,
    )


def _with_prefix(names: Iterable[str], prefix: str) -> list[str]:
    return [name for name in names if name.startswith(prefix)]


def read_evaluations(run: RunDirectory, notes: list[str]) -> dict[str, Evaluation]:
    """Read `eval/*.json` by name, without the periodic validations; a file that cannot be read is told in `notes`."""
    found = {}
    for path in sorted(run.evaluations.glob("*.json")):
        if path.stem.startswith("validation-"):
            continue  # the journal has their metrics
        try:
            found[path.stem] = _read_evaluation(path.stem, json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            notes.append(f"eval/{path.name} cannot be read: {type(error).__name__}: {error}")
    return found


def _read_evaluation(name: str, values: dict[str, Any]) -> Evaluation:
    in_domain = values.get("in_domain")
    return Evaluation(
        name=name,
        temperature=values.get("temperature"),
        overall=_read_scope(values),
        in_domain=_read_scope(in_domain) if in_domain else None,
    )


def _read_scope(values: dict[str, Any]) -> Scope:
    return Scope(
        measured=values["overall"],
        expected=values.get("expected"),
        oracle=values.get("oracle"),
        tasks=values.get("tasks", {}),
        reliability=values.get("reliability", []),
        histogram=values.get("histogram") or [],
    )
