"""`data validate` on forty rows, each malformed in a way of its own: one line each, with file, line and rule."""

import base64
import json
from pathlib import Path
from typing import Any

from PIL import Image
from typer.testing import CliRunner

from emocal_rl.cli.main import app

QUESTION = "<image>Choose one of ['awe', 'fear']."
USER = {"role": "user", "content": QUESTION}
ANSWER = {"role": "assistant", "content": "<answer>awe</answer>"}
IMAGE = {"type": "image", "image": "a.png"}
TEXT = {"type": "text", "text": "Which?"}


def query(**changes: Any) -> dict[str, Any]:
    return {"query": QUESTION, "response": "<answer>awe</answer>", "images": ["a.png"], **changes}


def said(*messages: Any, **changes: Any) -> dict[str, Any]:
    return {"messages": [USER, *messages], "images": ["a.png"], **changes}


def bench(*turns: Any, **changes: Any) -> dict[str, Any]:
    labels = {"task": "FI-8", "ground_truth": "awe", "candidates": ["awe", "fear"]}
    return {"conversations": list(turns) or [{"role": "user", "content": [IMAGE, TEXT]}], **labels, **changes}


def verl(**changes: Any) -> dict[str, Any]:
    return {"prompt": [USER], "images": [{"image": "a.png"}], "reward_model": {"ground_truth": "awe"}, **changes}


MALFORMED: list[tuple[Any, str, str]] = [
    (query(query=5), "field", "query = 5: must be a non-empty string"),
    (query(response=["x"]), "field", "response = ['x']: must be a non-empty string"),
    (query(history=[["a", "b"]]), "roles", "must be empty: one turn a row"),
    (query(system=7), "field", "system = 7"),
    (query(images=None), "placeholders", "0 and 1"),
    (query(images=["data:image/png,abc"]), "image", "a data URI must be base64"),
    (query(images=["data:image/png;base64,@@@"]), "image", "is not base64"),
    (query(images=[f"data:image/png;base64,{base64.b64encode(b'hello').decode()}"]), "image", "must be a JPEG"),
    (query(images=["folder"]), "image", "cannot be read"),
    (query(images=["a\0.png"]), "image", "a\\x00.png: cannot be read"),
    (query(images=["zip://a.png::/nowhere.zip"]), "image", "must lie in the image root"),
    (query(images=["file:///etc/passwd"]), "image", "must lie in the image root"),
    (query(candidates=["awe", ""]), "field", "must be a list of non-empty strings"),
    (query(task=["FI-8"]), "field", "task = ['FI-8']"),
    (query(query="<image>Which?", task="FI-9"), "task", "Did you mean 'FI-8'?"),
    (said(messages=None), "field", "messages: must be a list of"),
    (said(messages=[]), "roles", "the roles are []"),
    (said(messages=[{"role": "system", "content": "a"}] * 2 + [USER]), "roles", "['system', 'system', 'user']"),
    (said({"role": "tool", "content": "x"}), "roles", "['user', 'tool']"),
    (said({**ANSWER, "loss_on_end": "yes"}), "loss", "must be true or false"),
    (said({**ANSWER, "content": "<answer>awe</answer>" * 2}), "response", "exactly one <answer>"),
    (said(ANSWER, id=True), "id", "must be a non-empty string or a number"),
    (said(ANSWER, id="a\udfff"), "encoding", "stand in pairs only"),
    (bench(None), "roles", "must be one user turn"),
    (bench({"role": "user", "content": [{"type": "image"}, TEXT]}), "field", "{'type': 'image', 'image': PATH}"),
    (bench({"role": "user", "content": [TEXT]}), "field", "must have an image and a text"),
    (bench({"role": "system", "content": [IMAGE]}, {"role": "user", "content": [IMAGE, TEXT]}), "field", "user turn"),
    (bench(candidates=[]), "candidates", "must list the labels"),
    (bench(response=4), "field", "response = 4"),
    (bench(ground_truth=["awe"]), "field", "ground_truth = ['awe']"),
    ({**bench(), **query()}, "format", "conversations and query are of different ones"),
    (verl(prompt=[ANSWER]), "roles", "must be one user message"),
    (verl(reward_model="awe"), "field", "reward_model = 'awe': must be an object"),
    (verl(reward_model={"style": "rule"}), "field", "reward_model.ground_truth: must be"),
    (verl(extra_info={"task": 5}), "field", "extra_info.task = 5"),
    (verl(extra_info={"candidates": [1, 2]}), "field", "extra_info.candidates = [1, 2]"),
    (verl(images=[{}]), "field", "must be a list of paths"),
    (b'\xef\xbb\xbf{"query": "x"}', "json", "BOM"),
    (b'{"id": ' + b"9" * 5000 + b"}", "json", "must be one JSON object"),
    (b"[" * 100_000, "json", "must be one JSON object"),
]


def test_each_is_named_by_file_line_and_rule(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    good = [said(ANSWER, id=1), bench(id=2), verl(extra_info={"id": 3}), query(id=4, task=None, candidates=None)]
    lines = [json.dumps(row).encode() if isinstance(row, dict) else row for row in [*good, *(m[0] for m in MALFORMED)]]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(lines))
    result = CliRunner().invoke(app, ["data", "validate", str(path)], catch_exceptions=False)
    assert result.exit_code == 1
    *printed, total = result.stdout.splitlines()
    assert len(printed) == len(MALFORMED) == 40
    assert total.startswith("40 problems: ")
    for number, (line, (_, rule, part)) in enumerate(zip(printed, MALFORMED, strict=True), start=len(good) + 1):
        assert line.startswith(f"{path}:{number}: [{rule}] ")
        assert part in line
