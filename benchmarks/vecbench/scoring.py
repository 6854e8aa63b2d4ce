"""Prediction files to the numbers of one protocol or several, in one pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emocal_rl.benchmarks.vecbench.explain import Disagreement
from emocal_rl.benchmarks.vecbench.official import official_report
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, concatenate
from emocal_rl.benchmarks.vecbench.paper import paper_report
from emocal_rl.benchmarks.vecbench.reading import ELICITATIONS, READINGS, read_parts
from emocal_rl.benchmarks.vecbench.strict import ProtocolReport, strict_report
from emocal_rl.benchmarks.vecbench.table_report import TableReport
from emocal_rl.platform.progress import Progress

Report = ProtocolReport | TableReport

PROTOCOLS: Mapping[str, Sequence[str]] = {
    "strict": ("strict",),
    "paper": ("strict",),
    "official": ("official", "official_overall"),
}
"""The protocols, and the readings of a response that each scores."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What came of prediction files: `reports` by protocol, `outcomes` by reading."""

    reports: Mapping[str, Report]
    outcomes: Mapping[str, Outcomes]


def score_files(
    urls: Sequence[str],
    protocols: Sequence[str],
    progress: Progress,
    *,
    num_bins: int = 10,
    on_disagreements: Callable[[Sequence[Disagreement]], None] | None = None,
    elicitation: str = "verb",
) -> Scores:
    """Score one set of predictions that is spread over several files.

    Args:
        urls: JSONL or Parquet files, paths or fsspec URLs.
        protocols: keys of `PROTOCOLS`.
        progress: told the number of rows read.
        num_bins: bins of the ECE under `strict`; the others always have 10.
        on_disagreements: called with the rows that the protocols count differently, as they are found.
        elicitation: key of `ELICITATIONS`; another than `verb` goes with `strict` alone.

    Raises:
        DataError: a file cannot be read or has no rows, a row is malformed, or an id occurs twice.
    """
    needed = {name for protocol in protocols for name in PROTOCOLS[protocol]}
    readings = [name for name in READINGS if name in needed or on_disagreements]
    if elicitation != "verb":
        assert readings == ["strict"]
        readings = [ELICITATIONS[elicitation]]
    parts: dict[str, list[Outcomes]] = {name: [] for name in readings}
    for part in read_parts(urls, readings, progress, explained=on_disagreements is not None):
        for name, rows in part.outcomes.items():
            parts[name].append(rows)
        if on_disagreements:
            on_disagreements(part.disagreements)
    outcomes = {name: concatenate(columns) for name, columns in parts.items()}
    if elicitation != "verb":
        outcomes = {"strict": outcomes[ELICITATIONS[elicitation]]}
    return Scores({protocol: _report(protocol, outcomes, num_bins) for protocol in protocols}, outcomes)


def _report(protocol: str, outcomes: Mapping[str, Outcomes], num_bins: int) -> Report:
    match protocol:
        case "strict":
            return strict_report(outcomes["strict"], num_bins)
        case "paper":
            return paper_report(outcomes["strict"])
        case _:
            return official_report(outcomes["official"], outcomes["official_overall"])
