"""Table 1 counted, and one corpus split into three, through the command line."""

import json
from pathlib import Path

from emocal_rl.benchmarks.data_tools.corpus import NUM_ROWS, TABLE_1, demonstrations
from emocal_rl.benchmarks.data_tools.measurement import Measurement, measure
from emocal_rl.platform.data.jsonl import read_jsonl, write_jsonl
from emocal_rl.platform.data.vec_cot import vec_cot_row

_SIZES = (86067, 43033, 14346)
"""143,446 x 6:3:1 by floor, the rest to stage 3."""


def run(folder: Path, images: str) -> None:
    """Count the three stages, then join and split them anew by the images' contents; print what each took.

    Args:
        folder: where the files are written; it must not exist.
        images: URL of the folder of images.

    Raises:
        AssertionError: a count is not Table 1's, the sizes of the split are not exact, a row is lost or written twice,
            or an image stands in two stages.
    """
    folder.mkdir(parents=True)
    files = [folder / f"stage-{stage}.jsonl" for stage in (1, 2, 3)]
    for stage, file in enumerate(files, start=1):
        write_jsonl(str(file), map(vec_cot_row, demonstrations(stage)))
    root = ("--image-root", images)
    took = measure("data", "stats", *map(str, files), *root, "--json")
    measured = json.loads(took.output[took.output.index("\n{") :])["stages"]
    assert [stage["sources"] for stage in measured] == [dict(counts) for counts in TABLE_1]
    assert [stage["pixels"]["count"] for stage in measured] == list(_SIZES)
    _tell("stats, images opened", took)
    took = measure("data", "stats", *map(str, files), "--no-images")
    _tell("stats --no-images", took)
    print(took.output)  # noqa: T201
    took = measure("data", "split", *map(str, files), *root, "--out", str(folder / "split"))
    _tell("split by content", took)
    _check_split(folder)
    took = measure("data", "split", *map(str, files), *root, "--by-reference", "--out", str(folder / "by-reference"))
    _tell("split --by-reference", took)


def _check_split(folder: Path) -> None:
    ids: set[str] = set()
    images: list[set[str]] = []
    for stage, size in enumerate(_SIZES, start=1):
        num_before, seen = len(ids), set[str]()
        for _, row in read_jsonl(str(folder / "split" / f"stage-{stage}.jsonl")):
            ids.add(row["id"])
            seen.update(row["images"])
        assert len(ids) - num_before == size
        images.append(seen)
    assert len(set.union(*images)) == sum(map(len, images))


def _tell(name: str, took: Measurement) -> None:
    print(  # noqa: T201
        f"{NUM_ROWS:,} rows {name:<22} {took.wall_s:6.1f} s, {took.cpu_s:6.1f} CPU-s, {took.peak_mib:4.0f} MiB",
        flush=True,
    )
