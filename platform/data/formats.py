"""The formats that rows are written in, what each can hold, and its rows."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.parquet import is_parquet
from emocal_rl.platform.data.samples import Example, sample_of
from emocal_rl.platform.data.user_text import PLACEHOLDER
from emocal_rl.platform.data.vec_cot import query_row, vec_cot_row
from emocal_rl.platform.data.vecbench import vecbench_row
from emocal_rl.platform.data.verl import verl_extra_keys, verl_row
from emocal_rl.platform.errors import DataError


class Format(StrEnum):
    """A row format that can be written. Reading needs no name: rows are told apart by their keys."""

    MS_SWIFT = "ms-swift"
    """VEC-CoT: JSONL with `messages`."""
    MS_SWIFT_QUERY = "ms-swift-query"
    """JSONL with `query` and `response`."""
    VERL = "verl"
    """Parquet for reinforcement learning."""
    VECBENCH = "vecbench"
    """JSONL with `conversations`."""


class Part(StrEnum):
    """What a format may have no place for. Every format holds id, images, question, candidates, label, task, system."""

    RESPONSE = "response"
    LOSS = "loss"
    EXTRA = "extra"
    """Keys that are none of the source format's own."""


HOLDS: Mapping[Format, frozenset[Part]] = {
    Format.MS_SWIFT: frozenset({Part.RESPONSE, Part.LOSS}),
    Format.MS_SWIFT_QUERY: frozenset({Part.RESPONSE}),
    Format.VERL: frozenset(),
    Format.VECBENCH: frozenset({Part.RESPONSE}),
}

_ROW_KEYS = {
    "conversations": {"id", "conversations", "task", "ground_truth", "candidates", "response", "confidence"},
    "messages": {"id", "messages", "images", "task", "ground_truth", "candidates"},
    "query": {"id", "query", "response", "system", "history", "images", "task", "ground_truth", "candidates"},
    "prompt": {"data_source", "prompt", "images", "ability", "reward_model", "extra_info"},
}
"""The key by which a row's format is told -> the keys that are read, or that the format's writers make anew."""
_MESSAGE_KEYS = {"role", "content", "loss", "loss_on_end"}


def extra_keys(value: Mapping[str, Any]) -> list[str]:
    """Return the keys of a row that has been read whose values an example has no place for."""
    known = next(keys for sign, keys in _ROW_KEYS.items() if sign in value)
    extra = {key for key, held in value.items() if held is not None} - known
    for message in value.get("messages", ()):
        extra |= message.keys() - _MESSAGE_KEYS
    return sorted(extra | (verl_extra_keys(value) if "prompt" in value else set()))


def lost_parts(to: Format, example: Example, extra: list[str]) -> list[Part]:
    """Return what an example has that the format cannot hold; without its response there is no loss mask to lose."""
    has = [Part.EXTRA] if extra else []
    if not isinstance(example, Sample):
        has.append(Part.RESPONSE)
        if Part.RESPONSE in HOLDS[to] and (example.loss_spans is not None or not example.loss_on_end):
            has.append(Part.LOSS)
    return [part for part in has if part not in HOLDS[to]]


def missing_part(to: Format, sample: Sample) -> str | None:
    """Return why the format cannot hold a sample at all, or None."""
    if to is Format.VECBENCH and not (sample.task and sample.candidates):
        return "VECBench rows need a task and candidates"
    if to is not Format.VECBENCH and PLACEHOLDER in sample.question:
        return f"the question may not contain {PLACEHOLDER}, which stands for an image there"
    return None


def row_of(to: Format, example: Example, *, index: int, split: str, embedded: bool) -> dict[str, Any]:
    """Return an example as a row, its image references as they are; verl's rows are numbered and name their split."""
    match to:
        case Format.MS_SWIFT:
            return vec_cot_row(example)
        case Format.MS_SWIFT_QUERY:
            return query_row(example)
        case Format.VECBENCH:
            return vecbench_row(example)
        case Format.VERL:
            return verl_row(sample_of(example), split=split, index=index, embedded=embedded)


def check_suffix(url: str, to: Format) -> None:
    """Refuse a file name that does not fit the format."""
    if is_parquet(url) != (to is Format.VERL):
        rule = "verl rows are Parquet" if to is Format.VERL else f"{to} rows are JSONL"
        raise DataError(url, rule=rule, fix=f"Name the file {'.parquet' if to is Format.VERL else '.jsonl'}.")
