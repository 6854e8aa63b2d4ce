"""The case browser's data: one question each, and what every model said to it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from markupsafe import Markup

from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.report.page import json_for_script


@dataclass(frozen=True, slots=True)
class ShownPrediction:
    """One model's response as the browser shows it.

    `model`: index into the models' names. `response` is None where inference failed, for which `error` is the reason.
    `answer` is the label that was read, `written` what stands in the answer part, None where there is no such part.
    """

    model: int
    response: str | None
    error: str | None
    parts: Mapping[str, str]
    answer: str | None
    written: str | None
    confidence: float | None
    confidence_problem: str | None
    correct: bool
    well_formed: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `image` is a data URI, or empty when the image was not to be had."""

    id: str
    task: str
    image: str
    question: str
    label: str
    predictions: Sequence[ShownPrediction]


def cases_json(models: Sequence[str], cases: Sequence[Case]) -> Markup:
    """Return what `evaluation.js` reads."""
    parts = [(part, part.capitalize()) for part in REASONING_PARTS]
    shown: dict[str, Any] = {"models": models, "parts": parts, "cases": [asdict(case) for case in cases]}
    return json_for_script(shown)
