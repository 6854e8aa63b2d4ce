"""Drawing a scene as an 84 x 84 image: nine visual tokens of Qwen2.5-VL (patch 14, merge 2)."""

from io import BytesIO
from zlib import Z_HUFFMAN_ONLY

import numpy as np
from PIL import Image, ImageDraw

from emocal_rl.benchmarks.synthvec.scene import Scene
from emocal_rl.benchmarks.synthvec.tasks import Style

IMAGE_SIZE_PX = 84

_SCALE = 2  # drawn twice as large and averaged down: sizes then vary by half pixels
_FACES = ((236, 196, 140), (222, 150, 120), (176, 128, 92), (140, 190, 120))
_INK = (30, 24, 28)
_WHITE = (250, 250, 250)
_BARS = ((190, 70, 70), (70, 150, 80), (200, 170, 60), (130, 80, 160))
_NIGHT, _DAY = (14, 20, 52), (150, 205, 255)
_HAZE_GREY = 170.0
_HAZE = (0.0, 0.22, 0.42)
_NOISE = (3.0, 7.0, 11.0)
"""Standard deviation of the pixel noise by clarity, in grey levels."""

_Color = tuple[int, int, int]


def draw_scene(scene: Scene, style: Style, rng: np.random.Generator) -> Image.Image:
    """Draw a scene in RGB. `rng` places what the scene leaves open: pixel noise and the parts of a texture."""
    size = IMAGE_SIZE_PX * _SCALE
    canvas = Image.new("RGB", (size, size), _background(scene.context_valence))
    pen = ImageDraw.Draw(canvas)
    if style == "texture":
        _draw_texture(pen, scene, rng)
    else:
        _draw_face(pen, scene, outline_only=style == "sketch")
    _draw_bar(pen, scene)
    pixels = np.asarray(canvas.reduce(_SCALE), dtype=np.float32)
    haze = _HAZE[scene.clarity]
    pixels = pixels * (1 - haze) + _HAZE_GREY * haze
    pixels += _NOISE[scene.clarity] * rng.standard_normal(pixels.shape, dtype=np.float32)
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def encode_png(image: Image.Image) -> bytes:
    """Encode losslessly. Huffman coding only: pixel noise holds no repetition worth searching for."""
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1, compress_type=Z_HUFFMAN_ONLY)
    return buffer.getvalue()


def _background(valence: float) -> _Color:
    red, green, blue = (round(low + (high - low) * valence) for low, high in zip(_NIGHT, _DAY, strict=True))
    return red, green, blue


def _draw_face(pen: ImageDraw.ImageDraw, scene: Scene, *, outline_only: bool) -> None:
    x, y = (_SCALE * (IMAGE_SIZE_PX / 2 + shift) for shift in scene.offset)
    radius = _radius(scene)
    ink = _WHITE if outline_only else _INK
    skin = None if outline_only else _FACES[scene.hue]
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=skin, outline=ink, width=_SCALE)
    for side in (-1, 1):
        _draw_eye(pen, x + side * 0.4 * radius, y - 0.28 * radius, radius, scene.arousal, outline_only=outline_only)
    _draw_mouth(pen, x, y + 0.48 * radius, radius, scene.face_valence, ink)


def _draw_texture(pen: ImageDraw.ImageDraw, scene: Scene, rng: np.random.Generator) -> None:
    """Scatter the parts of a face without a face: a disc for dominance, eyes for arousal, mouths for valence."""
    size = IMAGE_SIZE_PX * _SCALE
    radius = _radius(scene)
    spots = rng.uniform(0.2, 0.8, (5, 2)) * size
    x, y = spots[0]
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_FACES[scene.hue])
    for x, y in spots[1:3]:
        _draw_eye(pen, x, y, radius, scene.arousal, outline_only=False)
    for x, y in spots[3:]:
        _draw_mouth(pen, x, y, radius, scene.face_valence, _INK)


def _draw_eye(
    pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, arousal: float, *, outline_only: bool
) -> None:
    half_width, half_height = 0.24 * radius, (0.03 + 0.36 * arousal) * radius
    box = (x - half_width, y - half_height, x + half_width, y + half_height)
    pen.ellipse(box, fill=None if outline_only else _WHITE, outline=_WHITE if outline_only else _INK, width=_SCALE)


def _draw_mouth(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, valence: float, color: _Color) -> None:
    """A parabola whose corners rise with valence and fall below one half."""
    across = np.linspace(-1, 1, 13)
    rise = (2 * valence - 1) * 0.6 * radius
    points = zip(x + 0.55 * radius * across, y - rise * (across**2 - 0.5), strict=True)
    pen.line([(float(px), float(py)) for px, py in points], fill=color, width=2 * _SCALE, joint="curve")


def _draw_bar(pen: ImageDraw.ImageDraw, scene: Scene) -> None:
    size, width = IMAGE_SIZE_PX * _SCALE, 3 * _SCALE
    boxes = ((0, 0, size, width), (size - width, 0, size, size), (0, size - width, size, size), (0, 0, width, size))
    pen.rectangle(boxes[scene.bar], fill=_BARS[scene.bar])


def _radius(scene: Scene) -> float:
    return _SCALE * (17 + 17 * scene.dominance)
