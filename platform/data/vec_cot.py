"""VEC-CoT, ms-swift rows: `messages` with `<image>` placeholders (or `query`, `response`) and `images`.

A response of which only a part carries loss (equation 3) is several assistant messages in a row, each with ms-swift's
own `loss` flag: what the scaffold said with `"loss": false`, then the confidence with `"loss": true`.
"""

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.rows import Row, portable_reference, read_rows, refuse_repeated_id
from emocal_rl.platform.responses.grammar import parse_response

_PLACEHOLDER = "<image>"
_LIST_LITERAL = re.compile(r"\[[^\[\]]*\]")

LossSpans = tuple[tuple[int, int], ...]


def read_vec_cot(url: str, image_root: str | None = None) -> Iterator[DemonstrationSample]:
    """Yield the demonstrations of a VEC-CoT file; `image_root` defaults to the file's own folder.

    Raises:
        DataError: naming the first malformed row's file, line and key.
    """
    seen: dict[str, int] = {}
    for row in read_rows(url, image_root):
        refuse_repeated_id(seen, row)
        yield demonstration_of_vec_cot_row(row)


def write_vec_cot(url: str, demonstrations: Iterable[DemonstrationSample]) -> None:
    """Write demonstrations that `read_vec_cot` reads back; ms-swift ignores the keys it does not know."""
    write_jsonl(url, (_row_of_demonstration(url, demonstration) for demonstration in demonstrations))


def demonstration_of_vec_cot_row(row: Row) -> DemonstrationSample:
    """Check one row and return its demonstration.

    The label is `ground_truth` where the row has one, else the answer in the response; candidates are `candidates`,
    else the last Python list of strings in the question. Adjacent assistant messages are one response; those with
    `"loss": false` carry no loss.

    Raises:
        DataError: naming file, line and key.
    """
    system, user, assistant = _read_messages(row)
    question = _strip_placeholders(row, user)
    response = "".join(message["content"] for message in assistant)
    task = row.text("task") if row.value.get("task") is not None else ""
    candidates = row.texts("candidates") or _candidates_in(question)
    label_key, label = "ground_truth", parse_response(response).answer
    if row.value.get("ground_truth") is not None:
        label = row.text("ground_truth")
    elif not label:
        rule = "needs `ground_truth`, or exactly one <answer>LABEL</answer> in the response"
        raise row.error("response", response, rule, "Correct the row, or drop it.")
    else:
        label_key = "answer"
    row.check_label(label_key, label, task, candidates)
    images = tuple(row.image("images", reference) for reference in row.texts("images"))
    sample = Sample(row.id, images, question, candidates, label, task, row.url, row.line, system)
    spans, loss_on_end = _read_loss(row, assistant)
    return DemonstrationSample(sample, response, spans, loss_on_end)


def _read_messages(row: Row) -> tuple[str, str, Sequence[Mapping[str, Any]]]:
    """Return (system prompt, user text, assistant messages)."""
    if "messages" not in row.value:
        if row.value.get("history"):
            raise row.error("history", row.value["history"], "must be empty: one turn a row", "Split or drop the row.")
        system = row.text("system") if row.value.get("system") else ""
        return system, row.text("query"), [{"content": row.text("response")}]
    messages = row.value["messages"]
    if not isinstance(messages, list) or not all(_is_message(message) for message in messages):
        rule = "must be a list of {'role': ..., 'content': STRING}"
        raise row.error("messages", messages, rule, "Correct the row, or drop it.")
    roles = [message["role"] for message in messages]
    first = 2 if roles[:1] == ["system"] else 1
    if roles[first - 1 : first] != ["user"] or set(roles[first:]) != {"assistant"}:
        rule = f"must be one user and one assistant turn, after a system message at most; the roles are {roles}"
        raise row.error("messages", None, rule, "Split conversations of several turns, or drop the row.")
    if not any(message["content"].strip() for message in messages[first:]):
        raise row.error("messages", messages[-1], "the assistant's content must not be empty", "Drop the row.")
    return messages[0]["content"] if first == 2 else "", messages[first - 1]["content"], messages[first:]


def _is_message(message: object) -> bool:
    match message:
        case {"role": str(), "content": str()}:
            return True
    return False


def _strip_placeholders(row: Row, user: str) -> str:
    """Return the user text without its leading `<image>` placeholders, one for each of the row's images."""
    num_images, num_placeholders = len(row.texts("images")), user.count(_PLACEHOLDER)
    if num_images == 0 or num_images != num_placeholders:
        rule = f"must be as many as the {_PLACEHOLDER} placeholders, at least one: {num_images} and {num_placeholders}"
        raise row.error("images", None, rule, "Correct the row, or drop it.")
    text = user
    for _ in range(num_images):
        text = text.lstrip()
        if not text.startswith(_PLACEHOLDER):
            raise row.error("messages", user, f"{_PLACEHOLDER} must come before the text", "Move it to the front.")
        text = text.removeprefix(_PLACEHOLDER)
    if not text.strip():
        raise row.error("messages", user, "the user's question must not be empty", "Drop the row.")
    return text.removeprefix("\n")


def _candidates_in(question: str) -> tuple[str, ...]:
    for literal in reversed(_LIST_LITERAL.findall(question)):
        try:
            items = ast.literal_eval(literal)
        except (ValueError, SyntaxError, MemoryError, RecursionError):  # prose in brackets
            continue
        if len(items) > 1 and all(isinstance(item, str) and item for item in items):
            return tuple(items)
    return ()


def _read_loss(row: Row, assistant: Sequence[Mapping[str, Any]]) -> tuple[LossSpans | None, bool]:
    """Return (`loss_spans`, `loss_on_end`): the end goes with the last message unless our `loss_on_end` says."""
    flags = [message.get("loss", True) for message in assistant]
    on_end = assistant[-1].get("loss_on_end", flags[-1])
    if not all(isinstance(flag, bool) for flag in (*flags, on_end)):
        raise row.error("loss", [*flags, on_end], "must be true or false", "Correct the row.")
    if all(flags):
        return None, on_end
    spans, start = [], 0
    for carries_loss, messages in itertools.groupby(assistant, key=lambda message: message.get("loss", True)):
        end = start + sum(len(message["content"]) for message in messages)
        if carries_loss and end > start:
            spans.append((start, end))
        start = end
    return tuple(spans), on_end


def _assistant_messages(demonstration: DemonstrationSample) -> list[dict[str, Any]]:
    """One message for each run of characters that carry loss alike; `_read_loss` is the inverse."""
    response, spans = demonstration.response, demonstration.loss_spans
    messages: list[dict[str, Any]] = []
    start = 0
    for span_start, end in [] if spans is None else [*spans, (len(response), len(response))]:
        for piece, carries_loss in ((response[start:span_start], False), (response[span_start:end], True)):
            if piece:
                messages.append({"role": "assistant", "content": piece, "loss": carries_loss})
        start = end
    messages = messages or [{"role": "assistant", "content": response}]
    if messages[-1].get("loss", True) != demonstration.loss_on_end:
        messages[-1]["loss_on_end"] = demonstration.loss_on_end
    return messages


def _row_of_demonstration(url: str, demonstration: DemonstrationSample) -> dict[str, Any]:
    sample = demonstration.sample
    system = [{"role": "system", "content": sample.system}] if sample.system else []
    user = {"role": "user", "content": _PLACEHOLDER * len(sample.images) + sample.question}
    row: dict[str, Any] = {
        "id": sample.id,
        "messages": [*system, user, *_assistant_messages(demonstration)],
        "images": [portable_reference(url, image) for image in sample.images],
        "ground_truth": sample.label,
    }
    if sample.task:
        row["task"] = sample.task
    if sample.candidates:
        row["candidates"] = list(sample.candidates)
    return row
