import json
from collections import Counter
from pathlib import Path

import pytest

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.jsonl import read_jsonl
from emocal_rl.platform.data.samples import read_examples, read_samples
from emocal_rl.platform.data.split import RowKey, SplitOptions, allot, assign, split, stage_sizes
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress

TABLE_1 = {"EmoSet-8": 49939, "WebEmo-25": 20518, "WebEmo-7": 26155, "FI-8": 5821, "WebEmo-2": 35370, "FI-2": 5643}
"""Rows of each source over the three stages of the paper's Table 1."""


@pytest.mark.parametrize(
    ("num_rows", "sizes"),
    [(143_446, (86_067, 43_033, 14_346)), (10, (6, 3, 1)), (11, (6, 3, 2)), (19, (11, 5, 3)), (1, (0, 0, 1))],
)
def test_six_three_one_by_floor_with_the_rest_to_stage_3(num_rows, sizes):
    assert stage_sizes(num_rows) == sizes


def test_the_papers_totals():
    assert sum(TABLE_1.values()) == 143_446
    due = allot(TABLE_1)
    assert [sum(counts[stage] for counts in due.values()) for stage in range(3)] == [86_067, 43_033, 14_346]
    assert {source: sum(counts) for source, counts in due.items()} == TABLE_1
    # by hand: 86067/143446 of 49939 is 29963.19, of 5643 is 3385.78
    assert (due["EmoSet-8"][:1], due["FI-2"][:1]) == ([29_963], [3_386])


def test_largest_remainders():
    # stage 1 has 4 of 7 rows: a 12/7, b and c 8/7, so the row that is missing is a's; stage 2 has 2 of the 3 rows left
    assert allot({"c": 2, "a": 3, "b": 2}) == {"a": [2, 1, 0], "b": [1, 1, 0], "c": [1, 0, 1]}


def test_sources_of_a_row_or_two_are_not_overdrawn():
    due = allot({f"source {index}": 1 for index in range(10)} | {"x": 2})
    assert all(count >= 0 for counts in due.values() for count in counts)
    assert [sum(counts[stage] for counts in due.values()) for stage in range(3)] == [7, 3, 2]


def keys(counts, image=lambda source, index: f"{source}/{index}"):
    return [
        RowKey(f"{source}-{index}", source, (image(source, index),))
        for source, count in counts.items()
        for index in range(count)
    ]


def counted(rows, stages):
    table = {row.source: [0, 0, 0] for row in rows}
    for row, stage in zip(rows, stages, strict=True):
        table[row.source][stage] += 1
    return table


def assert_disjoint(rows, stages):
    stage_of = {}
    for row, stage in zip(rows, stages, strict=True):
        for image in row.images:
            assert stage_of.setdefault(image, stage) == stage


def test_exact_by_source_and_deterministic_whatever_the_order():
    counts = {"a": 503, "b": 211, "c": 7}
    rows = keys(counts)
    stages = assign(rows, seed=3)
    assert counted(rows, stages) == allot(counts)
    assert assign(rows, seed=3) == stages
    assert assign(rows[::-1], seed=3) == stages[::-1]
    assert assign(rows, seed=4) != stages


def test_shared_images_stay_together_and_the_counts_stay_exact():
    """As in WebEmo: the same picture under 25, 7 and 2 classes."""
    counts = {"a": 300, "b": 200, "c": 100}
    rows = keys(counts, image=lambda source, index: f"shared/{index}" if index < 60 else f"{source}/{index}")
    stages = assign(rows, seed=0)
    assert_disjoint(rows, stages)
    assert counted(rows, stages) == allot(counts)


def test_rows_are_tied_through_other_rows():
    rows = [RowKey("x", "a", ("1", "2")), RowKey("y", "a", ("3",)), RowKey("z", "b", ("2", "3"))]
    rows += keys({"a": 20, "b": 20})
    stages = assign(rows, seed=1)
    assert stages[0] == stages[1] == stages[2]
    assert Counter(stages) == {0: 25, 1: 12, 2: 6}


def test_sources_give_way_when_only_the_totals_can_be_exact():
    rows = keys({"a": 30, "b": 30}, image=lambda _, index: f"{index // 3}")  # ten images of six rows
    stages = assign(rows, seed=0)
    assert_disjoint(rows, stages)
    assert Counter(stages) == {0: 36, 1: 18, 2: 6}


def write_corpus(folder, name="rows.jsonl", count=40):
    """Rows 2 n and 2 n + 1 of the first twenty show copies of one picture."""
    (folder / "images").mkdir(exist_ok=True)
    rows = []
    for index in range(count):
        image = folder / "images" / f"{index}.png"
        picture = index // 2 if index < 20 else index
        image.write_bytes(PNG + bytes([picture]))
        sample = Sample(
            f"{name}-{index}", (str(image),), "Which?", ("awe", "fear"), "awe", ("FI-8", "FI-2")[index % 4 == 0]
        )
        rows.append(DemonstrationSample(sample, "<answer>awe</answer>", ((0, 8),), False))
    write_vec_cot(str(folder / name), rows)
    return str(folder / name)


PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
    b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)


def test_files_are_split_by_what_the_images_show(tmp_path):
    source = write_corpus(tmp_path)
    done = split([source], str(tmp_path / "out"), SplitOptions(), SilentProgress())
    parts = [list(read_examples(file, str(tmp_path))) for file in done.files]
    assert [len(part) for part in parts] == [24, 12, 4]
    assert done.num_shared_images == 10
    pictures = [{(tmp_path / each.sample.images[0]).read_bytes() for each in part} for part in parts]
    assert sum(map(len, pictures)) == len(set.union(*pictures)) == 30
    ids = [row["id"] for _, row in read_jsonl(source)]
    assert sorted(each.sample.id for part in parts for each in part) == sorted(ids)
    lines = [line for file in done.files for line in Path(file).read_text().splitlines()]
    assert Counter(lines) == Counter(Path(source).read_text().splitlines())
    again = split([source], str(tmp_path / "again"), SplitOptions(), SilentProgress())
    assert [Path(file).read_text() for file in again.files] == [Path(file).read_text() for file in done.files]


def test_by_reference_the_images_need_not_exist(tmp_path):
    source = write_corpus(tmp_path)
    for image in (tmp_path / "images").iterdir():
        image.unlink()
    with pytest.raises(DataError, match=r"rows.jsonl:1 image.*: there is no such file"):
        split([source], str(tmp_path / "out"), SplitOptions(), SilentProgress())
    done = split([source], str(tmp_path / "out"), SplitOptions(by_content=False), SilentProgress())
    assert (done.num_shared_images, done.counts) == (0, done.due)


def test_ids_given_by_line_are_kept_and_parquet_stays_parquet(tmp_path):
    from emocal_rl.platform.data.convert import ConversionOptions, convert
    from emocal_rl.platform.data.formats import Format, Part

    source = write_corpus(tmp_path)
    rows = [{key: value for key, value in row.items() if key != "id"} for _, row in read_jsonl(source)]
    (tmp_path / "nameless.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = split([str(tmp_path / "nameless.jsonl")], str(tmp_path), SplitOptions(), SilentProgress())
    ids = {sample.id for file in done.files for sample in read_samples(file)}
    assert ids == {f"nameless:{line}" for line in range(1, 41)}
    convert(source, str(tmp_path / "r.parquet"), Format.VERL, ConversionOptions(drop={Part.RESPONSE}), SilentProgress())
    done = split([str(tmp_path / "r.parquet")], str(tmp_path), SplitOptions(), SilentProgress())
    ids = {sample.id for file in done.files for sample in read_samples(file)}
    assert ids == {f"rows.jsonl-{index}" for index in range(40)}
    assert [file.rpartition("/")[2] for file in done.files] == [f"stage-{stage}.parquet" for stage in (1, 2, 3)]


def test_what_is_refused(tmp_path):
    (tmp_path / "b").mkdir()
    one, other = write_corpus(tmp_path), write_corpus(tmp_path / "b", "other.jsonl")
    options = SplitOptions(by_content=False)
    with pytest.raises(DataError, match="files of several folders have no common image root"):
        split([one, other], str(tmp_path), options, SilentProgress())
    with pytest.raises(DataError, match=r"must be files of one kind, not .jsonl, .parquet"):
        split([one, "x.parquet"], str(tmp_path), SplitOptions(image_root=str(tmp_path)), SilentProgress())
    copy = tmp_path / "b" / "rows.jsonl"
    copy.write_bytes((tmp_path / "rows.jsonl").read_bytes())
    options = SplitOptions(by_content=False, image_root=str(tmp_path))
    with pytest.raises(DataError, match=r"rows.jsonl:1 id = 'rows.jsonl-0': must be unique; .*rows.jsonl:1 has it too"):
        split([one, str(copy)], str(tmp_path), options, SilentProgress())
    (tmp_path / "stage-2.jsonl").touch()
    with pytest.raises(DataError, match=r"stage-2.jsonl: exists already"):
        split([one], str(tmp_path), options, SilentProgress())
