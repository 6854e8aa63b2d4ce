"""The benchmarks that `eval run` asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emocal_rl.benchmarks.synthvec.oracle import Oracle, load_oracle
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.stages.inputs import hash_file, synthvec_world


@dataclass(frozen=True)
class Suite:
    """All samples of a benchmark, the known truth where there is one, and digests of what was read, by name."""

    samples: tuple[Sample, ...]
    oracle: Oracle | None
    hashes: Mapping[str, str]


def _read_vecbench(files: Sequence[str], config: Config) -> Suite:
    """The test files that are given: VECBench rows, or any rows with candidates."""
    if not files:
        raise UserError("--data", rule="must name the test files of VECBench", fix="Add --data FILE (once per file).")
    samples: dict[str, Sample] = {}
    for url in files:
        for sample in read_samples(url, config.data.image_root):
            if not sample.candidates:
                rule = "must list the labels to choose from"
                key = f"{sample.source}:{sample.line} candidates"
                raise DataError(key, list(sample.candidates), rule=rule, fix="Give the row its candidates.")
            first = samples.setdefault(sample.id, sample)
            if first is not sample:
                rule = f"must be unique over all files; {first.source}:{first.line} has it too"
                fix = "Name every file once, and rename repeated rows."
                raise DataError(f"{sample.source}:{sample.line} id", sample.id, rule=rule, fix=fix)
    hashes = {f"--data {number} (sha256)": hash_file(url) for number, url in enumerate(files, start=1)}
    return Suite(tuple(samples.values()), None, hashes)


def _read_synthvec(files: Sequence[str], config: Config) -> Suite:
    """Both test splits of the synthetic world, which is built unless it is there."""
    if files:
        fix = "Drop --data; --set synthvec.num_test=N sets its size."
        raise UserError("--data", list(files), rule="does not go with --bench synthvec, which makes its own", fix=fix)
    world = synthvec_world(config)
    outside = read_samples(str(world.test_ood)) if config.synthvec.num_test_ood else ()
    samples = (*read_samples(str(world.test)), *outside)
    return Suite(samples, load_oracle(world.directory), {"synthvec": world.directory.name})


SUITES: Mapping[str, Callable[[Sequence[str], Config], Suite]] = {
    "vecbench": _read_vecbench,
    "synthvec": _read_synthvec,
}
"""How each benchmark is read, by name, from the files of the command line and the config."""
