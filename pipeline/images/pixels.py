"""Pixels out of encoded bytes, by the fastest decoder that gives the same ones as Pillow."""

import functools
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

try:
    import simplejpeg
except ImportError:  # Pillow decodes the same pixels in more time
    simplejpeg = None

Pixels: TypeAlias = np.ndarray[Any, Any]


@functools.cache
def keep_freed_memory() -> None:
    """Has the C library keep the memory of a picture for the next one.

    glibc gives a block back to the system once some multiple of the largest one so far is free, and
    every page of the next picture is then faulted in anew: 0.4 of 3 ms at 400 px. A large block
    that is freed teaches it to keep up to twice as much (mallopt(3), M_MMAP_THRESHOLD). None of its
    pages is ever touched. Other C libraries take no notice.
    """
    np.empty(_KEPT_MEMORY, np.uint8)


_KEPT_MEMORY = 31 << 20
"""Bytes, below the 32 MB of glibc's own bound for what it learns from."""


def load(image: Image.Image, data: bytes, side: int) -> tuple[Image.Image, Pixels | None]:
    """The image with the pixels that the file has, and where they were RGB the array of them.

    A JPEG comes reduced to no less than twice the side. Raises what Pillow's decoders do.
    """
    # A JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the cost; twice the side that is stored
    # leaves the reduction something to average.
    image.draft("RGB", (2 * side, 2 * side))
    if simplejpeg and image.format in ("JPEG", "MPO") and image.mode in _COLOURS:
        try:
            return _loaded_fast(image, data)
        except ValueError as error:
            # An end is marked where data should be. Pillow fills up the rest with grey.
            if "premature end" in str(error):
                raise
    image.load()  # judges all else that simplejpeg refuses, such as bytes between segments
    return image, None


_COLOURS = {"RGB": "RGBX", "L": "GRAY"}


def _loaded_fast(image: Image.Image, data: bytes) -> tuple[Image.Image, Pixels | None]:
    """The pixels that Pillow would decode: both are libjpeg-turbo, and reduce by the same steps."""
    colours = _COLOURS[image.mode]
    pixels = _decoded(data, colours, image.size)
    # Pillow holds RGB in four bytes, too, and would copy these row by row; it can work on them
    # where they are, unless the picture is to be turned or to change its colours.
    if image.mode == "RGB" and not image.info.keys() & _CHANGED_BY:
        picture = _around(pixels, image.size, "RGBX")
    else:
        picture = Image.frombytes(
            image.mode, image.size, pixels, "raw", colours.replace("GRAY", "L")
        )
    picture.info = dict(image.info)
    return picture, pixels if image.mode == "RGB" else None


_CHANGED_BY = {"exif", "xmp", "icc_profile"}


def load_luma(image: Image.Image, data: bytes) -> tuple[Image.Image, Pixels | None]:
    """Brightness alone, in less time; all parts of the file are read and must be whole."""
    if simplejpeg:
        try:
            return _luma(data, image.size)
        except ValueError as error:
            if "premature end" in str(error):
                raise
    image.draft("L", None)
    image.load()
    return image.convert("L"), None


def plain_luma(data: bytes, width: int, height: int) -> tuple[Image.Image, Pixels] | None:
    """`load_luma` of a plain JPEG (`Header.is_plain`) without Pillow's reading of its header.

    None: left to Pillow, which judges what is damaged.
    """
    try:
        return _luma(data, (width, height)) if simplejpeg else None
    except _NOT_HERE:
        return None


def plain(data: bytes, width: int, height: int, side: int) -> tuple[Image.Image, Pixels] | None:
    """`load` of a plain JPEG without Pillow's reading of its header.

    None: left to Pillow, which judges what is damaged, and how far a large one is reduced.
    """
    if not simplejpeg or min(width, height) >= 4 * side:
        return None
    try:
        pixels = _decoded(data, "RGBX", (width, height))
    except _NOT_HERE:
        return None
    return _around(pixels, (width, height), "RGBX"), pixels


_NOT_HERE = (ValueError, MemoryError)
"""What is left to Pillow, whose callers know all that it raises."""


def _luma(data: bytes, size: tuple[int, int]) -> tuple[Image.Image, Pixels]:
    pixels = _decoded(data, "GRAY", size)
    return _around(pixels, size, "L"), pixels


def _decoded(data: bytes, colours: str, size: tuple[int, int]) -> Pixels:
    width, height = size
    pixels: Pixels = simplejpeg.decode_jpeg(data, colours, min_width=width, min_height=height)
    if pixels.shape[:2] != (height, width):
        raise ValueError(f"decoded {pixels.shape}, announced {size}")
    return pixels


def _around(pixels: Pixels, size: tuple[int, int], mode: str) -> Image.Image:
    """A picture of these very pixels, without a copy."""
    return Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)
