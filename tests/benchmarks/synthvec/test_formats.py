from pathlib import Path

import pytest

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.platform.data.convert import ConversionOptions, convert
from emocal_rl.platform.data.digest import StreamDigest
from emocal_rl.platform.data.formats import HOLDS, Format, Part
from emocal_rl.platform.data.samples import read_demonstration_samples, read_samples
from emocal_rl.platform.progress import SilentProgress


@pytest.mark.parametrize("to", Format)
def test_every_format_gives_every_stage_the_same_stream(small_world: SynthVECFiles, tmp_path: Path, to: Format) -> None:
    """Stage 1 needs responses; the others what every format holds."""
    for split in ("reasoning", "confidence", "calibration", "validation", "test"):
        source = small_world.directory / f"{split}.jsonl"
        target = tmp_path / f"{split}.{'parquet' if to is Format.VERL else 'jsonl'}"
        convert(str(source), str(target), to, ConversionOptions(drop={Part.RESPONSE}), SilentProgress())
        with_responses = split == "reasoning" and Part.RESPONSE in HOLDS[to]
        read = read_demonstration_samples if with_responses else read_samples
        digests = []
        for file in (source, target):
            digest = StreamDigest()
            for example in read(str(file), str(small_world.directory)):
                digest.update(example)
            digests.append(digest.hexdigest())
        assert digests[0] == digests[1]
