import json

import polars as pl
import pytest

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.world import build_world, is_built, world_key
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vec_cot import read_vec_cot
from emocal_rl.platform.data.vecbench import read_vecbench
from emocal_rl.platform.errors import DataError

SPLITS = {
    "pretrain": 64,
    "reasoning": 48,
    "confidence": 32,
    "calibration": 16,
    "validation": 9,
    "test": 60,
    "test_ood": 30,
}


@pytest.mark.parametrize(("split", "count"), SPLITS.items())
def test_every_split_reads_back_in_its_real_format(small_world, split, count):
    url = str(getattr(small_world, split))
    read = read_vec_cot if split in ("pretrain", "reasoning") else read_vecbench
    assert len(list(read(url))) == count
    samples = list(read_samples(url))
    assert [sample.id for sample in samples] == [f"{split}-{index:06d}" for index in range(count)]
    assert all(sample.images == (str(small_world.image(sample.id)),) for sample in samples)
    assert all(small_world.image(sample.id).is_file() for sample in samples)
    assert all(sample.label in sample.candidates for sample in samples)


def test_references_are_relative_so_that_a_world_can_move(small_world):
    row = json.loads(small_world.test.read_text().splitlines()[0])
    assert row["conversations"][0]["content"][0] == {"type": "image", "image": "images/test/000000.png"}


def test_test_splits_hold_their_tasks_evenly(small_world):
    tasks = pl.read_parquet(small_world.oracle).group_by("split", "task").len()
    assert tasks.filter(pl.col("split") == "test")["len"].to_list() == [10] * 6
    assert tasks.filter(pl.col("split") == "test_ood")["len"].to_list() == [10] * 3


@pytest.fixture(scope="module")
def tiny_config(small_config):
    return small_config.model_copy(update={"num_pretrain": 32, "num_reasoning": 32, "num_test": 9, "num_test_ood": 0})


def test_an_image_depends_on_seed_split_and_index_only(tiny_config, tmp_path):
    configs = {"one": tiny_config, "again": tiny_config, "seeded": tiny_config.model_copy(update={"seed": 1})}
    one, again, seeded = (build_world(config, tmp_path / name) for name, config in configs.items())
    assert again.test.read_bytes() == one.test.read_bytes()
    assert again.oracle.read_bytes() == one.oracle.read_bytes()
    assert again.image("test-000007").read_bytes() == one.image("test-000007").read_bytes()
    assert seeded.image("test-000007").read_bytes() != one.image("test-000007").read_bytes()


def test_a_second_build_does_nothing(small_world, small_config):
    before = small_world.marker.stat().st_mtime_ns
    assert build_world(small_config, small_world.directory) == small_world
    assert small_world.marker.stat().st_mtime_ns == before


def test_another_configuration_replaces_the_world(tiny_config, tmp_path):
    first, second = tiny_config, tiny_config.model_copy(update={"seed": 5})
    files = build_world(first, tmp_path / "world")
    assert files.test_ood.read_text() == ""
    build_world(second, tmp_path / "world")
    assert is_built(files, world_key(second))
    assert not is_built(files, world_key(first))
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def test_a_folder_that_is_no_world_is_left_alone(small_config, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match="must be empty or hold a SynthVEC world"):
        build_world(small_config, tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_damaged_marker_is_no_world(tmp_path):
    files = SynthVECFiles(tmp_path)
    assert not is_built(files, "key")
    for damaged in ("", "[]", '{"config": {}}'):
        files.marker.write_text(damaged)
        assert not is_built(files, "key")
