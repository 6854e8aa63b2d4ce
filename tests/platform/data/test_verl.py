import re

import pyarrow.parquet as pq
import pytest

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.embedded import data_uri
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.parquet import parquet_writer
from emocal_rl.platform.data.samples import read_examples, read_samples
from emocal_rl.platform.data.verl import verl_extra_keys, verl_row, verl_schema
from emocal_rl.platform.errors import RowError

PNG = b"\x89PNG\r\n and the rest"


def sample(url, line=1, **changes):
    fields = {
        "id": f"s{line}", "images": ("memory://verl/a.png",), "question": "Choose one of ['awe', 'fear'].",
        "candidates": ("awe", "fear"), "label": "awe", "task": "FI-8", "source": url, "line": line,
        "system": "Be brief.",
    }  # fmt: skip
    return Sample(**{**fields, **changes})


def write(url, samples, *, embedded=False):
    with parquet_writer(url, verl_schema(embedded=embedded)) as append:
        for index, each in enumerate(samples):
            append(verl_row(each, split="train", index=index, embedded=embedded))


def test_samples_are_read_back():
    url = "memory://verl/rows.parquet"
    samples = [
        sample(url),
        sample(url, 2, system="", task="", candidates=("joy", "awe", "x")),
        sample(url, 3, images=("memory://verl/a.png", "s3://b/c.png"), question="\nTwo <b>lines</b>\n"),
    ]
    write(url, samples)
    assert list(read_samples(url)) == samples


def test_the_file_is_what_verl_reads(tmp_path):
    path = tmp_path / "rows.parquet"
    write(str(path), [sample("", images=("a.png",))])
    assert pq.read_table(path).to_pylist() == [
        {
            "data_source": "FI-8",
            "prompt": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "<image>Choose one of ['awe', 'fear']."},
            ],
            "images": [{"image": "a.png"}],  # verl refuses one that also has "bytes"
            "ability": "visual emotion",
            "reward_model": {"style": "rule", "ground_truth": "awe"},
            "extra_info": {"split": "train", "index": 0, "id": "s1", "task": "FI-8", "candidates": ["awe", "fear"]},
        }
    ]


def test_embedded_images_are_bytes_in_the_file_and_data_uris_in_its_rows(tmp_path):
    path = tmp_path / "rows.parquet"
    embedded = sample(str(path), images=(data_uri(PNG),))
    write(str(path), [embedded], embedded=True)
    assert pq.read_table(path)["images"].to_pylist() == [[{"bytes": PNG}]]
    assert list(read_examples(str(path))) == [embedded]
    assert embedded.images == ("data:image/png;base64,iVBORw0KIGFuZCB0aGUgcmVzdA==",)


def released(**changes):
    """A row as other writers of the format have it: no `id`, `task` or `candidates` in `extra_info`."""
    row = {
        "data_source": "emoset", "prompt": [{"role": "user", "content": "<image>\nChoose one of ['awe', 'fear']."}],
        "images": ["a.png"], "ability": "emotion", "reward_model": {"style": "rule", "ground_truth": "fear"},
        "extra_info": {"split": "train", "index": 7},
    }  # fmt: skip
    return {**row, **changes}


@pytest.mark.parametrize("image", ["a.png", {"image": "a.png"}, {"path": "a.png"}, {"bytes": None, "path": "a.png"}])
def test_rows_of_other_writers(image):
    url = "memory://verl/other.jsonl"
    write_jsonl(url, [released(images=[image])])
    expected = sample(url, id="other:1", label="fear", task="", system="")
    assert list(read_samples(url)) == [expected]


def test_a_data_source_that_is_a_task_is_the_task():
    write_jsonl("memory://verl/task.jsonl", [released(data_source="EmoSet-8")])
    assert next(read_samples("memory://verl/task.jsonl")).task == "EmoSet-8"


@pytest.mark.parametrize(
    ("changes", "key", "check", "rule"),
    [
        ({"prompt": "text"}, "prompt", "roles", "must be one user message"),
        ({"prompt": []}, "prompt", "roles", "must be one user message"),
        ({"images": []}, "images", "placeholders", "as many as the <image> placeholders, at least one: 0 and 1"),
        ({"images": [3]}, "images", "field", "must be a list of paths"),
        ({"images": ["../a.png"]}, "images", "image", "must lie in the image root"),
        ({"reward_model": None}, "reward_model", "field", "must be an object"),
        ({"reward_model": {}}, "reward_model.ground_truth", "field", "must be a non-empty string"),
        ({"reward_model": {"ground_truth": "joy"}}, "reward_model.ground_truth", "label", "must be one of awe, fear"),
        ({"extra_info": {"id": True}}, "id", "id", "must be a non-empty string or a number"),
    ],
)
def test_a_malformed_row_names_file_line_key_and_check(changes, key, check, rule):
    url = "memory://verl/malformed.jsonl"
    write_jsonl(url, [released(), released(**changes)])
    with pytest.raises(RowError, match=re.escape(rule)) as caught:
        list(read_samples(url))
    assert (caught.value.key, caught.value.line, caught.value.check) == (f"{url}:2 {key}", 2, check)


def test_keys_that_a_sample_has_no_place_for():
    assert verl_extra_keys(released(extra_info={"index": 1, "answer": "awe", "question": "?"})) == {
        "answer",
        "question",
    }
