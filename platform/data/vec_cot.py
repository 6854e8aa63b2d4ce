"""VEC-CoT, ms-swift rows: `messages` with `<image>` placeholders (or `query`, `response`) and `images`.

A response of which only a part carries loss (equation 3) is several assistant messages in a row, each with ms-swift's
own `loss` flag: what the scaffold said with `"loss": false`, then the confidence with `"loss": true`. A row without a
response is a question to answer, as ms-swift's own reinforcement learning has it.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.rows import Row, read_rows, refuse_repeated_id, with_portable_images
from emocal_rl.platform.data.user_text import candidates_in, question_in, user_text
from emocal_rl.platform.responses.grammar import parse_response

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
    folder = Location.parse(url).parent
    portable = (replace(each, sample=with_portable_images(folder, each.sample)) for each in demonstrations)
    write_jsonl(url, map(vec_cot_row, portable))


def demonstration_of_vec_cot_row(row: Row) -> DemonstrationSample:
    """Check one row and return its demonstration; `example_of_vec_cot_row` says how it is read.

    Raises:
        DataError: naming file, line and key.
    """
    example = example_of_vec_cot_row(row)
    if isinstance(example, Sample):
        key = "messages" if "messages" in row.value else "response"
        raise row.error(key, None, "needs a response to imitate", "Drop the row, or use it in stage 3.", "response")
    return example


def example_of_vec_cot_row(row: Row) -> Sample | DemonstrationSample:
    """Check one row and return its demonstration, or its sample when it has no response.

    The label is `ground_truth` where the row has one, else the answer in the response; candidates are `candidates`,
    else the last Python list of strings in the question. Adjacent assistant messages are one response; those with
    `"loss": false` carry no loss.

    Raises:
        DataError: naming file, line and key.
    """
    system, user, assistant = _read_messages(row)
    references = row.texts("images")
    question = question_in(row, "messages" if "messages" in row.value else "query", user, len(references))
    response = "".join(message["content"] for message in assistant)
    task = row.text("task") if row.value.get("task") is not None else ""
    candidates = row.texts("candidates") or candidates_in(question)
    if row.value.get("ground_truth") is not None:
        label_key, label = "ground_truth", row.text("ground_truth")
    elif not (label := parse_response(response).answer or ""):
        rule = "needs `ground_truth`, or exactly one <answer>LABEL</answer> in the response"
        raise row.error("response", response, rule, "Correct the row, or drop it.", "response")
    else:
        label_key = "answer"
    row.check_label(label_key, label, task, candidates)
    images = tuple(row.image("images", reference) for reference in references)
    sample = Sample(row.id, images, question, candidates, label, task, row.url, row.line, system)
    return DemonstrationSample(sample, response, *_read_loss(row, assistant)) if assistant else sample


def _read_messages(row: Row) -> tuple[str, str, Sequence[Mapping[str, Any]]]:
    """Return (system prompt, user text, assistant messages)."""
    if "messages" not in row.value:
        if row.value.get("history"):
            rule = "must be empty: one turn a row"
            raise row.error("history", row.value["history"], rule, "Split or drop the row.", "roles")
        system = row.text("system") if row.value.get("system") else ""
        has_response = row.value.get("response") is not None
        return system, row.text("query"), [{"content": row.text("response")}] if has_response else []
    messages = row.value["messages"]
    if not isinstance(messages, list) or not all(_is_message(message) for message in messages):
        rule = "must be a list of {'role': ..., 'content': STRING}"
        raise row.error("messages", messages, rule, "Correct the row, or drop it.")
    roles = [message["role"] for message in messages]
    first = 2 if roles[:1] == ["system"] else 1
    if roles[first - 1 : first] != ["user"] or not set(roles[first:]) <= {"assistant"}:
        rule = f"must be one user and one assistant turn, after a system message at most; the roles are {roles}"
        raise row.error("messages", None, rule, "Split conversations of several turns, or drop the row.", "roles")
    assistant = messages[first:]
    if assistant and not any(message["content"].strip() for message in assistant):
        rule = "the assistant's content must not be empty"
        raise row.error("messages", messages[-1], rule, "Drop the row.", "response")
    return messages[0]["content"] if first == 2 else "", messages[first - 1]["content"], assistant


def _is_message(message: object) -> bool:
    match message:
        case {"role": str(), "content": str()}:
            return True
    return False


def _read_loss(row: Row, assistant: Sequence[Mapping[str, Any]]) -> tuple[LossSpans | None, bool]:
    """Return (`loss_spans`, `loss_on_end`): the end goes with the last message unless our `loss_on_end` says."""
    # null is what a column of Parquet has for an absent key
    flags = [True if (flag := message.get("loss")) is None else flag for message in assistant]
    on_end = flags[-1] if (flag := assistant[-1].get("loss_on_end")) is None else flag
    if not all(isinstance(flag, bool) for flag in (*flags, on_end)):
        raise row.error("loss", [*flags, on_end], "must be true or false", "Correct the row.", "loss")
    if all(flags):
        return None, on_end
    spans, start = [], 0
    for carries_loss, run in itertools.groupby(zip(flags, assistant, strict=True), key=lambda pair: pair[0]):
        end = start + sum(len(message["content"]) for _, message in run)
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


def vec_cot_row(example: Sample | DemonstrationSample) -> dict[str, Any]:
    """Return the row that `example_of_vec_cot_row` reads back, with the image references as they are."""
    sample = example if isinstance(example, Sample) else example.sample
    assistant = [] if isinstance(example, Sample) else _assistant_messages(example)
    system = [{"role": "system", "content": sample.system}] if sample.system else []
    user = {"role": "user", "content": user_text(len(sample.images), sample.question)}
    return {"id": sample.id, "messages": [*system, user, *assistant], **_common_keys(sample)}


def query_row(example: Sample | DemonstrationSample) -> dict[str, Any]:
    """Return the row with `query` and `response` in place of `messages`; it has no place for a loss mask."""
    sample = example if isinstance(example, Sample) else example.sample
    row = {"id": sample.id, "query": user_text(len(sample.images), sample.question)}
    if not isinstance(example, Sample):
        row["response"] = example.response
    if sample.system:
        row["system"] = sample.system
    return {**row, **_common_keys(sample)}


def _common_keys(sample: Sample) -> dict[str, Any]:
    keys: dict[str, Any] = {"images": list(sample.images), "ground_truth": sample.label}
    if sample.task:
        keys["task"] = sample.task
    if sample.candidates:
        keys["candidates"] = list(sample.candidates)
    return keys
