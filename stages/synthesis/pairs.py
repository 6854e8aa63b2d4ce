from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import Oracle, load_oracle
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.rows import image_root_of
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task
from emocal_rl.platform.errors import DataError
from emocal_rl.stages.inputs import synthvec_world


@dataclass(frozen=True)
class Pairs:
    """The image-label pairs, in the order of their file, and the folder that holds their images.

    `oracle` knows what the images show, for SynthVEC only.
    """

    samples: tuple[Sample, ...]
    image_root: str
    oracle: Oracle | None


def read_pairs(config: Config) -> Pairs:
    """Read `synthesis.data`, or SynthVEC's reasoning split; a file that lies in a world comes with its oracle.

    A pair without candidates gets those of its task.

    Raises:
        DataError: a malformed row, or one with neither candidates nor a known task, by file and line.
    """
    settings = config.synthesis
    world, url = None, settings.data
    if url is None:
        world = synthvec_world(config)
        url = str(world.reasoning)
    elif (beside := SynthVECFiles(Path(str(Location.parse(url).parent)))).marker.is_file():
        world = beside
    samples = islice(read_samples(url, config.data.image_root), settings.max_samples)
    oracle = load_oracle(world.directory) if world else None
    pairs = tuple(sample if sample.candidates else _with_candidates(sample) for sample in samples)
    return Pairs(pairs, str(image_root_of(url, config.data.image_root)), oracle)


def _with_candidates(sample: Sample) -> Sample:
    try:
        return replace(sample, candidates=taxonomy_of_task(sample.task).labels)
    except DataError as error:
        key = f"{sample.source}:{sample.line} candidates"
        rule = "must be there, because the task is not a known one"
        raise DataError(key, rule=rule, fix="Give the row its candidates, or a task such as FI-8.") from error
