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


def test_the_worlds_own_descriptions_are_right_about_what_is_clear_and_further_off_the_worse_it_is_seen() -> None:
    rng = np.random.default_rng(3)
    distances: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for task in list(TASKS.values()) * 40:
        scene = sample_scene(task, rng)
        claims = read_claims(describe_scene(scene, rng), scene)
        assert len(claims) == (9, 17, 25)[scene.clarity]
        distances[scene.clarity] += [claim.distance for claim in claims]
    assert set(distances[0]) == {0}
    assert 0.2 < np.mean(distances[1]) < 0.4 < np.mean(distances[2]) < 1


def test_the_oracle_gives_back_the_scene_that_was_described(small_world: SynthVECFiles) -> None:
    oracle = load_oracle(Path(small_world.directory))
    demonstrations = list(read_vec_cot(str(small_world.reasoning)))
    scenes = [oracle.scene(demonstration.sample.id) for demonstration in demonstrations]
    assert {scene.clarity for scene in scenes} == {0, 1, 2}
    for demonstration, scene in zip(demonstrations, scenes, strict=True):
        parts = parse_response(demonstration.response, with_confidence=False).parts
        claims = read_claims(parts, scene)
        assert [claim.distance for claim in claims if claim.attribute == "view"] == [0]
        assert scene.clarity or [claim.distance for claim in claims] == [0] * 9
