"""What a synthesis leaves: kept rows, rejected rows, and the figures."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.synthvec.reasoning_claims import read_claims
from emocal_rl.platform.contracts import DemonstrationSample
from emocal_rl.platform.data.embedded import with_packed_images
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.rows import portable_reference
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages.chat.budget import Budget
from emocal_rl.stages.chat.exchange import Ask, Reply
from emocal_rl.stages.synthesis.dialogue import Outcome
from emocal_rl.stages.synthesis.files import SynthesisFiles
from emocal_rl.stages.synthesis.prompts import ROLES
from emocal_rl.stages.synthesis.reply_journal import ReplyJournal


@dataclass
class Claims:
    """SynthVEC: how many attribute words a set of reasonings has, and how many of them are true of their images."""

    num_claims: int = 0
    num_right: int = 0

    @property
    def share_right(self) -> float | None:
        """Share of right attribute words; None without any."""
        return self.num_right / self.num_claims if self.num_claims else None

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain numbers."""
        return {**asdict(self), "share_right": self.share_right}


@dataclass
class Summary:
    """The figures of a synthesis as it stands, all runs on its output together.

    A sample may be rejected for several reasons. `malformed` counts the teacher's texts that were no use, also where a
    later one was. `claims` is None where nobody knows what the images show.
    """

    kept: int = 0
    rejected: int = 0
    open: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    claims: dict[str, Claims] | None = None
    usage: dict[str, dict[str, float | int]] = field(default_factory=dict)
    is_budget_spent: bool = False

    def count(self, outcome: Outcome, oracle: Oracle | None) -> None:
        """Take one finished sample in."""
        is_kept = not outcome.reasons
        self.kept += is_kept
        self.rejected += not is_kept
        self.reasons.update(outcome.reasons)
        self.malformed += outcome.malformed
        if self.claims is not None and oracle is not None and outcome.reasoning is not None:
            claims = read_claims(outcome.reasoning, oracle.scene(outcome.sample.id))
            counted = self.claims["kept" if is_kept else "rejected"]
            counted.num_claims += len(claims)
            counted.num_right += sum(claim.distance == 0 for claim in claims)

    @property
    def cost(self) -> float:
        """Cost of both roles."""
        return float(sum(row["cost"] for row in self.usage.values()))

    def to_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        claims = {kind: one.to_dict() for kind, one in self.claims.items()} if self.claims is not None else None
        return {**asdict(self), "reasons": dict(self.reasons.most_common()), "claims": claims, "cost": self.cost}


Standing = tuple[Outcome | Ask, tuple[Reply, ...]]
"""Where a sample stands, and the replies about it."""


def write_outcomes(
    standings: Callable[[], Iterator[Standing]],
    files: SynthesisFiles,
    journal: ReplyJournal,
    budget: Budget,
    oracle: Oracle | None,
) -> Summary:
    """Write kept rows, rejected rows and the summary, each file whole or not at all.

    Args:
        standings: gives all samples in the order they shall be written; called once per file.
        files: where to write.
        journal: of all replies.
        budget: that was spent from.
        oracle: what the images show, if it is known.
    """
    summary = Summary(claims={"kept": Claims(), "rejected": Claims()} if oracle else None)
    write_vec_cot(str(files.out), _kept(standings()))
    write_jsonl(str(files.rejected), _rejected(standings(), files, summary, oracle))
    for role in ROLES:
        summary.usage[role] = {
            "replies": journal.usage.num_replies[role],
            "prompt_tokens": journal.usage.num_prompt_tokens[role],
            "completion_tokens": journal.usage.num_completion_tokens[role],
            "cost": budget.cost(role),
        }
    summary.is_budget_spent = budget.is_spent
    write_text(files.summary, json.dumps(summary.to_dict(), indent=2) + "\n")
    return summary


def _kept(standings: Iterator[Standing]) -> Iterator[DemonstrationSample]:
    for standing, _ in standings:
        if isinstance(standing, Outcome) and (demonstration := standing.demonstration) is not None:
            yield replace(demonstration, sample=with_packed_images(demonstration.sample))


def _rejected(
    standings: Iterator[Standing], files: SynthesisFiles, summary: Summary, oracle: Oracle | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows for the audit, and count everything on the way."""
    for outcome, replies in standings:
        if isinstance(outcome, Ask):
            summary.open += 1
            continue
        summary.count(outcome, oracle)
        if outcome.reasons:
            yield _audit_row(outcome, replies, files)


def _audit_row(outcome: Outcome, replies: tuple[Reply, ...], files: SynthesisFiles) -> dict[str, Any]:
    sample, folder = outcome.sample, Location.parse(str(files.folder))
    return {
        "id": sample.id,
        "task": sample.task,
        "ground_truth": sample.label,
        "images": [portable_reference(folder, image) for image in sample.images],
        "reasons": list(outcome.reasons),
        "detail": outcome.detail,
        "reasoning": outcome.reasoning,
        "replies": [
            {"role": reply.role, "finish_reason": reply.finish_reason, "text": reply.text} for reply in replies
        ],
    }
