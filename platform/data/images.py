import base64
import binascii
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.archives import open_file
from emocal_rl.platform.data.jsonl import unreadable
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.errors import DataError

# Raster formats only: Pillow's others start programs (EPS) or read files of their own.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# Our own cap, checked on the header before anything is decoded, takes the place of Pillow's warning.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What an image may cost, and whether it may come from elsewhere."""

    max_bytes: int = 50_000_000
    max_pixels: int = 50_000_000
    allow_remote: bool = False

    @classmethod
    def from_config(cls, config: DataConfig) -> "ImageLimits":
        """Return the limits a run is configured with."""
        return cls(config.max_image_bytes, config.max_image_pixels, config.allow_remote_images)


def load_image_bytes(reference: str, limits: ImageLimits, *, root: str | None = None, key: str = "image") -> bytes:
    """Return the encoded image behind a reference, checked as far as its header tells.

    Args:
        reference: path, fsspec URL or base64 data URI.
        limits: caps on bytes and pixels, and whether URLs that leave this machine are allowed.
        root: folder or URL the image must lie in; None where the dataset reader has checked that.
        key: what an error calls the image.

    Raises:
        DataError: it lies outside `root`, is remote, missing, too large, or no image.
    """
    if reference.startswith("data:"):
        data = _read_data_uri(reference, limits, key)
    else:
        location = Location.parse(reference)
        inside = root is not None and Location.parse(root).contains(location)
        if location.is_remote and not limits.allow_remote and not inside:
            fix = "Set data.allow_remote_images=true, or download the images."
            raise DataError(key, reference, rule="URLs are not allowed", fix=fix)
        if root is not None and not inside and not location.is_remote:
            fix = "Set data.image_root to a folder that holds all images."
            raise DataError(key, reference, rule=f"must lie in the image root {root}", fix=fix)
        data = _read_file(location, limits, key)
    _open(data, limits, key)
    return data


def load_sample_images(sample: Sample, limits: ImageLimits, *, root: str | None = None) -> tuple[bytes, ...]:
    """Return the encoded images of a sample; an error names the row it came from."""
    key = f"{sample.source}:{sample.line} image" if sample.source else f"{sample.id} image"
    return tuple(load_image_bytes(reference, limits, root=root, key=key) for reference in sample.images)


def decode_image(data: bytes, limits: ImageLimits, *, key: str = "image") -> Image.Image:
    """Decode an image to RGB, upright by its EXIF orientation, transparency over white (as vLLM has it).

    Raises:
        DataError: too many pixels (before decoding), truncated, corrupt, or no image.
    """
    image = _open(data, limits, key)
    try:
        upright = ImageOps.exif_transpose(image)
        if not upright.has_transparency_data:
            return upright.convert("RGB")
        rgba = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    except Exception as error:  # Pillow's decoders raise whatever corrupt bytes lead them into
        raise DataError(key, rule=f"is truncated or corrupt: {error}", fix="Replace the image file.") from error


def _open(data: bytes, limits: ImageLimits, key: str) -> Image.Image:
    """Read the header only; pixels are not decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        fix = "Scale the image down; Pillow itself refuses this size."
        raise DataError(key, rule=f"has too many pixels: {error}", fix=fix) from error
    except Exception as error:  # see decode_image
        rule = f"must be a {', '.join(_FORMATS)} image"
        raise DataError(key, data[:16], rule=rule, fix="Replace the image file.") from error
    if image.width * image.height > limits.max_pixels:
        size = f"{image.width}x{image.height}"
        rule = f"may have at most {limits.max_pixels} pixels"
        raise DataError(key, size, rule=rule, fix="Scale the image down, or raise data.max_image_pixels.")
    return image


def _read_file(location: Location, limits: ImageLimits, key: str) -> bytes:
    url = str(location)
    try:
        with open_file(location) as file:
            data = file.read(limits.max_bytes + 1)
    except Exception as error:  # every fsspec backend has errors of its own
        fix = "Check data.image_root, the row's path and its permissions."
        raise DataError(key, url, rule=unreadable(url, error).rule, fix=fix) from error
    _check_bytes(len(data), url, limits, key)
    return data


def _read_data_uri(reference: str, limits: ImageLimits, key: str) -> bytes:
    header, _, payload = reference.partition(",")
    if not header.endswith(";base64"):
        raise DataError(key, reference[:60], rule="a data URI must be base64", fix="Write data:image/png;base64,...")
    _check_bytes(len(payload) * 3 // 4 - 2, header, limits, key)
    try:
        return base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise DataError(key, reference[:60], rule=f"is not base64: {error}", fix="Encode the image again.") from error


def _check_bytes(num_bytes: int, name: str, limits: ImageLimits, key: str) -> None:
    if num_bytes > limits.max_bytes:
        rule = f"may have at most {limits.max_bytes} bytes"
        raise DataError(key, name, rule=rule, fix="Scale the image down, or raise data.max_image_bytes.")
