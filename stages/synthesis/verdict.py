"""The judge's verdict, read strictly."""

import json
import re
from typing import Any

FAULTS = ("hallucination", "label_leakage", "logical_inconsistency")
"""What the judge looks for (paper, section on VEC-CoT)."""

VERDICT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {**{fault: {"type": "boolean"} for fault in FAULTS}, "reason": {"type": "string"}},
    "required": [*FAULTS, "reason"],
    "additionalProperties": False,
}
"""JSON schema of a verdict."""

VERDICT_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "verdict", "strict": True, "schema": VERDICT_SCHEMA},
}
"""`response_format` of a request to an endpoint that can enforce the schema."""

_FENCED = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


def read_verdict(text: str) -> tuple[tuple[str, ...], str]:
    """Return (faults found, the judge's words) of one reply.

    The reply must be one JSON object, a code fence around it at most, with exactly the members of `VERDICT_SCHEMA`,
    each once and of its type.

    Raises:
        ValueError: it is anything else; the message says what.
    """
    text = text.strip()
    fenced = _FENCED.fullmatch(text)
    try:
        verdict = json.loads(fenced[1] if fenced else text, object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(verdict, dict):
        raise ValueError(f"a {type(verdict).__name__} instead of an object")  # noqa: TRY004  (one error for all)
    if set(verdict) != {*FAULTS, "reason"}:
        raise ValueError(f"its members are {sorted(verdict)}")
    if not all(isinstance(verdict[fault], bool) for fault in FAULTS) or not isinstance(verdict["reason"], str):
        raise ValueError("a member is of another type")
    return tuple(fault for fault in FAULTS if verdict[fault]), verdict["reason"].strip()


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) != len(members):
        raise ValueError("a member is there twice")
    return read
