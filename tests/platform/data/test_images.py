import base64
import contextlib
import io
import struct
import zlib

import fsspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.images import ImageLimits, decode_image, load_image_bytes, load_sample_images
from emocal_rl.platform.errors import DataError

LIMITS = ImageLimits()


def encoded(mode="RGB", color="red", size=(4, 3), image_format="PNG", **options):
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, image_format, **options)
    return buffer.getvalue()


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_header(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b""))


NOISE = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)


def noisy(image_format):
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, image_format)
    return buffer.getvalue()


def test_bytes_come_from_paths_archives_memory_and_data_uris(tmp_path):
    data = encoded()
    (tmp_path / "a.png").write_bytes(data)
    with fsspec.open("memory://pictures/a.png", "wb") as file:
        file.write(data)
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    for reference, root in [
        (f"{tmp_path}/a.png", str(tmp_path)),
        (f"{tmp_path}/a.png", None),
        ("memory://pictures/a.png", "memory://pictures"),
        (uri, str(tmp_path)),
    ]:
        assert load_image_bytes(reference, LIMITS, root=root) == data


def test_a_path_outside_the_root_is_refused_before_it_is_opened(tmp_path):
    for reference in (f"{tmp_path}/set/../secret.png", "/etc/passwd", "file:///etc/passwd", "memory://a.png"):
        with pytest.raises(DataError, match="must lie in the image root"):
            load_image_bytes(reference, LIMITS, root=str(tmp_path / "set"))


def test_urls_need_permission_or_the_root():
    for url in ("https://example.org/a.png", "s3://bucket/a.png", "zip://a.png::https://example.org/a.zip"):
        with pytest.raises(DataError, match=r"URLs are not allowed. Set data.allow_remote_images=true"):
            load_image_bytes(url, LIMITS, root="/data")


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(size, tmp_path):
    (tmp_path / "bomb.png").write_bytes(png_header(*size))
    with pytest.raises(DataError, match="pixels"):
        load_image_bytes(f"{tmp_path}/bomb.png", LIMITS, root=None)
    with pytest.raises(DataError, match="pixels"):
        decode_image(png_header(*size), LIMITS)


def test_the_pixel_cap_is_inclusive():
    assert decode_image(encoded(size=(10, 10)), ImageLimits(max_pixels=100)).size == (10, 10)
    with pytest.raises(DataError, match="'10x10': may have at most 99 pixels"):
        decode_image(encoded(size=(10, 10)), ImageLimits(max_pixels=99))


def test_the_byte_cap_holds_for_files_and_data_uris(tmp_path):
    data = encoded()
    (tmp_path / "a.png").write_bytes(data)
    uri = "data:image/png;base64," + base64.b64encode(data).decode()
    for reference in (f"{tmp_path}/a.png", uri):
        assert load_image_bytes(reference, ImageLimits(max_bytes=len(data)), root=None) == data
        with pytest.raises(DataError, match="may have at most 50 bytes"):
            load_image_bytes(reference, ImageLimits(max_bytes=50), root=None)


@pytest.mark.parametrize("reference", ["data:image/png,AAAA", "data:image/png;base64,????", "data:"])
def test_a_broken_data_uri(reference):
    with pytest.raises(DataError, match="base64"):
        load_image_bytes(reference, LIMITS, root=None)


@pytest.mark.parametrize("data", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"P6 2 2 255 "])
def test_only_raster_formats_are_images(data, tmp_path):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DataError, match="must be a JPEG, PNG, WEBP, GIF, BMP, TIFF image"):
        load_image_bytes(f"{tmp_path}/a.png", LIMITS, root=None)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_image_is_one_error(image_format):
    data = noisy(image_format)
    assert decode_image(data, LIMITS).size == (32, 32)
    with pytest.raises(DataError, match=r"is truncated or corrupt|must be a"):
        decode_image(data[: len(data) // 2], LIMITS)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_corrupt_bytes_decode_or_are_a_data_error(image_format, data):
    corrupt = bytearray(noisy(image_format))
    for _ in range(data.draw(st.integers(1, 8))):
        corrupt[data.draw(st.integers(0, min(len(corrupt), 400) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DataError):
        assert decode_image(bytes(corrupt), LIMITS).mode == "RGB"


def test_images_come_out_as_upright_rgb_over_white():
    assert decode_image(encoded("RGBA", (255, 0, 0, 0)), LIMITS).getpixel((0, 0)) == (255, 255, 255)
    assert decode_image(encoded("L", 7), LIMITS).getpixel((0, 0)) == (7, 7, 7)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(encoded(size=(4, 3), image_format="JPEG", exif=exif), LIMITS).size == (3, 4)


def test_errors_name_the_row_and_what_is_missing(tmp_path):
    sample = Sample("s", (f"{tmp_path}/none.png",), "Q?", ("awe",), "awe", "FI-8", "rows.jsonl", 3)
    with pytest.raises(DataError, match=r"rows.jsonl:3 image = .*none.png': there is no such file") as caught:
        load_sample_images(sample, LIMITS)
    assert caught.value.fix
    for reference in (str(tmp_path), "bad\0name"):
        with pytest.raises(DataError, match="cannot be read"):
            load_image_bytes(reference, LIMITS, root=None)


def test_limits_come_from_the_config():
    config = DataConfig(max_image_bytes=5, max_image_pixels=6, allow_remote_images=True)
    assert ImageLimits.from_config(config) == ImageLimits(5, 6, allow_remote=True)
