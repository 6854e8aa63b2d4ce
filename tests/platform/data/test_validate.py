import io
import json

import pytest
from PIL import Image

from emocal_rl.platform.data.content import hash_files
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.validate import ImageCheck, Problem, ValidationOptions, validate
from emocal_rl.platform.progress import SilentProgress

QUESTION = "<image>Choose one of ['awe', 'fear']."
RESPONSE = "<think>...</think><answer>awe</answer>"


def png(colour="red", size=(40, 30)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    files = {
        "a.png": png(),
        "copy.png": png(),
        "test.png": png("blue"),
        "leaked.png": png("blue"),
        "cut.png": png()[:-30],
        "text.png": b"no image",
        "empty.png": b"",
        "large.png": png(size=(200, 200)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def cot(**changes):
    messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": RESPONSE}]
    return {
        key: value for key, value in {"messages": messages, "images": ["a.png"], **changes}.items() if value is not ...
    }


def said(user=QUESTION, assistant=RESPONSE, **extra):
    answer = {"role": "assistant", "content": assistant, **extra}
    return [{"role": "user", "content": user}, *([answer] if assistant is not None else [])]


def bench(**changes):
    content = [{"type": "image", "image": "a.png"}, {"type": "text", "text": "Which?"}]
    row = {
        "conversations": [{"role": "user", "content": content}],
        "task": "FI-8",
        "ground_truth": "awe",
        "candidates": ["awe", "fear"],
    }
    return {key: value for key, value in {**row, **changes}.items() if value is not ...}


def verl(**changes):
    return {
        "prompt": [{"role": "user", "content": QUESTION}],
        "images": [{"image": "a.png"}],
        "reward_model": {"style": "rule", "ground_truth": "awe"},
        **changes,
    }


TEXT_FIRST = [{"role": "user", "content": [{"type": "text", "text": "Q"}, {"type": "image", "image": "a.png"}]}]

# 40 rows, each with one defect: the line's bytes or row, the rule it breaks, a part of the message
MALFORMED = [
    (b"not json", "json", "must be one JSON object"),
    (b'{"messages": [', "json", "must be one JSON object"),
    (b'{"a": NaN}', "json", "NaN is not JSON"),
    (b"[1, 2]", "json", "not a list"),
    (b"3", "json", "not a int"),
    (b'{"a": 1} {"b": 2}', "json", "Extra data"),
    (b'{"a": "\xff\xfe"}', "encoding", "must be UTF-8"),
    ('{"a": "é"}'.encode("latin-1"), "encoding", "must be UTF-8"),
    ({}, "format", "must be a VECBench row"),
    ({"text": "x"}, "format", "must be a VECBench row"),
    (cot(id="good"), "id", "line 1 has it too"),
    (cot(id=""), "id", "non-empty string or a number"),
    (cot(id=[1]), "id", "non-empty string or a number"),
    (cot(messages="x"), "field", "must be a list of"),
    (cot(messages=[{"role": "user"}]), "field", "must be a list of"),
    (cot(messages=said()[1:]), "roles", "one user and one assistant turn"),
    (cot(messages=said() * 2), "roles", "one user and one assistant turn"),
    (cot(messages=said(assistant=" ")), "response", "must not be empty"),
    (cot(messages=said(assistant="no tags")), "response", "needs `ground_truth`"),
    (cot(messages=said(user="<image> ")), "field", "question must not be empty"),
    (cot(messages=said(user="No image?")), "placeholders", "at least one: 1 and 0"),
    (cot(images=["a.png", "copy.png"]), "placeholders", "at least one: 2 and 1"),
    (cot(images=...), "placeholders", "at least one: 0 and 1"),
    (cot(messages=said(user="Look: <image>")), "placeholders", "must come before the text"),
    (cot(images="a.png"), "field", "must be a list of non-empty strings"),
    (cot(images=["../a.png"]), "image", "must lie in the image root"),
    (cot(images=["none.png"]), "image", "there is no such file"),
    (cot(images=["text.png"]), "image", "must be a JPEG, PNG"),
    (cot(images=["empty.png"]), "image", "must be a JPEG, PNG"),
    (cot(images=["cut.png"]), "image", "truncated or corrupt"),
    (cot(images=["large.png"]), "image", "may have at most 10000 pixels"),
    (cot(images=["s3://bucket/a.png"]), "image", "URLs are not allowed"),
    (cot(images=["leaked.png"]), "leak", "is the test image of"),
    (cot(messages=said(assistant="<answer>bliss</answer>")), "label", "must be one of awe, fear"),
    (cot(messages=said(loss="no")), "loss", "must be true or false"),
    (bench(ground_truth="bliss"), "label", "must be one of awe, fear"),
    (bench(candidates=["awe", "Awe"]), "candidates", "must differ"),
    (bench(task=...), "field", "must be a non-empty string"),
    (bench(conversations=TEXT_FIRST), "field", "items, then"),
    (verl(reward_model={"ground_truth": "joy"}), "label", "must be one of awe, fear"),
]


def options(folder, **changes):
    limits = ImageLimits(max_pixels=10_000)
    tests = hash_files([str(folder / "test.jsonl")], None, limits, SilentProgress())
    return ValidationOptions(**{"limits": limits, "test_images": tests, **changes})


@pytest.fixture
def test_file(folder):
    image = {"type": "image", "image": "test.png"}
    turn = {"role": "user", "content": [image, {"type": "text", "text": "Which?"}]}
    write_jsonl(str(folder / "test.jsonl"), [bench(conversations=[turn])])
    return folder / "test.jsonl"


def test_forty_malformed_rows_are_forty_messages(folder, test_file):
    path = folder / "rows.jsonl"
    lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line, _, _ in MALFORMED]
    path.write_bytes(b"\n".join([json.dumps(cot(id="good")).encode(), *lines, json.dumps(bench()).encode()]) + b"\n")
    problems = list(validate(str(path), options(folder), SilentProgress()))
    assert len(MALFORMED) == 40
    assert [(each.file, each.line, each.rule) for each in problems] == [
        (str(path), line, rule) for line, (_, rule, _) in enumerate(MALFORMED, start=2)
    ]
    for problem, (_, _, part) in zip(problems, MALFORMED, strict=True):
        assert part in problem.message
        assert str(problem).startswith(f"{path}:{problem.line}: [{problem.rule}] ")
        assert "\n" not in str(problem)


def test_several_problems_of_one_row_are_all_found(folder):
    row = bench(id="same", ground_truth="bliss", conversations=[{"role": "user", "content": [
        {"type": "image", "image": "text.png"}, {"type": "image", "image": "/etc/passwd"},
        {"type": "text", "text": "Q"},
    ]}])  # fmt: skip
    write_jsonl(str(folder / "rows.jsonl"), [bench(id="same"), row])
    problems = list(validate(str(folder / "rows.jsonl"), ValidationOptions(), SilentProgress()))
    assert [(each.line, each.rule) for each in problems] == [(2, "id"), (2, "image"), (2, "label"), (2, "image")]


@pytest.mark.parametrize(
    ("check", "found"), [(ImageCheck.OFF, []), (ImageCheck.HEADER, [2]), (ImageCheck.DECODE, [1, 2])]
)
def test_how_closely_images_are_looked_at(folder, check, found):
    write_jsonl(str(folder / "rows.jsonl"), [cot(images=["cut.png"]), cot(images=["text.png"]), cot()])
    problems = validate(str(folder / "rows.jsonl"), ValidationOptions(images=check), SilentProgress())
    assert [each.line for each in problems] == found


def test_files_that_cannot_be_read(folder):
    (folder / "bad.parquet").write_bytes(b"PAR1")
    (folder / "empty.jsonl").write_bytes(b"\n")
    found = [
        [(each.line, each.rule) for each in validate(str(folder / name), ValidationOptions(), SilentProgress())]
        for name in ("none.jsonl", "bad.parquet", "empty.jsonl")
    ]
    assert found == [[(0, "unreadable")], [(0, "unreadable")], [(0, "empty")]]


def test_a_message_is_one_line_whatever_the_file_holds():
    problem = Problem("a\nb.jsonl", 3, "label", "x\x1b[31m\u2028y é")
    assert str(problem) == "a\\nb.jsonl:3: [label] x\\x1b[31m\\u2028y é"
