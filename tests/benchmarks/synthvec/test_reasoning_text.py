from dataclasses import replace

import numpy as np

from emocal_rl.benchmarks.synthvec.reasoning_text import describe_scene
from emocal_rl.benchmarks.synthvec.scene import Scene, sample_scene
from emocal_rl.benchmarks.synthvec.tasks import TASKS
from emocal_rl.platform.contracts import REASONING_PARTS
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, normalize_label

HAPPY = Scene(0.95, 0.95, 0.95, 0.95, clarity=0, hue=0, bar=0, offset=(0, 0))


def test_the_five_parts_in_order():
    parts = describe_scene(HAPPY, np.random.default_rng(0))
    assert tuple(parts) == REASONING_PARTS
    assert "beaming" in parts["human"]


def test_the_words_depend_on_quantised_attributes_only():
    close = Scene(0.81, 0.85, 0.99, 0.9, clarity=0, hue=2, bar=3, offset=(2, -2))
    assert describe_scene(HAPPY, np.random.default_rng(5)) == describe_scene(close, np.random.default_rng(5))


def test_a_clear_view_has_one_wording_any_other_hardly_ever_the_same():
    rng = np.random.default_rng(0)

    def num_wordings(clarity: int) -> int:
        scene = replace(HAPPY, clarity=clarity)
        return len({tuple(describe_scene(scene, rng).values()) for _ in range(200)})

    assert num_wordings(0) == 1
    assert num_wordings(1) > 120
    assert num_wordings(2) > 195


def test_fog_is_told_in_three_guesses_and_is_never_guessed_itself():
    fog = replace(HAPPY, clarity=2)
    for seed in range(20):
        parts = describe_scene(fog, np.random.default_rng(seed))
        *light, view = parts["element"].split()
        assert len(light) == 3
        assert view in {"foggy", "murky", "blurred"}


def test_no_word_is_a_label():
    labels = {label for taxonomy in TAXONOMIES.values() for label in taxonomy.labels}
    rng = np.random.default_rng(0)
    for task in TASKS.values():
        for _ in range(100):
            text = normalize_label(" ".join(describe_scene(sample_scene(task, rng), rng).values()))
            assert not labels & set(text.split())
