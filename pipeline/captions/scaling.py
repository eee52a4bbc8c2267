"""Bitmaps scaled to the bytes of OpenCV, which is asked for them or done without.

OpenCV reduces by area in about three times the time of our `area.c`. Ours is taken where it is
built and has the bytes of the OpenCV that is installed; anything else is OpenCV's.
"""

import functools
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from openm3w.errors import MissingError
from openm3w.pipeline.images.decode import Opened

try:
    from openm3w.pipeline.captions import area
except ImportError:  # installed where there was no compiler
    area = None  # type: ignore[assignment]

INSTALL = (
    'img2dataset resizes captioned images and is not installed; pip install "openm3w[captions]"'
)

Pixels: TypeAlias = "np.ndarray[Any, Any]"


def rgbx(opened: Opened) -> Pixels:
    """`uint8[H, W, 4]` whose fourth value says nothing."""
    if opened.pixels is not None:
        return opened.pixels
    picture, (width, height) = opened.picture, opened.picture.size
    packed, rows = np.empty((height, width, 4), np.uint8), max(1, _BAND // width)
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(top + rows, height)))
        raw = band.tobytes("raw", "RGBX")  # as Pillow has them
        packed[top : top + rows] = np.frombuffer(raw, np.uint8).reshape(band.height, width, 4)
    return packed


_BAND = 1 << 20
"""Pixels packed at a time: Pillow gives out bytes in parts that it joins, all at once twice."""


def bgr(pixels: Pixels) -> Pixels:
    """`uint8[H, W, 3]` in OpenCV's order, of RGBX."""
    return cv2().cvtColor(pixels, cv2().COLOR_RGBA2BGR)


def scaled(pixels: Pixels, size: tuple[int, int], *, is_smaller: bool) -> Pixels:
    """RGBX scaled to a width and height, as `uint8[h, w, 3]` in OpenCV's order.

    By area where it becomes smaller, by Lanczos' kernel where it does not: img2dataset's choice.
    """
    width, height = size
    if (height, width) == pixels.shape[:2]:
        return bgr(pixels)
    if is_smaller and (ours := kernel()):
        reduced = np.empty((height, width, 3), np.uint8)
        if ours.reduce_to_bgr(pixels, reduced):
            return reduced
    how = cv2().INTER_AREA if is_smaller else cv2().INTER_LANCZOS4
    return cv2().resize(bgr(pixels), size, interpolation=how)


@functools.cache
def kernel() -> ModuleType | None:
    """Our `area`, where it is built and has the bytes of OpenCV here.

    OpenCV's own are not the same on every processor: where its compiler fused multiplications with
    additions, the last bit of a float may be another. Reducing by 6 : 5 tells: the weights are
    multiples of 1/6, so that one in 36 means lies halfway between two values and is rounded by that
    bit.
    """
    if area is None:
        return None
    width, height = 80, 60
    drawn = np.random.default_rng(0).integers(0, 256, (72, 96, 4), np.uint8)
    reduced = np.empty((height, width, 3), np.uint8)
    area.reduce_to_bgr(drawn, reduced)
    wanted = cv2().resize(bgr(drawn), (width, height), interpolation=cv2().INTER_AREA)
    return area if np.array_equal(reduced, wanted) else None


@functools.cache
def cv2() -> Any:
    """OpenCV, with one thread.

    Raises:
        MissingError: it is not installed, with the line that installs it.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingError(f"{INSTALL} ({error})") from error
    cv2.setNumThreads(1)  # one picture is too little work for several; units run side by side
    return cv2
