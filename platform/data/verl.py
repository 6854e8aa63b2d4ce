"""verl's rows for reinforcement learning: `prompt`, `images`, `reward_model`, `extra_info`; Parquet on disk.

What verl has no place for (id, task, candidates) goes into `extra_info`, which verl hands to the reward as it is.
"""

import base64
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.embedded import data_uri
from emocal_rl.platform.data.rows import Row
from emocal_rl.platform.data.user_text import candidates_in, question_in, user_text
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task
from emocal_rl.platform.errors import DataError

_DATA_SOURCE, _ABILITY = "emocal-rl", "visual emotion"
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_EXTRA = {
    "split": pa.string(),
    "index": pa.int64(),
    "id": pa.string(),
    "task": pa.string(),
    "candidates": pa.list_(pa.string()),
}


def verl_schema(*, embedded: bool) -> pa.Schema:
    """Return the columns of a verl file. An image is {"image": REFERENCE}, or {"bytes"}: verl refuses one with both."""
    image = ("bytes", pa.binary()) if embedded else ("image", pa.string())
    return pa.schema(
        [
            ("data_source", pa.string()),
            ("prompt", pa.list_(_MESSAGE)),
            ("images", pa.list_(pa.struct([image]))),
            ("ability", pa.string()),
            ("reward_model", pa.struct([("style", pa.string()), ("ground_truth", pa.string())])),
            ("extra_info", pa.struct(list(_EXTRA.items()))),
        ]
    )


def verl_row(sample: Sample, *, split: str, index: int, embedded: bool) -> dict[str, Any]:
    """Return the row that `sample_of_verl_row` reads back; `embedded` images must be data URIs."""
    system = [{"role": "system", "content": sample.system}] if sample.system else []
    user = {"role": "user", "content": user_text(len(sample.images), sample.question)}
    if embedded:
        images: list[dict[str, Any]] = [{"bytes": base64.b64decode(image.partition(",")[2])} for image in sample.images]
    else:
        images = [{"image": image} for image in sample.images]
    extra = {"split": split, "index": index, "id": sample.id, "task": sample.task, "candidates": sample.candidates}
    return {
        "data_source": sample.task or _DATA_SOURCE,
        "prompt": [*system, user],
        "images": images,
        "ability": _ABILITY,
        "reward_model": {"style": "rule", "ground_truth": sample.label},
        "extra_info": extra,
    }


def verl_extra_keys(value: Mapping[str, Any]) -> set[str]:
    """Return the keys of `extra_info` that a `Sample` has no place for."""
    return set(value.get("extra_info") or ()) - _EXTRA.keys()


def sample_of_verl_row(row: Row) -> Sample:
    """Check one row and return its sample.

    An image is a path, {"image"} or {"bytes"}; bytes become a data URI. The task is `extra_info.task`, else
    `data_source` if it names one; candidates are `extra_info.candidates`, else the last list in the question.

    Raises:
        DataError: naming file, line and key.
    """
    extra = _mapping(row, "extra_info") if row.value.get("extra_info") is not None else {}
    _mapping(row, "reward_model")
    label = row.text("reward_model.ground_truth")
    system, user = _read_prompt(row)
    images = _read_images(row)
    question = question_in(row, "prompt", user, len(images))
    task = extra.get("task")
    if task is None:
        task = row.value.get("data_source", "")
        task = task if isinstance(task, str) and _is_task(task) else ""
    elif task != "":
        task = row.text("extra_info.task")
    candidates = row.texts("extra_info.candidates") or candidates_in(question)
    row.check_label("reward_model.ground_truth", label, task, candidates)
    return Sample(row.id, images, question, candidates, label, task, row.url, row.line, system)


def _mapping(row: Row, key: str) -> Mapping[str, Any]:
    value = row.value.get(key)
    if not isinstance(value, Mapping):
        raise row.error(key, value, "must be an object", f"Give the row its {key}.")
    return value


def _read_prompt(row: Row) -> tuple[str, str]:
    """Return (system prompt, user text)."""
    match row.value["prompt"]:
        case [{"role": "user", "content": str(user)}]:
            return "", user
        case [{"role": "system", "content": str(system)}, {"role": "user", "content": str(user)}]:
            return system, user
    rule = "must be one user message with a text, after a system message at most"
    raise row.error("prompt", row.value["prompt"], rule, "Correct the row, or drop it.", "roles")


def _read_images(row: Row) -> tuple[str, ...]:
    references = []
    images = row.value.get("images", [])
    for image in images if isinstance(images, list) else [images]:
        match image:
            case str(reference) | {"image": str(reference)} if reference:
                references.append(row.image("images", reference))
            case {"bytes": bytes(data)} if data:
                references.append(data_uri(data))
            case {"path": str(reference)} if reference:
                references.append(row.image("images", reference))
            case _:
                rule = "must be a list of paths, {'image': PATH} or {'bytes': ...}"
                raise row.error("images", image, rule, "Correct the row, or drop it.")
    return tuple(references)


def _is_task(name: str) -> bool:
    try:
        taxonomy_of_task(name)
    except DataError:
        return False
    return True
