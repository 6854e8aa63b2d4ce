import json
from pathlib import Path

import pytest

from emocal_rl.benchmarks.suites.made_up import write_made_up
from emocal_rl.benchmarks.suites.registry import open_suite
from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.world import build_world
from emocal_rl.platform.config.data import SynthVECConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.errors import UserError


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SynthVECFiles:
    sizes = {"num_pretrain": 32, "num_reasoning": 32, "num_confidence": 32, "num_calibration": 16}
    sizes |= {"num_validation": 9, "num_test": 40, "num_test_ood": 9}
    return build_world(SynthVECConfig(**sizes), tmp_path_factory.mktemp("world"))


# eemo, single: 2 questions, a ranking and 3 assessments an image, 2 descriptions; pair: 2 questions each, 1 description
@pytest.mark.parametrize(("bench", "num_files", "num_samples"), [("eemo", 2, 6 * 6 + 2 + 3 * 2 + 1), ("mvei", 1, 6)])
def test_a_made_up_set_is_read_and_always_the_same(
    world: SynthVECFiles, tmp_path: Path, config: Config, bench: str, num_files: int, num_samples: int
) -> None:
    files = write_made_up(bench, world, tmp_path / "one", 6)
    again = write_made_up(bench, world, tmp_path / "two", 6)
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in again]
    samples = open_suite(bench).read([str(path) for path in files], config).samples
    assert (len(files), len(samples)) == (num_files, num_samples)
    assert all(Path(image).is_file() for sample in samples for image in sample.images)


def test_the_truth_is_not_always_the_same_letter_or_label(world: SynthVECFiles, tmp_path: Path, config: Config) -> None:
    (eemo, _), (mvei,) = (write_made_up(bench, world, tmp_path / bench, 8) for bench in ("eemo", "mvei"))
    letters = {row["correct_answer"] for row in json.loads(eemo.read_text()) if "options" in row}
    assert {"A", "B"} <= letters
    assert all(isinstance(row["emotion_dict"], str) for row in json.loads(eemo.read_text()))
    assert {sample.label for sample in open_suite("mvei").read([str(mvei)], config).samples} == {"Correct", "Incorrect"}


def test_what_cannot_be_made_is_said(world: SynthVECFiles, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"suite = 'emo': must be one of: eemo, mvei\. Did you mean 'eemo'"):
        write_made_up("emo", world, tmp_path, 2)
    with pytest.raises(UserError, match=r"--num-images = 99: must be at most \d+"):
        write_made_up("mvei", world, tmp_path, 99)
