"""Every pair of formats there and back, through the command line."""

import filecmp
from itertools import chain, islice
from pathlib import Path

from emocal_rl.benchmarks.data_tools.corpus import NUM_ROWS, demonstrations
from emocal_rl.benchmarks.data_tools.measurement import measure
from emocal_rl.platform.data.formats import Format
from emocal_rl.platform.data.jsonl import write_jsonl
from emocal_rl.platform.data.vec_cot import vec_cot_row


def run(folder: Path, num_rows: int, images: str) -> None:
    """Convert `num_rows` rows from each format to each other one and back; print what each way took.

    Pairs with verl are without responses, for which its rows have no place. In the last pair the images themselves
    are in the files.

    Args:
        folder: where the files are written; it must not exist.
        num_rows: of the corpus, spread evenly over it.
        images: URL of the folder of images.

    Raises:
        AssertionError: a file does not come back byte for byte.
    """
    (folder / "embedded").mkdir(parents=True)
    swift = _file(folder, Format.MS_SWIFT)
    step = NUM_ROWS // num_rows
    corpus = chain.from_iterable(demonstrations(stage) for stage in (1, 2, 3))
    write_jsonl(str(swift), map(vec_cot_row, islice(corpus, 0, num_rows * step, step)))
    root = str(folder)
    query = _convert(swift, _file(folder, Format.MS_SWIFT_QUERY), num_rows, root)
    verl = _convert(swift, _file(folder, Format.VERL), num_rows, root, "--drop", "response")
    _there_and_back(swift, Format.MS_SWIFT_QUERY, num_rows, root)
    _there_and_back(swift, Format.VECBENCH, num_rows, root)
    _there_and_back(query, Format.VECBENCH, num_rows, root)
    for other in (Format.MS_SWIFT, Format.MS_SWIFT_QUERY, Format.VECBENCH):
        _there_and_back(verl, other, num_rows, root)
    embed = ("--images", "embed")
    embedded = _file(folder / "embedded", Format.VERL)
    _convert(swift, embedded, num_rows, images, "--drop", "response", *embed)
    _there_and_back(embedded, Format.MS_SWIFT, num_rows, root, *embed)


def _there_and_back(start: Path, other: Format, num_rows: int, root: str, *options: str) -> None:
    """Convert a file that is named for its format into another format and back again."""
    there = _convert(start, _file(start.parent / "there", other), num_rows, root, *options)
    back = _convert(there, start.parent / "back" / start.name, num_rows, root, *options)
    assert filecmp.cmp(start, back, shallow=False), f"{start} has changed by way of {other}"


def _file(folder: Path, to: Format) -> Path:
    return folder / f"{to}{'.parquet' if to is Format.VERL else '.jsonl'}"


def _convert(source: Path, target: Path, num_rows: int, root: str, *options: str) -> Path:
    to = target.stem
    took = measure(
        "data", "convert", str(source), str(target), "--to", to, "--image-root", root, "--overwrite", *options
    )
    images = "embedded" if "embed" in options else "by path"
    speed = f"{num_rows / took.wall_s:6,.0f} rows/s, {num_rows / took.cpu_s:6,.0f} rows/CPU-s, {took.peak_mib:4.0f} MiB"
    print(f"{num_rows:7,} rows {source.stem:>14} -> {to:<14} {images:<8} {speed}", flush=True)  # noqa: T201
    return target
