import numpy as np
import pytest

from emocal_rl.benchmarks.synthvec.scene import Scene, label_distribution, sample_scene
from emocal_rl.benchmarks.synthvec.tasks import TASKS


def _scene(face=0.5, context=0.5, arousal=0.5, dominance=0.5, clarity=0):
    return Scene(face, context, arousal, dominance, clarity, hue=0, bar=0, offset=(0, 0))


def test_valence_is_mostly_the_faces():
    assert _scene(face=1.0, context=0.0).valence == pytest.approx(0.65)


def test_the_distribution_is_the_softmax_of_squared_distances():
    # both poles are 0.3 from the middle: at valence .6 the distances are .2 and .4
    scene = _scene(face=0.6, context=0.6, clarity=1)
    odds = np.exp((0.4**2 - 0.2**2) / (0.13 * 1.5))
    assert label_distribution(TASKS["SynthFI-2"], scene) == pytest.approx([odds / (1 + odds), 1 / (1 + odds)])


def test_a_foggy_image_is_more_ambiguous_than_a_clear_one():
    task = TASKS["SynthFI-8"]
    tops = [label_distribution(task, _scene(0.12, 0.12, 0.85, 0.7, clarity)).max() for clarity in range(3)]
    assert tops[0] > 0.95 > tops[1] > 0.6 > tops[2]


@pytest.mark.parametrize("name", TASKS)
def test_sampled_scenes_keep_their_latents_in_range_and_their_style(name):
    task = TASKS[name]
    rng = np.random.default_rng(0)
    scenes = [sample_scene(task, rng) for _ in range(300)]
    for scene in scenes:
        for value in (scene.face_valence, scene.context_valence, scene.arousal, scene.dominance):
            assert -1e-9 <= value <= 1 + 1e-9
        assert abs(scene.face_valence - scene.context_valence) <= task.disagreement + 1e-9
        assert scene.hue in task.hues
    assert {scene.clarity for scene in scenes} == {0, 1, 2}


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [("SynthFI-8", 0.604), ("SynthWebEmo-7", 0.642), ("SynthFI-2", 0.808), ("SynthWebEmo-25", 0.437)],
)
def test_the_tasks_are_as_hard_as_the_papers(name, accuracy):
    rng = np.random.default_rng(1)
    best = [label_distribution(TASKS[name], sample_scene(TASKS[name], rng)).max() for _ in range(2000)]
    assert np.mean(best) == pytest.approx(accuracy, abs=0.025)
