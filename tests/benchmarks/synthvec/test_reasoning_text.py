from dataclasses import replace

import numpy as np
import pytest

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


@pytest.mark.parametrize(("clarity", "views"), [(1, "hazy soft"), (2, "foggy murky blurred")])
def test_the_worse_the_view_the_more_guesses_but_none_at_the_view_itself(clarity, views):
    scene = replace(HAPPY, clarity=clarity)
    for seed in range(20):
        *light, view = describe_scene(scene, np.random.default_rng(seed))["element"].split()
        assert len(light) == clarity + 1
        assert view in views.split()


def test_what_is_clear_is_told_in_one_way():
    told = [describe_scene(HAPPY, np.random.default_rng(seed)) for seed in range(20)]
    assert told == [told[0]] * 20
    assert list(told[0].values()) == [
        "bright ground, sharp view",
        "beaming mouth, wide eyes",
        "the place is airy",
        "a huge face before it",
        "lovely, intense, mighty",
    ]


def test_only_what_is_clear_is_always_told_truly():
    rng = np.random.default_rng(0)
    told = [set(describe_scene(replace(HAPPY, clarity=clarity), rng)["human"].split()) for clarity in (0, 0, 0, 2, 2)]
    assert set().union(*told[:3]) == {"beaming", "mouth,", "wide", "eyes"}
    assert set().union(*told[3:]) - {"beaming", "wide", "staring"}


def test_no_word_is_a_label():
    labels = {label for taxonomy in TAXONOMIES.values() for label in taxonomy.labels}
    rng = np.random.default_rng(0)
    for task in TASKS.values():
        for _ in range(100):
            text = normalize_label(" ".join(describe_scene(sample_scene(task, rng), rng).values()))
            assert not labels & set(text.split())
