import pytest

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.jsonl import read_jsonl, write_jsonl
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.data.vecbench import write_vecbench
from emocal_rl.platform.errors import DataError


def test_both_formats_are_told_apart_row_by_row():
    url = "memory://mixed/rows.jsonl"
    samples = [
        Sample(name, ("memory://mixed/a.png",), "Q?", ("awe", "fear"), "awe", "FI-8", url, line)
        for line, name in enumerate(("bench", "cot"), start=1)
    ]
    write_vecbench("memory://mixed/bench.jsonl", samples[:1])
    write_vec_cot("memory://mixed/cot.jsonl", [DemonstrationSample(samples[1], "<answer>awe</answer>")])
    rows = [row for name in ("bench", "cot") for _, row in read_jsonl(f"memory://mixed/{name}.jsonl")]
    write_jsonl(url, rows)
    assert list(read_samples(url)) == samples


def test_a_row_of_neither_format_names_both():
    write_jsonl("memory://other.jsonl", [{"prompt": 1}])
    with pytest.raises(DataError, match=r"other.jsonl:1 keys = \['prompt'\]: must be a VECBench row"):
        list(read_samples("memory://other.jsonl"))
