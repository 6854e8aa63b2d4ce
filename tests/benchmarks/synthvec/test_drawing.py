from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from emocal_rl.benchmarks.synthvec.drawing import draw_scene, encode_png
from emocal_rl.benchmarks.synthvec.scene import Scene

CENTRE = Scene(0.5, 0.5, 0.5, 0.5, clarity=0, hue=0, bar=0, offset=(0, 0))


def _pixels(style="portrait", **changes):
    scene = Scene(**{name: changes.get(name, getattr(CENTRE, name)) for name in Scene.__slots__})
    return np.asarray(draw_scene(scene, style, np.random.default_rng(0)), dtype=np.float64)


def test_an_image_is_rgb_and_survives_its_encoding():
    image = draw_scene(CENTRE, "portrait", np.random.default_rng(0))
    assert (image.size, image.mode) == ((84, 84), "RGB")
    assert np.array_equal(np.asarray(Image.open(BytesIO(encode_png(image)))), np.asarray(image))


def test_the_same_generator_draws_the_same_pixels():
    assert np.array_equal(_pixels(), _pixels())


@pytest.mark.parametrize("style", ["portrait", "texture", "sketch"])
@pytest.mark.parametrize("attribute", ["face_valence", "context_valence", "arousal", "dominance"])
def test_every_attribute_shows_in_every_style(style, attribute):
    low, high = (_pixels(style, **{attribute: value}) for value in (0.2, 0.8))
    assert (np.abs(low - high).max(axis=-1) > 40).sum() > 25


def test_surroundings_brighten_with_valence_and_the_face_grows_with_dominance():
    assert _pixels(context_valence=0.9)[75, 5].mean() > _pixels(context_valence=0.1)[75, 5].mean() + 60
    skin = [int((np.abs(_pixels(dominance=value) - (236, 196, 140)).max(axis=-1) < 15).sum()) for value in (0, 0.5, 1)]
    assert skin[0] < skin[1] < skin[2]


def test_haze_flattens_contrast():
    contrast = [_pixels(clarity=clarity).std() for clarity in range(3)]
    assert contrast[0] > contrast[1] > contrast[2]
