"""Numbers about a picture, and what tells it from another, all from one small grey copy.

Only PDQ is made from the colours. Sums are of whole numbers, so that every machine finds the same.
"""

import functools
import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

try:
    from openm3w.pipeline.images import cells
except ImportError:  # installed where there was no compiler
    cells = None  # type: ignore[assignment]

GREY_SIDE = 256
"""Longest side in pixels of the grey picture that sharpness and entropy are measured in; smaller
ones are left as they are. Ours: about the side of 224 px that models look at."""

_HASH_SIDE = 32
_HASH_BITS = 8  # a row; 8 x 8 low frequencies
_SCALE = 1 << 14  # cosines as whole numbers: sums of products stay below 2**53, exact as floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The bytes of an image as they were fetched."""

    num_bytes: int
    sha256: str
    md5: str
    """For lists of known files; nothing rests on its safety."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is measured in a picture; equal pictures have equal numbers."""

    grey_deviation: float
    """Standard deviation of the picture as 32 x 32 grey values of 0 to 255."""
    entropy: float | None = None
    """Bits, 0 to 8, of the grey values' histogram at GREY_SIDE; None: not measured."""
    sharpness: float | None = None
    """Variance of the Laplacian at GREY_SIDE: low for blurred pictures; None: not measured."""
    phash: str
    """`perceptual_hash`."""


def original(data: bytes) -> Original:
    """Size and digests of fetched bytes."""
    return Original(
        num_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
    )


def measure(
    picture: Image.Image, *, texture: bool = True, pixels: "np.ndarray[Any, Any] | None" = None
) -> Measures:
    """Measures an upright picture; one made smaller before has nearly the same numbers.

    Of mode RGB, or L: a JPEG's luma, whose numbers are nearly the same, too. `texture`: whether
    entropy and sharpness are wanted, which take two thirds of the time. `pixels`: the picture's
    own, as of `Opened`, which save time where they are at hand.
    """
    smallest = _cells_of(pixels)
    if smallest is None:
        smallest = _smallest(picture)
    small = _reduced(picture.convert("L")) if texture else None
    deviation = _deviation(smallest)
    return Measures(
        grey_deviation=round(deviation, 2),
        entropy=None if small is None else entropy(small),
        sharpness=None if small is None else sharpness(small),
        phash=_hash(smallest, deviation),
    )


def entropy(grey: Image.Image) -> float:
    """Bits of the histogram of a grey picture: 0 for one grey, 8 where all are as frequent.

    Rounded to 0.001.
    """
    counts = np.array(grey.histogram(), dtype=np.float64)
    counts = counts[counts > 0]
    total = grey.width * grey.height
    bits = math.log2(total) - float((counts * np.log2(counts)).sum()) / total
    return round(max(0.0, bits), 3)


def sharpness(grey: Image.Image) -> float:
    """Variance of the Laplacian (four neighbours) of a grey picture, rounded to 0.01.

    0 for pictures below 3 px. The same definition as OpenCV's `Laplacian(grey, CV_64F).var()`, with
    which NeMo-Curator drops below 100, but of a picture of GREY_SIDE instead of the full one: a
    large picture that is soft at its full size counts as what is seen of it at ours.
    """
    if min(grey.size) < 3:
        return 0.0
    width, height = grey.size
    pixels = np.asarray(grey).ravel().astype(np.int16)
    # Of rows in one line left and right of an edge are pixels of other rows; edges are cut off.
    edges = pixels[: -2 * width] + pixels[2 * width :]
    edges += pixels[width - 1 : -width - 1]
    edges += pixels[width + 1 : pixels.size - width + 1]
    edges -= pixels[width:-width] << 2
    inside = edges.reshape(height - 2, width)[:, 1:-1].astype(np.float64)
    # Sums of whole numbers are exact in any order; BLAS would start threads for them.
    mean = float(inside.sum()) / inside.size
    squares = float(np.einsum("yx,yx->", inside, inside))
    return round(squares / inside.size - mean * mean, 2)


_MIN_HASHED_DEVIATION = 1.0
"""Of grey values 0 to 255. Ours: below it what is above the median is noise of the encoding."""


def perceptual_hash(picture: Image.Image) -> str:
    """64 bits as 16 hex digits that stay nearly the same where a picture is resized or re-encoded.

    "" for a picture that shows next to nothing: all of them would be copies of each other.

    Which of the 8 x 8 lowest frequencies (DCT-II) of the 32 x 32 grey picture are above their
    median; the first digits are of the lowest rows. Compare by Hamming distance: about 32 for
    unlike pictures, 0 to 5 for copies. Source: Zauner (2010), "Implementation and benchmarking of
    perceptual image hash functions", as widely built; MMC4 (arXiv:2304.06939) takes distances up to
    5 as one picture, with another hash.
    """
    smallest = _smallest(picture)
    return _hash(smallest, _deviation(smallest))


def pdq_hash(picture: Image.Image) -> tuple[str, int]:
    """PDQ of an RGB picture as 64 hex digits, and its quality, 0 to 100.

    Source: Facebook (2019), "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing
    algorithm". Callers see to it that pdqhash is installed.
    """
    import pdqhash

    bits, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


def _cells_of(pixels: "np.ndarray[Any, Any] | None") -> "np.ndarray[Any, Any] | None":
    """What `_smallest` finds, in a third of its time of luma, in two thirds of colours.

    None: left to it.
    """
    found = cells.cells_of(pixels) if cells and pixels is not None else None
    return None if found is None else np.frombuffer(found, np.uint8)


def _smallest(picture: Image.Image) -> "np.ndarray[Any, Any]":
    grey = picture if picture.mode == "L" else picture.convert("L")
    small = grey.resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.BOX)
    return np.frombuffer(small.tobytes(), np.uint8)


def _reduced(grey: Image.Image) -> Image.Image:
    scale = GREY_SIDE / max(grey.size)
    if scale >= 1:
        return grey
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return grey.resize(size, Image.Resampling.BOX)


def _deviation(smallest: "np.ndarray[Any, Any]") -> float:
    values = smallest.astype(np.int64)
    total, squares = int(values.sum()), int((values * values).sum())
    return math.sqrt(values.size * squares - total * total) / values.size


def _hash(smallest: "np.ndarray[Any, Any]", deviation: float) -> str:
    if deviation < _MIN_HASHED_DEVIATION:
        return ""
    cosines = _cosines()
    grid = smallest.reshape(_HASH_SIDE, _HASH_SIDE).astype(np.float64)
    low = (cosines @ grid @ cosines.T).ravel()
    in_order = np.sort(low)
    median = (in_order[low.size // 2 - 1] + in_order[low.size // 2]) / 2
    return np.packbits(low > median).tobytes().hex()


@functools.lru_cache(maxsize=1)
def _cosines() -> "np.ndarray[Any, Any]":
    frequency, at = np.mgrid[0:_HASH_BITS, 0:_HASH_SIDE]
    exact = np.cos(np.pi * (2 * at + 1) * frequency / (2 * _HASH_SIDE))
    return np.rint(exact * _SCALE)
