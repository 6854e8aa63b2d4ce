import json
from pathlib import Path

import pytest

from emocal_rl.benchmarks.vecbench.prediction_sets import read_prediction_sets
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.platform.progress import SilentProgress


def write(path: Path, names: list[str | None], *, image: str = "/images/{}.png") -> str:
    """Write rows on one image each; a name of None leaves out the row's id."""
    rows = []
    for number, name in enumerate(names):
        content = [{"type": "image", "image": image.format(number)}, {"type": "text", "text": "Which?"}]
        row = {"conversations": [{"role": "user", "content": content}], "task": "FI-2", "ground_truth": "positive"}
        row |= {"candidates": ["positive", "negative"], "response": path.stem}
        rows.append(row if name is None else {"id": name, **row})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(*arguments: str, image_root: str | None = None) -> dict[str, list[list[tuple[str, str | None]]]]:
    sets = read_prediction_sets(arguments, SilentProgress(), image_root=image_root)
    return {each.name: [[(row.id, row.response) for row in repeat] for repeat in each.repeats] for each in sets}


def test_files_of_one_name_are_shards_or_repeats(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.jsonl", ["a", "b"]), write(tmp_path / "two.jsonl", ["b", "c"])
    assert read(f"x={one}", f"x={two}") == {"x": [[("a", "one"), ("b", "one"), ("c", "two")], [("b", "two")]]}
    assert read(one, f"x y={two}") == {"one": [[("a", "one"), ("b", "one")]], "x y": [[("b", "two"), ("c", "two")]]}


def test_rows_without_ids_are_known_by_what_was_asked(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.jsonl", [None, None]), write(tmp_path / "two.jsonl", [None])
    (repeats,) = read(f"x={one}", f"x={two}").values()
    assert repeats == [[("one:1", "one"), ("one:2", "one")], [("two:1", "two")]]


def test_two_files_may_not_share_a_name_by_accident(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, two = write(tmp_path / "p.jsonl", ["a"]), write(tmp_path / "other" / "p.jsonl", ["a"])
    with pytest.raises(UserError, match=r"would be called 'p', as another file is.*NAME=FILE"):
        read(one, two)
    assert list(read(one, f"q={two}")) == ["p", "q"]


def test_confidences_by_token_probabilities_are_read(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "one.jsonl", ["a", "b", "c"]))
    first, second, third = map(json.loads, path.read_text().splitlines())
    first |= {"confidence_ans": 0.25, "confidence_avg": 1}
    second |= {"confidence_ans": "0.5", "confidence_avg": 1.5}
    path.write_text("".join(json.dumps(row) + "\n" for row in (first, second, third)))
    (one,) = read_prediction_sets([str(path)], SilentProgress())
    assert [(row.ans, row.avg) for row in one.repeats[0]] == [(0.25, 1.0), (None, None), (None, None)]


def test_a_file_counts_once(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", ["a"])
    with pytest.raises(DataError, match="is given twice"):
        read(f"x={one}", f"y={tmp_path}/./one.jsonl")


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "step=3").mkdir()
    assert list(read(write(tmp_path / "step=3" / "p.jsonl", ["a"]))) == ["p"]


def test_the_image_root_takes_the_place_of_the_files_folder(tmp_path: Path) -> None:
    relative = write(tmp_path / "one.jsonl", ["a"], image="images/{}.png")
    (one,) = read_prediction_sets([relative], SilentProgress(), image_root="/data")
    assert one.repeats[0][0].images == ("/data/images/0.png",)
    (two,) = read_prediction_sets([write(tmp_path / "two.jsonl", ["a"])], SilentProgress(), image_root="/data")
    assert two.repeats[0][0].images == ("/images/0.png",)
