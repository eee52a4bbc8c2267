"""img2dataset's resizer behind our own decoder.

OpenCV, which img2dataset decodes with, opens formats that nobody needs, obeys headers that promise
gigabytes, and ignores how the camera was held. So Pillow decodes first, within bounds, and the
resizer is handed an upright bitmap.
"""

import contextlib
import functools
import hashlib
import importlib.util
import io
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from openm3w.errors import MissingError
from openm3w.pipeline.captions.recipe import Images, Resize
from openm3w.pipeline.images.decode import (
    Encoded,
    Encoding,
    UnusableImageError,
    open_picture,
    reduce,
)
from openm3w.pipeline.images.measures import measure, original, pdq_hash

_WHOLE_SIDE = 1 << 20
"""A side that no picture within the pixel bound exceeds by much: nothing is reduced on decoding."""
_SEEN_SIDE = Encoding().side
"""Pixels that pictures are measured at: those of interleaved builds and of lists of hashes."""

_INSTALL = (
    'img2dataset resizes captioned images and is not installed; pip install "openm3w[captions]"'
)

# The resizer points file descriptors 1 and 2 at /dev/null while it works, for the whole process.
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resizing:
    """The settings that decide the stored bytes."""

    images: Images
    resize: Resize
    with_pdq: bool = False
    """Whether PDQ hashes are made, which blocklists may ask for."""

    def __call__(self, data: bytes) -> Encoded:
        """Decodes, turns upright, resizes and encodes one image.

        Raises:
            UnusableImageError: with one of `decode.REASONS`, or `not_resized`.
            MissingError: img2dataset is not installed.
        """
        side = self._side
        picture, (width, height), original_format = open_picture(data, self._within(side))
        bitmap = io.BytesIO()
        picture.save(bitmap, format="BMP")
        with _LOCK, _quietly():
            stored, stored_width, stored_height, *_, error = _resizer(self.resize)(bitmap)
        if error is not None:
            raise UnusableImageError("not_resized")
        scaled = original_format == "JPEG" and max(width, height) > 2 * min(_SEEN_SIDE, side)
        seen = self._seen(data, picture, again=scaled and side != _SEEN_SIDE)
        return Encoded(
            data=stored,
            sha256=hashlib.sha256(stored).hexdigest(),
            width=stored_width,
            height=stored_height,
            original_width=width,
            original_height=height,
            original_format=original_format.lower(),
            original=original(data),
            measures=measure(seen),
            pdq=pdq_hash(seen) if self.with_pdq else None,
        )

    @property
    def _side(self) -> int:
        return _WHOLE_SIDE if self.resize.mode == "no" else max(64, self.resize.side)

    def _within(self, side: int) -> Encoding:
        images = self.images
        return Encoding(side=side, max_bytes=images.max_bytes, max_pixels=images.max_pixels)

    def _seen(self, data: bytes, picture: Image.Image, *, again: bool) -> Image.Image:
        """The picture as interleaved builds and lists of hashes see it, whatever is stored.

        The hash of a file is the one in a list to the last bit only if both are of equal pixels,
        and a JPEG beyond twice a side may decode to others for another side: then `again`.
        """
        listed = self._within(_SEEN_SIDE)
        if again:
            picture, *_ = open_picture(data, listed)
        reduce(picture, listed)
        return picture


def check_installed() -> None:
    """Fails at the desk and not in a worker where img2dataset is missing.

    Raises:
        MissingError: with the line that installs it.
    """
    if importlib.util.find_spec("img2dataset") is None:
        raise MissingError(_INSTALL)


@functools.lru_cache(maxsize=4)
def _resizer(settings: Resize) -> Any:
    with _quietly():
        try:
            from img2dataset.resizer import Resizer
        except ImportError as error:
            raise MissingError(f"{_INSTALL} ({error})") from error
    return Resizer(
        image_size=settings.side,
        resize_mode=settings.mode,
        resize_only_if_bigger=settings.only_if_bigger,
        encode_format="jpg",
        encode_quality=settings.quality,
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    # albumentations, which img2dataset imports, asks PyPI for its newest version on import.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of imghdr, pipes, and albumentations' old names
        yield
