import json
import re

import pytest

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.vec_cot import read_vec_cot, write_vec_cot
from emocal_rl.platform.errors import DataError

RESPONSE = "<think>...</think><answer>awe</answer>"
QUESTION = "Choose [one] of ['awe', 'fear']."


def messages(user=f"<image>\n{QUESTION}", assistant=RESPONSE, **extra):
    return [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": user},
        {"role": "assistant", "content": assistant, **extra},
    ]


def row(**changes):
    base = {"messages": messages(), "images": ["a.png"]}
    return {key: value for key, value in {**base, **changes}.items() if value is not ...}


def write(tmp_path, *rows):
    path = tmp_path / "cot.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in rows))
    return str(path)


def read_one(tmp_path, **changes):
    (demonstration,) = read_vec_cot(write(tmp_path, row(**changes)))
    return demonstration


def test_a_row_becomes_a_demonstration(tmp_path):
    url = write(tmp_path, row())
    sample = Sample("cot:1", (f"{tmp_path}/a.png",), QUESTION, ("awe", "fear"), "awe", "", url, 1, "Be brief.")
    assert list(read_vec_cot(url)) == [DemonstrationSample(sample, RESPONSE)]


def test_query_and_response_are_the_same_row(tmp_path):
    changes = {"messages": ..., "query": f"<image>\n{QUESTION}", "response": RESPONSE, "system": "Be brief."}
    assert read_one(tmp_path, **changes) == read_one(tmp_path)


def test_the_label_may_differ_from_the_answer_when_the_row_says_so(tmp_path):
    assert read_one(tmp_path, ground_truth="fear", task="FI-8").sample.label == "fear"


def test_data_uris_are_kept(tmp_path):
    assert read_one(tmp_path, images=["data:image/png;base64,AAAA"]).sample.images == ("data:image/png;base64,AAAA",)


def test_a_question_without_candidates(tmp_path):
    sample = read_one(tmp_path, messages=messages(user="<image>Which?")).sample
    assert (sample.question, sample.candidates) == ("Which?", ())


@pytest.mark.parametrize(
    ("extra", "spans", "on_end"),
    [
        ({}, None, True),
        ({"loss": True}, None, True),
        ({"loss": False}, (), False),
        ({"loss": False, "loss_on_end": True}, (), True),
        ({"loss_on_end": False}, None, False),
    ],
)
def test_the_loss_of_a_message(tmp_path, extra, spans, on_end):
    demonstration = read_one(tmp_path, messages=messages(**extra))
    assert (demonstration.loss_spans, demonstration.loss_on_end) == (spans, on_end)


@pytest.mark.parametrize(
    ("changes", "key", "rule"),
    [
        ({"messages": "x"}, "messages", "must be a list of"),
        ({"messages": [{"role": "user"}]}, "messages", "must be a list of"),
        ({"messages": messages()[:2]}, "response", "needs `ground_truth`, or exactly one <answer>"),
        ({"messages": messages()[:2], "ground_truth": "awe"}, "messages", "needs a response to imitate"),
        ({"messages": messages()[:1]}, "messages", "one user and one assistant turn"),
        ({"messages": messages() + messages()[1:]}, "messages", "one user and one assistant turn"),
        ({"messages": messages()[:1] + messages()[2:]}, "messages", "one user and one assistant turn"),
        ({"messages": messages(assistant=" ")}, "messages", "the assistant's content must not be empty"),
        ({"messages": messages(user="<image>\n ")}, "messages", "the user's question must not be empty"),
        ({"messages": messages(user="Look: <image>")}, "messages", "<image> must come before the text"),
        ({"messages": messages(user=QUESTION)}, "images", "as many as the <image> placeholders, at least one: 1 and 0"),
        ({"images": ["a.png", "b.png"]}, "images", "as many as the <image> placeholders, at least one: 2 and 1"),
        ({"images": ...}, "images", "as many as the <image> placeholders, at least one: 0 and 1"),
        ({"images": "a.png"}, "images", "must be a list of non-empty strings"),
        ({"images": ["../../a.png"]}, "images", "must lie in the image root"),
        ({"messages": messages(assistant="no tags")}, "response", "exactly one <answer>LABEL</answer>"),
        ({"messages": messages(assistant="<answer>bliss</answer>")}, "answer", "must be one of awe, fear"),
        ({"ground_truth": "bliss"}, "ground_truth", "must be one of awe, fear"),
        ({"messages": messages(user="<image>Which?"), "task": "FI-9"}, "task", "must be a known task"),
        ({"messages": messages(loss="no")}, "loss", "must be true or false"),
        ({"messages": ..., "query": "<image>Q", "response": 3}, "response", "must be a non-empty string"),
        ({"messages": ..., "query": "<image>Q", "response": "r", "history": [["a", "b"]]}, "history", "must be empty"),
        ({"id": "good"}, "id", "must be unique; line 1 has it too"),
    ],
)
def test_a_malformed_row_names_file_line_and_key(tmp_path, changes, key, rule):
    url = write(tmp_path, row(id="good"), row(**changes))
    with pytest.raises(DataError, match=re.escape(rule)) as caught:
        list(read_vec_cot(url))
    assert caught.value.key == f"{url}:2 {key}"
    assert caught.value.fix


def test_adjacent_assistant_messages_are_one_response_with_a_loss_mask(tmp_path):
    confidence = {"role": "assistant", "content": "<confidence>0.85</confidence>", "loss": True}
    demonstration = read_one(tmp_path, messages=[*messages(loss=False), confidence])
    assert demonstration.response == RESPONSE + "<confidence>0.85</confidence>"
    assert demonstration.loss_spans == ((len(RESPONSE), len(RESPONSE) + 29),)
    assert demonstration.loss_on_end


def test_the_mask_is_written_with_the_flags_of_ms_swift(tmp_path):
    url, end = str(tmp_path / "out.jsonl"), len(RESPONSE)
    sample = Sample("s", (f"{tmp_path}/a.png",), QUESTION, ("awe", "fear"), "awe", "", url, 1)
    write_vec_cot(url, [DemonstrationSample(sample, RESPONSE + "<confidence>1.00</confidence>", ((end, end + 29),))])
    written = json.loads((tmp_path / "out.jsonl").read_text())
    assert written["messages"] == [
        {"role": "user", "content": f"<image>{QUESTION}"},
        {"role": "assistant", "content": RESPONSE, "loss": False},
        {"role": "assistant", "content": "<confidence>1.00</confidence>", "loss": True},
    ]
    assert written["images"] == ["a.png"]


@pytest.mark.parametrize(
    ("spans", "on_end"),
    [
        (None, True),
        (None, False),
        ((), False),
        ((), True),
        (((0, 7),), False),
        (((3, 9),), True),
        (((0, 7), (30, 38)), True),
    ],
)
def test_demonstrations_are_read_back(tmp_path, spans, on_end):
    url = str(tmp_path / "out.jsonl")
    sample = Sample("s", (f"{tmp_path}/i/a.png",), QUESTION, ("awe", "fear"), "fear", "FI-8", url, 1, "sys")
    demonstration = DemonstrationSample(sample, RESPONSE, spans, on_end)
    write_vec_cot(url, [demonstration])
    assert list(read_vec_cot(url)) == [demonstration]
