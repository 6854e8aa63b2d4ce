from emocal_rl.benchmarks.synthvec.attribute_words import ATTRIBUTES, vocabulary
from emocal_rl.benchmarks.synthvec.scene import Scene
from emocal_rl.platform.contracts import REASONING_PARTS


def scene(value: float, clarity: int) -> Scene:
    return Scene(value, value, value, value, clarity, hue=0, bar=0, offset=(0, 0))


def test_levels_are_equal_shares_of_the_scale_with_both_ends() -> None:
    light, view = ATTRIBUTES[:2]
    assert [light.level(scene(value, 0)) for value in (0.0, 0.19, 0.2, 0.59, 0.6, 0.99, 1.0)] == [0, 0, 1, 2, 3, 4, 4]
    assert [view.level(scene(0.5, clarity)) for clarity in (0, 1, 2)] == [0, 1, 2]


def test_no_word_stands_for_two_things_in_one_part() -> None:
    words = vocabulary()
    assert set(words) == set(REASONING_PARTS)
    for lists in words.values():
        flat = [word for one in lists.values() for word in one]
        assert len(set(flat)) == len(flat)
