"""Size, shape and content of a picture, by what decoding measured.

Sizes are those of the picture as it was fetched, before it was made smaller for storage. An image
that nobody measured is dropped as such rather than let through.
"""

from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document, Image

MIN_SIDE = 64
"""Pixels; Flamingo (arXiv:2204.14198) appendix A.3, KOSMOS-1 (arXiv:2302.14045) appendix B.1.3."""
MAX_ASPECT = 3.0
"""Longer side over shorter; Flamingo (arXiv:2204.14198) appendix A.3."""
MIN_GREY_DEVIATION = 4.0
"""Ours: the rule is Flamingo's and KOSMOS-1's, neither gives a number."""
MAX_PIXELS = 89_478_485
"""Pillow's bound for decompression bombs: a quarter of a GiB of RGB."""

GREY_DEVIATION = "grey_deviation"
"""Score name: standard deviation of the 32 x 32 grey picture, 0 to 127.5 in units of 0..255."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MinSide:
    """Drops images whose shorter side is below a number of pixels; the bound is inclusive.

    Source: 64 is Flamingo's (arXiv:2204.14198, appendix A.3) and KOSMOS-1's (arXiv:2302.14045,
    appendix B.1.3).
    """

    name: ClassVar[str] = "min_side"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_small", "not_measured"})

    min_side: int = MIN_SIDE

    def __post_init__(self) -> None:
        if self.min_side < 1:
            raise ValueError(f"min_side is {self.min_side}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        if image.content is None:
            return drop("not_measured")
        width, height = image.content.original_width, image.content.original_height
        return drop("too_small") if is_too_small(width, height, self.min_side) else KEEP


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPixels:
    """Drops images of more pixels than a bound, which is inclusive.

    Source: Pillow's limit for decompression bombs; no paper of the field names one.
    """

    name: ClassVar[str] = "max_pixels"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_many_pixels", "not_measured"})

    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise ValueError(f"max_pixels is {self.max_pixels}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        if image.content is None:
            return drop("not_measured")
        pixels = image.content.original_width * image.content.original_height
        return drop("too_many_pixels") if pixels > self.max_pixels else KEEP


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """Drops images whose longer side is over a multiple of the shorter; the bound is inclusive.

    Source: 3 either way is Flamingo's (arXiv:2204.14198, appendix A.3).
    """

    name: ClassVar[str] = "aspect"
    reasons: ClassVar[frozenset[str]] = frozenset({"extreme_aspect", "not_measured"})

    max_aspect: float = MAX_ASPECT

    def __post_init__(self) -> None:
        if not self.max_aspect >= 1:
            raise ValueError(f"max_aspect is {self.max_aspect}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        if image.content is None:
            return drop("not_measured")
        width, height = image.content.original_width, image.content.original_height
        return drop("extreme_aspect") if is_extreme(width, height, self.max_aspect) else KEEP


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SingleColour:
    """Drops images that show one colour, or nearly: little deviation in a 32 x 32 grey copy.

    Reads `image.scores["grey_deviation"]`, in units of 0..255; the bound is inclusive.

    Source: Flamingo (arXiv:2204.14198, appendix A.3) and KOSMOS-1 (arXiv:2302.14045, appendix
    B.1.3) name the rule and no number; 4 is ours.
    """

    name: ClassVar[str] = "single_colour"
    reasons: ClassVar[frozenset[str]] = frozenset({"single_colour", "not_measured"})

    min_grey_deviation: float = MIN_GREY_DEVIATION

    def __post_init__(self) -> None:
        if not self.min_grey_deviation >= 0:
            raise ValueError(f"min_grey_deviation is {self.min_grey_deviation}, expected 0 or more")

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        deviation = image.scores.get(GREY_DEVIATION)
        if deviation is None:
            return drop("not_measured")
        return drop("single_colour") if is_flat(deviation, self.min_grey_deviation) else KEEP


def is_too_small(width: int, height: int, min_side: int) -> bool:
    """Whether the shorter side is below `min_side`."""
    return min(width, height) < min_side


def is_extreme(width: int, height: int, max_aspect: float) -> bool:
    """Whether the longer side is over `max_aspect` times the shorter."""
    return max(width, height) > max_aspect * min(width, height)


def is_flat(grey_deviation: float, min_grey_deviation: float) -> bool:
    """Whether a picture varies too little; a deviation that is no number counts as none."""
    return not grey_deviation >= min_grey_deviation
