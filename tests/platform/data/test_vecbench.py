import dataclasses
import json
import re
from pathlib import Path

import pytest

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.vecbench import (
    Prediction,
    read_predictions,
    read_vecbench,
    write_predictions,
    write_vecbench,
)
from emocal_rl.platform.errors import DataError


def content(*images, text="Which?"):
    return [*({"type": "image", "image": image} for image in images), {"type": "text", "text": text}]


def row(**changes):
    base = {
        "conversations": [{"role": "user", "content": content("images/a.png")}],
        "task": "FI-8",
        "ground_truth": "awe",
        "candidates": ["awe", "fear"],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not ...}


def write(tmp_path, *rows):
    path = tmp_path / "rows.test.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in rows))
    return str(path)


def test_a_row_becomes_a_sample(tmp_path):
    url = write(tmp_path, row())
    assert list(read_vecbench(url)) == [
        Sample("rows:1", (f"{tmp_path}/images/a.png",), "Which?", ("awe", "fear"), "awe", "FI-8", url, 1)
    ]


def test_ids_system_prompts_and_several_images(tmp_path):
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content("a.png", "s3://b/c.png")}]
    (sample,) = read_vecbench(write(tmp_path, row(id=7, conversations=turns)), image_root="s3://other/set")
    assert sample.id == "7"
    assert sample.system == "Be brief."
    assert sample.images == ("s3://other/set/a.png", "s3://b/c.png")


def test_the_label_keeps_its_spelling(tmp_path):
    url = write(tmp_path, row(task="WebEmo-25", ground_truth="cheerfullness", candidates=["cheerfullness", "pride"]))
    assert next(read_vecbench(url)).label == "cheerfullness"


@pytest.mark.parametrize(
    ("changes", "key", "rule"),
    [
        ({"conversations": ...}, "conversations", "must be one user turn"),
        ({"conversations": []}, "conversations", "must be one user turn"),
        ({"conversations": ["x"]}, "conversations", "must be one user turn"),
        ({"conversations": [{"role": "assistant", "content": "x"}]}, "conversations", "must be one user turn"),
        ({"conversations": [{"role": "user"}]}, "conversations", "content must be"),
        ({"conversations": [{"role": "user", "content": "no image"}]}, "conversations", "an image and a text"),
        ({"conversations": [{"role": "user", "content": content("a", text="")}]}, "conversations", "and a text"),
        ({"conversations": [{"role": "user", "content": content("")}]}, "conversations", "content must be"),
        ({"conversations": [{"role": "user", "content": content("a")[::-1]}]}, "conversations", "content must be"),
        ({"conversations": [{"role": "user", "content": content("../a.png")}]}, "image", "must lie in the image root"),
        ({"conversations": [{"role": "user", "content": content("/etc/a.png")}]}, "image", "in the image root"),
        ({"conversations": [{"role": "user", "content": content("file:///etc/a")}]}, "image", "in the image root"),
        ({"conversations": [{"role": "user", "content": content("memory://a")}]}, "image", "in the image root"),
        ({"conversations": [{"role": "user", "content": content("x::/etc/a")}]}, "image", "may not contain '::'"),
        ({"task": ...}, "task", "must be a non-empty string"),
        ({"task": 8}, "task", "must be a non-empty string"),
        ({"ground_truth": " "}, "ground_truth", "must be a non-empty string"),
        ({"ground_truth": "bliss"}, "ground_truth", "must be one of awe, fear"),
        ({"candidates": ...}, "candidates", "must list the labels"),
        ({"candidates": "['awe']"}, "candidates", "must be a list of non-empty strings"),
        ({"candidates": ["awe", 1]}, "candidates", "must be a list of non-empty strings"),
        ({"candidates": ["awe", "Awe "]}, "candidates", "must differ from each other"),
        ({"id": ""}, "id", "must be a non-empty string or a number"),
        ({"id": ["x"]}, "id", "must be a non-empty string or a number"),
        ({"id": "good"}, "id", "must be unique; line 1 has it too"),
    ],
)
def test_a_malformed_row_names_file_line_and_key(tmp_path, changes, key, rule):
    url = write(tmp_path, row(id="good"), row(**changes))
    with pytest.raises(DataError, match=re.escape(rule)) as caught:
        list(read_vecbench(url))
    assert caught.value.key == f"{url}:2 {key}"
    assert caught.value.fix


def test_a_file_without_rows_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no rows"):
        list(read_vecbench(write(tmp_path)))


@pytest.mark.parametrize("place", ["{}/set/rows.jsonl", "memory:/{}/set/rows.jsonl"])
def test_samples_are_read_back_and_stay_relative_to_their_file(tmp_path, place):
    url = place.format(tmp_path)
    image = url.replace("rows.jsonl", "images/a.png")
    samples = [Sample(f"s{n}", (image,), "Q?", ("awe", "fear"), "fear", "FI-8", url, n + 1, "sys") for n in range(2)]
    write_vecbench(url, samples)
    assert list(read_vecbench(url)) == samples
    if place.startswith("{}"):
        assert '"image": "images/a.png"' in (tmp_path / "set/rows.jsonl").read_text()


def test_predictions_are_read_back_wherever_their_images_lie(tmp_path):
    url = str(tmp_path / "eval" / "predictions.jsonl")
    sample = Sample("s", ("/elsewhere/a.png",), "Q?", ("awe", "fear"), "fear", "FI-8", url, 1)
    answered = Prediction.of(sample, response="<answer>awe</answer><confidence>0.25</confidence>")
    failed = Prediction.of(dataclasses.replace(sample, id="t", line=2), error="timeout")
    write_predictions(url, [answered, failed])
    assert list(read_predictions(url)) == [answered, failed]
    first, second = (json.loads(line) for line in Path(url).read_text().splitlines())
    assert first["confidence"] == 0.25
    assert second.keys() == {"original_data", "error"}


def test_predictions_for_rows_of_other_formats_are_read_back(tmp_path):
    """Those may be of no task, or of a task whose labels are the candidates."""
    url = str(tmp_path / "predictions.jsonl")
    no_task = Sample("s", ("/elsewhere/a.png",), "Q?", ("awe", "fear"), "fear", "", url, 1)
    no_candidates = dataclasses.replace(no_task, id="t", candidates=(), task="FI-8", line=2)
    predictions = [Prediction.of(no_task, response="x"), Prediction.of(no_candidates, error="timeout")]
    write_predictions(url, predictions)
    assert list(read_predictions(url)) == predictions
    with pytest.raises(DataError, match="task = '': must be a non-empty string"):
        list(read_vecbench(write(tmp_path, row(task=""))))
    with pytest.raises(DataError, match="task = '': must be a non-empty string"):
        list(read_predictions(write(tmp_path, row(task="", candidates=[], response="x"))))


def test_a_prediction_needs_a_response(tmp_path):
    with pytest.raises(DataError, match="must be the model's response as a string"):
        list(read_predictions(write(tmp_path, row(response=None))))


def test_a_row_with_an_error_is_a_failed_inference_whatever_its_response(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    rows = [row(id="a", response="half an", error="time-out"), row(id="b", response="<answer>awe</answer>", error=None)]
    path.write_text("".join(json.dumps(value) + "\n" for value in rows))
    assert [(p.response, p.error) for p in read_predictions(str(path))] == [
        (None, "time-out"), ("<answer>awe</answer>", None)
    ]  # fmt: skip


@pytest.mark.parametrize("bench", ["mvei", 7])
def test_a_row_of_another_benchmark_is_refused(tmp_path: Path, bench: object) -> None:
    path = tmp_path / "p.jsonl"
    rows = [row(id="a", response="x", bench="vecbench"), row(id="b", response="x", bench=bench)]
    path.write_text("".join(json.dumps(value) + "\n" for value in rows))
    with pytest.raises(DataError, match=rf"p.jsonl:2 bench = '?{bench}'?: is another benchmark's row"):
        list(read_predictions(str(path)))
