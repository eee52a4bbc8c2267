"""img2dataset's resizer behind our own decoder: its modes, and bytes equal to its own.

OpenCV, which img2dataset decodes with, opens formats that nobody needs, obeys headers that promise
gigabytes, and ignores how the camera was held. So our decoder comes first, within bounds. The
bytes are OpenCV's as img2dataset asks for them, without its detours: it points the output streams
of the whole process at /dev/null for each picture, which no two threads can do at once.
"""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass

from PIL import Image

from openm3w.errors import MissingError
from openm3w.pipeline.captions.scaling import INSTALL, Pixels, bgr, cv2, rgbx, scaled
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.images.decode import (
    Encoded,
    Encoding,
    Opened,
    UnusableImageError,
    open_picture,
    seen,
)
from openm3w.pipeline.images.measures import measure, original, pdq_hash

_WHOLE_SIDE = 1 << 20
"""A side that no picture within the pixel bound exceeds by much: nothing is reduced on decoding."""
_SEEN_SIDE = Encoding().side
"""Pixels that pictures are measured at: those of interleaved builds and of lists of hashes."""


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
        keeps = functools.partial(stays, self.resize) if self.images.keep_bytes else None
        opened = open_picture(data, self._within(self._side), keeps)
        stored, width, height = opened.kept, opened.width, opened.height
        if stored is None:
            stored, width, height = self._stored(opened)
        source, side = original(data), self._side
        is_scaled = opened.format == "jpeg" and (
            max(opened.width, opened.height) > 2 * min(_SEEN_SIDE, side)
        )
        looked_at, pixels = self._seen(data, opened, again=is_scaled and side != _SEEN_SIDE)
        return Encoded(
            data=stored,
            sha256=source.sha256 if stored is data else hashlib.sha256(stored).hexdigest(),
            width=width,
            height=height,
            original_width=opened.width,
            original_height=opened.height,
            original_format=opened.format,
            original_frames=opened.num_frames,
            original=source,
            measures=measure(looked_at, texture=self.images.texture, pixels=pixels),
            pdq=pdq_hash(looked_at) if self.with_pdq else None,
        )

    def _stored(self, opened: Opened) -> tuple[bytes, int, int]:
        opencv, settings = cv2(), self.resize
        try:
            resized = _fitted(rgbx(opened), settings)
            done, stored = opencv.imencode(
                ".jpg", resized, [opencv.IMWRITE_JPEG_QUALITY, settings.quality]
            )
        except opencv.error:
            done = False
        if not done:  # a side above 65,500 pixels
            raise UnusableImageError("not_resized")
        return stored.tobytes(), resized.shape[1], resized.shape[0]

    @property
    def _side(self) -> int:
        return _WHOLE_SIDE if self.resize.mode == "no" else max(64, self.resize.side)

    def _within(self, side: int) -> Encoding:
        return _bounds(side, self.images.max_bytes, self.images.max_pixels)

    def _seen(
        self, data: bytes, opened: Opened, *, again: bool
    ) -> "tuple[Image.Image, Pixels | None]":
        """The picture as interleaved builds and lists of hashes see it, whatever is stored.

        And its pixels, where they are at hand.

        The hash of a file is the one in a list to the last bit only if both are of equal pixels,
        and a JPEG beyond twice a side may decode to others for another side: then `again`.
        """
        listed = self._within(_SEEN_SIDE)
        if again:
            opened = open_picture(data, listed)
        return seen(opened, listed)


@functools.lru_cache(maxsize=8)
def _bounds(side: int, max_bytes: int, max_pixels: int) -> Encoding:
    return Encoding(side=side, max_bytes=max_bytes, max_pixels=max_pixels)


def check_installed() -> None:
    """Fails at the desk and not in a worker where img2dataset is missing.

    Raises:
        MissingError: with the line that installs it.
    """
    if importlib.util.find_spec("img2dataset") is None:
        raise MissingError(INSTALL)


def size_after(to: Resize, width: int, height: int) -> tuple[int, int]:
    """Width and height that a picture is scaled to, before edges are cut off or added."""
    if stays(to, width, height):
        return width, height
    scale = to.side / _compared(to, width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def stays(to: Resize, width: int, height: int) -> bool:
    """Whether a picture of this size is left as it is."""
    at_first = _compared(to, width, height)
    if to.mode == "no" or (to.only_if_bigger and at_first <= to.side):
        return True
    return to.mode in ("keep_ratio", "keep_ratio_largest") and at_first == to.side


def _compared(to: Resize, width: int, height: int) -> int:
    """The side that becomes `to.side`."""
    shortest = to.mode in ("keep_ratio", "center_crop")
    return min(width, height) if shortest else max(width, height)


def _fitted(pixels: Pixels, to: Resize) -> Pixels:
    """What img2dataset makes of RGBX, in OpenCV's order."""
    height, width = pixels.shape[:2]
    if stays(to, width, height):
        return bgr(pixels)
    is_smaller = _compared(to, width, height) > to.side
    pixels = scaled(pixels, size_after(to, width, height), is_smaller=is_smaller)
    height, width = pixels.shape[:2]
    if to.mode == "center_crop":
        top, left = (height - to.side) // 2, (width - to.side) // 2
        return pixels[top : top + to.side, left : left + to.side]
    if to.mode == "border":
        high, wide = to.side - height, to.side - width
        edges = (high // 2, high - high // 2, wide // 2, wide - wide // 2)
        return cv2().copyMakeBorder(pixels, *edges, cv2().BORDER_CONSTANT, value=_WHITE)
    return pixels


_WHITE = (255, 255, 255)
