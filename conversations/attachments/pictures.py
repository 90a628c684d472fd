"""Pictures as models and pages get them: upright, without EXIF, within the limits of every model."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from PIL import Image, ImageOps

from conversations.protocol.converse.attached import STRICTEST

from .problems import Damaged, TooLarge

MOST_PIXELS = 64_000_000
THUMBNAIL = (480, 480)
ORIENTATION = 0x0112
"""EXIF's tag; from 5 on the picture lies on its side."""

OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 90},
    "png": {"compress_level": 6},
    "webp": {"quality": 90},
    "gif": {},
}

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Picture(NamedTuple):
    """A picture's size in pixels, upright, and its copies."""

    width: int
    height: int
    for_model: bytes
    thumbnail: bytes


def read(file: IO[bytes], format_: str) -> Picture:
    """Reads a picture to its end; raises Damaged, or TooLarge for more than 64 million pixels."""
    with _explained():
        _opened(file, format_).verify()  # after which it cannot be read
        image = _opened(file, format_)
        width, height = _upright_size(image)
        excess = file.seek(0, io.SEEK_END) / STRICTEST.picture_bytes
        if format_ == "jpeg" and excess > 2:
            image.draft(None, (image.width // 2, image.height // 2))  # it has to shrink anyway
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        image.info = {name: value for name, value in image.info.items() if name == "transparency"}
        side = int(max(width, height) * min(1, sqrt(2 / excess)))
        return Picture(width, height, _for_model(image, format_, side), _thumbnail(image))


@contextmanager
def _explained() -> Iterator[None]:
    """Maps Pillow's exceptions to this room's."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(f"This picture has more than {MOST_PIXELS // 10**6} million pixels.") from error
    except (TooLarge, MemoryError):
        raise
    except Exception as error:  # Pillow's readers raise what they like
        raise Damaged from error


def _opened(file: IO[bytes], format_: str) -> Image.Image:
    """The picture, whose head alone is read."""
    file.seek(0)
    image = Image.open(file, formats=(format_.upper(),))
    if image.width * image.height > MOST_PIXELS:
        raise Image.DecompressionBombError
    return image


def _upright_size(image: Image.Image) -> tuple[int, int]:
    is_lying = image.getexif().get(ORIENTATION, 1) >= 5
    return (image.height, image.width) if is_lying else (image.width, image.height)


def _for_model(image: Image.Image, format_: str, side: int) -> bytes:
    """The picture in its format, with sides up to `side` pixels, and as large as every model takes it."""
    side = min(side, STRICTEST.side)
    while True:
        image = _within(image, side)
        with TemporaryFile() as file:
            _writable(image, format_).save(file, format_.upper(), **OPTIONS[format_])
            size = file.tell()
            if size <= STRICTEST.picture_bytes:
                file.seek(0)
                return file.read()
        shrink = min(0.9, sqrt(STRICTEST.picture_bytes / size))
        side = max(1, int(max(image.size) * shrink))


def _within(image: Image.Image, side: int) -> Image.Image:
    """The picture, scaled down if one of its sides is longer."""
    if max(image.size) <= side:
        return image
    return _contained(image, (side, side))


def _contained(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    ratio = min(size[0] / image.width, size[1] / image.height, 1)
    scaled = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    return _plain(image).resize(scaled, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _plain(image: Image.Image) -> Image.Image:
    """The picture in colours that can be mixed."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _writable(image: Image.Image, format_: str) -> Image.Image:
    if format_ == "jpeg":
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    return _plain(image) if format_ == "webp" else image


def _thumbnail(image: Image.Image) -> bytes:
    output = io.BytesIO()
    _contained(image, THUMBNAIL).save(output, "WEBP", quality=80)
    return output.getvalue()
