"""The sample browser's data: groups of responses from early, middle and late steps, with image thumbnails."""

import base64
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from emocal_rl.platform.data.images import ImageLimits, decode_image
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.samples import read_samples

NUM_STEPS = 5
GROUPS_PER_STEP = 16
THUMBNAIL_PIXELS = 168


@dataclass(frozen=True)
class ShownResponse:
    """One response as the browser shows it. `confidence_advantage` is None where it is the response's own."""

    text: str
    answer: str | None
    confidence: float | None
    correct: bool
    well_formed: bool
    finish_reason: str
    num_tokens: int
    total: float | None
    terms: dict[str, float | None]
    advantage: float | None
    confidence_advantage: float | None
    masked: str | None


@dataclass(frozen=True)
class SampleGroup:
    """One sample at one step and its responses. `image` is a data URI, or empty when the image was not to be had."""

    step: int
    sample_id: str
    task: str
    question: str
    label: str
    image: str
    weight_version: int
    responses: list[ShownResponse]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return asdict(self)


def load_groups(run: RunDirectory, load_image: Callable[[str], bytes | None] | None) -> list[SampleGroup]:
    """Read groups from `NUM_STEPS` steps spread from the first to the last, `GROUPS_PER_STEP` of each."""
    steps = [step for step, _ in run.list_samples()]
    if len(steps) > NUM_STEPS:
        steps = [steps[round(i * (len(steps) - 1) / (NUM_STEPS - 1))] for i in range(NUM_STEPS)]
    thumbnails: dict[str, str] = {}
    groups = []
    for step in steps:
        by_sample: dict[str, list[dict[str, Any]]] = {}
        for row in read_samples(run, step):
            by_sample.setdefault(row["sample_id"], []).append(row)
        for rows in list(by_sample.values())[:GROUPS_PER_STEP]:
            reference = rows[0]["image"]
            if load_image is not None and reference and reference not in thumbnails:
                thumbnails[reference] = thumbnail(load_image(reference))
            groups.append(_to_group(rows, thumbnails.get(reference, "")))
    return groups


def _to_group(rows: list[dict[str, Any]], image: str) -> SampleGroup:
    first = rows[0]
    return SampleGroup(
        step=first["step"],
        sample_id=first["sample_id"],
        task=first["task"],
        question=first["question"],
        label=first["label"],
        image=image,
        weight_version=first["weight_version"],
        responses=[_to_response(row) for row in sorted(rows, key=lambda row: row["response_index"])],
    )


def _to_response(row: dict[str, Any]) -> ShownResponse:
    own = row.get("confidence_advantage")  # runs begun before there was one have no such column
    terms = {name.removeprefix("reward_"): value for name, value in row.items() if name.startswith("reward_")}
    return ShownResponse(
        text=row["text"],
        answer=row["answer"],
        confidence=row["confidence"],
        correct=row["correct"],
        well_formed=row["well_formed"],
        finish_reason=row["finish_reason"],
        num_tokens=row["num_tokens"],
        total=terms.pop("total"),
        terms=terms,
        advantage=row["advantage"],
        confidence_advantage=None if own == row["advantage"] else own,
        masked=row["masked"],
    )


def thumbnail(data: bytes | None) -> str:
    """Encode a small JPEG as a data URI; empty for an image that cannot be shown."""
    if data is None:
        return ""
    try:
        small = decode_image(data, ImageLimits())
    except DataError:
        return ""
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.getvalue()).decode()}"
