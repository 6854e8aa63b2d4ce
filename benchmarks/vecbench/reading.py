"""Prediction files to outcomes, block by block, in several processes where there is much to read."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context

from emocal_rl.benchmarks.vecbench.explain import Disagreement, explain
from emocal_rl.benchmarks.vecbench.judgement import Judgement, judge, judge_ans, judge_avg
from emocal_rl.benchmarks.vecbench.official import judge_official, judge_official_overall
from emocal_rl.benchmarks.vecbench.outcomes import Outcomes, OutcomesBuilder
from emocal_rl.platform.data.jsonl import parse_line, read_blocks
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.parquet import is_parquet
from emocal_rl.platform.data.row_count import count_rows
from emocal_rl.platform.data.rows import Row, read_prediction_rows
from emocal_rl.platform.data.vecbench import Answered, answered_of_row
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress

READINGS: Mapping[str, Callable[[Answered], Judgement]] = {
    "strict": judge,
    "official": judge_official,
    "official_overall": judge_official_overall,
}
"""The ways to read a response. `explain` compares all of them."""

ELICITATIONS: Mapping[str, str] = {"verb": "strict", "ans": "strict_ans", "avg": "strict_avg"}
"""Where the confidence comes from (paper, Table 5), and the reading that takes it from there."""

_JUDGES = {**READINGS, "strict_ans": judge_ans, "strict_avg": judge_avg}

_BLOCK_BYTES = 8 << 20
_BLOCKS_ALONE = 4
"""Files of no more blocks are read by this process: starting others would take longer."""


@dataclass(frozen=True, slots=True)
class Part:
    """What came of some rows of one file: their own ids with lines, their outcomes by reading, and how these differ."""

    url: str
    num_rows: int
    ids: Sequence[tuple[str, int]]
    outcomes: Mapping[str, Outcomes]
    disagreements: Sequence[Disagreement]


def read_parts(
    urls: Sequence[str], readings: Sequence[str], progress: Progress, *, explained: bool = False
) -> Iterator[Part]:
    """Yield one set of predictions that is spread over several files, in order.

    A row without an `id` is named by its file and line, so rows of different files are then never the same sample.

    Args:
        urls: JSONL or Parquet files, paths or fsspec URLs.
        readings: keys of `READINGS`, all of them if `explained`; or values of `ELICITATIONS`.
        progress: told how many rows there are, where that is cheap to know, and how many have been read.
        explained: say where the readings differ.

    Raises:
        DataError: a file is given twice, cannot be read or has no rows, a row is malformed, or an id occurs twice.
    """
    locations = [Location.parse(url) for url in urls]
    for number, (url, location) in enumerate(zip(urls, locations, strict=True)):
        if location in locations[:number]:
            raise DataError(url, rule="is given twice", fix="Name every file once.")
    seen: dict[str, tuple[str, int]] = {}
    num_rows = dict.fromkeys(urls, 0)
    counts = [count_rows(url) for url in urls]
    progress.phase("reading predictions", None if None in counts else sum(count or 0 for count in counts))
    for part in _in_processes(_jobs(urls, readings, explained)):
        for name, line in part.ids:
            if (first := seen.setdefault(name, (part.url, line))) != (part.url, line):
                rule = f"must be unique over all files; {first[0]}:{first[1]} has it too"
                fix = "Leave out the file or row that repeats it."
                raise DataError(f"{part.url}:{line} id", name, rule=rule, fix=fix)
        num_rows[part.url] += part.num_rows
        progress.advance(part.num_rows)
        yield part
    for url, count in num_rows.items():
        if not count:
            raise DataError(url, rule="holds no rows", fix="Check that the file was written completely.")


def _jobs(urls: Sequence[str], readings: Sequence[str], explained: bool) -> Iterator[Callable[[], Part]]:
    for url in urls:
        if is_parquet(url):
            yield partial(_read_whole, url, readings, explained)
            continue
        for line, block in read_blocks(url, _BLOCK_BYTES):
            yield partial(_read_block, url, line, block, readings, explained)


def _in_processes(jobs: Iterator[Callable[[], Part]]) -> Iterator[Part]:
    """Yield the jobs' results in order; blocks of a file of any size are never all in memory."""
    first = list(islice(jobs, _BLOCKS_ALONE + 1))
    if len(first) <= _BLOCKS_ALONE:
        yield from (job() for job in first)
        return
    num_processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pending: deque[Future[Part]] = deque()
    with ProcessPoolExecutor(num_processes, mp_context=get_context("spawn")) as pool:
        try:
            for job in chain(first, jobs):
                pending.append(pool.submit(job))
                if len(pending) > 2 * num_processes:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _read_block(url: str, line: int, block: bytes, readings: Sequence[str], explained: bool) -> Part:
    lines = enumerate(block.split(b"\n"), start=line)
    parsed = ((number, parse_line(url, number, data, nan_is_null=True)) for number, data in lines if data.strip())
    return _read(url, (Row(url, number, value, None) for number, value in parsed), readings, explained)


def _read_whole(url: str, readings: Sequence[str], explained: bool) -> Part:
    return _read(url, read_prediction_rows(url), readings, explained)


def _read(url: str, rows: Iterable[Row], readings: Sequence[str], explained: bool) -> Part:
    stem, num_rows, ids, disagreements = Location.parse(url).stem, 0, [], []
    builders = {name: OutcomesBuilder() for name in readings}
    for row in rows:
        answered = answered_of_row(row)
        if answered.id != f"{stem}:{row.line}":
            ids.append((answered.id, row.line))
        judgements = {name: _JUDGES[name](answered) for name in readings}
        for name, judgement in judgements.items():
            builders[name].add(judgement)
        if explained and (found := explain(answered, *(judgements[name] for name in READINGS))):
            disagreements.append(found)
        num_rows += 1
    return Part(url, num_rows, ids, {name: builder.build() for name, builder in builders.items()}, disagreements)
