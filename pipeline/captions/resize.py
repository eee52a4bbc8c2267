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
)
from openm3w.pipeline.images.measures import measure, original, pdq_hash

_WHOLE_SIDE = 1 << 20
"""A side that no picture within the pixel bound exceeds by much: nothing is reduced on decoding."""

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
        picture, (width, height), original_format = open_picture(data, self._bounds)
        bitmap = io.BytesIO()
        picture.save(bitmap, format="BMP")
        with _LOCK, _quietly():
            stored, stored_width, stored_height, *_, error = _resizer(self.resize)(bitmap)
        if error is not None:
            raise UnusableImageError("not_resized")
        return Encoded(
            data=stored,
            sha256=hashlib.sha256(stored).hexdigest(),
            width=stored_width,
            height=stored_height,
            original_width=width,
            original_height=height,
            original_format=original_format.lower(),
            original=original(data),
            measures=measure(picture),
            pdq=_pdq(picture) if self.with_pdq else None,
        )

    @property
    def _bounds(self) -> Encoding:
        side = _WHOLE_SIDE if self.resize.mode == "no" else max(64, self.resize.side)
        return Encoding(
            side=side, max_bytes=self.images.max_bytes, max_pixels=self.images.max_pixels
        )


def _pdq(picture: Image.Image) -> tuple[str, int]:
    """Of the picture at the size of interleaved builds: without a bound the hash takes seconds."""
    side = Encoding().side
    smaller = picture.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    return pdq_hash(smaller)


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
