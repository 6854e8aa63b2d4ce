from pathlib import Path

import numpy as np

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.benchmarks.synthvec.reasoning_claims import Claim, read_claims
from emocal_rl.benchmarks.synthvec.reasoning_text import describe_scene
from emocal_rl.benchmarks.synthvec.scene import Scene, sample_scene
from emocal_rl.benchmarks.synthvec.tasks import TASKS
from emocal_rl.platform.data.vec_cot import read_vec_cot
from emocal_rl.platform.responses.grammar import parse_response

SAD = Scene(0.1, 0.1, 0.5, 0.1, clarity=2, hue=0, bar=0, offset=(0, 0))


def test_claims_are_words_in_their_own_part_and_know_how_far_off_they_are() -> None:
    reasoning = {
        "element": "A Foggy view; the ground is sunny.",
        "human": "Half open eyes over a beaming mouth, not a smile.",
        "context": "bright",  # an attribute word, but of another part
        "interaction": "tinyish",
    }
    assert read_claims(reasoning, SAD) == [
        Claim("light", "sunny", 4),
        Claim("view", "foggy", 0),
        Claim("mouth", "beaming", 4),
        Claim("eyes", "half open", 0),
    ]


def test_the_worlds_own_descriptions_make_nine_claims_all_right() -> None:
    rng = np.random.default_rng(3)
    for task in list(TASKS.values()) * 20:
        scene = sample_scene(task, rng)
        claims = read_claims(describe_scene(scene, rng), scene)
        assert [claim.distance for claim in claims] == [0] * 9


def test_the_oracle_gives_back_the_scene_that_was_described(small_world: SynthVECFiles) -> None:
    oracle = load_oracle(Path(small_world.directory))
    demonstrations = list(read_vec_cot(str(small_world.reasoning)))
    for demonstration in demonstrations[:20]:
        parts = parse_response(demonstration.response, with_confidence=False).parts
        claims = read_claims(parts, oracle.scene(demonstration.sample.id))
        assert [claim.distance for claim in claims] == [0] * 9
