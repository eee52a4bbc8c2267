"""Images of other datasets to the JPEGs that our shards hold.

A JPEG in RGB or grey without metadata is kept byte for byte, once it has been decoded to its end.
All else is encoded anew: PNG, WebP, GIF, BMP and AVIF, frames of TIFF, CMYK, and JPEGs with Exif,
XMP, IPTC or comments, which name cameras, places and owners.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

from PIL import Image as PillowImage
from PIL import ImageOps

from openm3w.shards.decoding import MAX_PIXELS
from openm3w.shards.document import ImageContent
from openm3w.shards.interop.rows import Picture
from openm3w.shards.sample import IMAGE_FORMATS

MAX_BYTES = 20_000_000
"""Of an encoded image, as of a build's (`images.encoding.max_bytes`)."""
QUALITY = 90
"""Of JPEGs that are encoded anew, as of a build's (`images.encoding.quality`)."""
_PLAIN = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform",
          "progressive", "progression", "icc_profile"}  # fmt: skip
"""What Pillow tells of a JPEG that is no metadata about its making."""


class UnusableError(Exception):
    """An image that cannot be stored; the text is a reason in snake_case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A JPEG as stored."""

    data: bytes
    content: ImageContent


def store(picture: Picture, data: bytes, noted: ImageContent | None = None) -> Stored:
    """What is stored of an image, and what is known of it.

    Args:
        picture: Of the row, with the size that it notes.
        data: The bytes, of a TIFF where the picture is a frame.
        noted: What we noted of them when we stored them before; kept where it is of these bytes,
            and they are such as we store. Anybody may have written it.

    Raises:
        UnusableError: `too_large`, `too_many_pixels`, `undecodable` or `no_bytes` (no such frame).
    """
    if len(data) > MAX_BYTES and picture.frame is None:
        raise UnusableError("too_large")
    with _opened(data, picture.frame) as image:
        kind, size = image.format or "", image.size
        if _is_plain(image):
            kept = data
            if noted is not None and _is_of(noted, data, size):
                return Stored(data=data, content=noted)
        else:
            kept, size = _encoded(image)
    content = ImageContent(
        sha256=hashlib.sha256(kept).hexdigest(),
        width=size[0],
        height=size[1],
        original_width=picture.original_width or size[0],
        original_height=picture.original_height or size[1],
        num_bytes=len(kept),
        original_format=kind.lower(),
    )
    return Stored(data=kept, content=content)


def _opened(data: bytes, frame: int | None) -> PillowImage.Image:
    """The image, all of its pixels decoded; of a TIFF that frame."""
    formats = IMAGE_FORMATS if frame is None else ("TIFF",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, which is not kept
            image = PillowImage.open(io.BytesIO(data), formats=formats)
            _seek(image, frame or 0)
            if image.width * image.height > MAX_PIXELS:
                raise UnusableError("too_many_pixels")
            image.load()
    except (PillowImage.DecompressionBombError, MemoryError) as error:
        raise UnusableError("too_many_pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError) as error:
        raise UnusableError("undecodable") from error
    return image


def _seek(image: PillowImage.Image, frame: int) -> None:
    if not frame:
        return
    try:
        image.seek(frame)
    except EOFError as error:
        raise UnusableError("no_bytes") from error


def _is_plain(image: PillowImage.Image) -> bool:
    is_jpeg = image.format == "JPEG" and image.mode in ("RGB", "L")
    return is_jpeg and image.info.keys() <= _PLAIN


def _is_of(noted: ImageContent, data: bytes, size: tuple[int, int]) -> bool:
    return (noted.width, noted.height, noted.num_bytes) == (*size, len(data)) and (
        noted.sha256 == hashlib.sha256(data).hexdigest()
    )


def _encoded(image: PillowImage.Image) -> tuple[bytes, tuple[int, int]]:
    """The picture upright as JPEG, white behind what is transparent, and its size."""
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
            ground = PillowImage.new("RGBA", upright.size, "white")
            upright = PillowImage.alpha_composite(ground, upright)
        stored = upright.convert("RGB")
        # Pillow writes the comment of the file that a picture was read from.
        stored.info = {}
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
        buffer = io.BytesIO()
        stored.save(buffer, format="JPEG", quality=QUALITY, icc_profile=profile)
    except (OSError, ValueError, SyntaxError, KeyError) as error:
        raise UnusableError("undecodable") from error
    return buffer.getvalue(), upright.size
