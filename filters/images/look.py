"""What a picture shows, as far as numbers of a small grey copy tell.

An image that nobody measured is dropped as such rather than let through; so is one whose number is
none.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, judge
from openm3w.filters.registry import register
from openm3w.filters.verdict import Verdict
from openm3w.shards.document import Document, Image

MIN_GREY_DEVIATION = 4.0
"""Ours: the rule is Flamingo's and KOSMOS-1's, neither gives a number."""
MIN_ENTROPY = 1.0
"""Bits. Ours: two greys, equally frequent, have 1; photographs of flickr8k have 5.6 to 7.9."""
MIN_SHARPNESS = 50.0
"""Ours: of flickr8k's test photographs none is below 90, blurred by a Gaussian of 2 px at 224 px
none is above 40."""

GREY_DEVIATION = "grey_deviation"
"""Score name: standard deviation of the 32 x 32 grey picture, 0 to 127.5 in units of 0..255."""
ENTROPY = "entropy"
"""Score name: bits of the grey values' histogram, longest side 256 px, 0 to 8."""
SHARPNESS = "sharpness"
"""Score name: variance of the Laplacian of the grey picture, longest side 256 px."""


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
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_grey_deviation: float = MIN_GREY_DEVIATION

    def __post_init__(self) -> None:
        if not self.min_grey_deviation >= 0:
            raise ValueError(f"min_grey_deviation is {self.min_grey_deviation}, expected 0 or more")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"single_colour.grey_deviation": image.scores.get(GREY_DEVIATION, math.nan)}

    def limits(self) -> tuple[Limit, ...]:
        number = "single_colour.grey_deviation"
        return (
            Limit(measure=number, reason="not_measured"),
            Limit(measure=number, reason="single_colour", least=self.min_grey_deviation),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LowEntropy:
    """Drops images of few greys: lines, plain logos, empty diagrams.

    Reads `image.scores["entropy"]`, in bits; the bound is inclusive. White with one black pixel in
    nine has half a bit, and would pass `single_colour`.

    Source: none with a number; 1 bit is ours.
    """

    name: ClassVar[str] = "low_entropy"
    reasons: ClassVar[frozenset[str]] = frozenset({"low_entropy", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_entropy: float = MIN_ENTROPY

    def __post_init__(self) -> None:
        if not 0 <= self.min_entropy <= 8:
            raise ValueError(f"min_entropy is {self.min_entropy}, expected 0 to 8 bits")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"low_entropy.entropy": image.scores.get(ENTROPY, math.nan)}

    def limits(self) -> tuple[Limit, ...]:
        number = "low_entropy.entropy"
        return (
            Limit(measure=number, reason="not_measured"),
            Limit(measure=number, reason="low_entropy", least=self.min_entropy),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MinSharpness:
    """Drops blurred images: little variance of the Laplacian.

    Reads `image.scores["sharpness"]`; the bound is inclusive. Measured in a picture of 256 px, so
    that pictures of all resolutions compare; NeMo-Curator's bound of 100 is on full-size pictures
    and is no bound for this number.

    Source: none with a number at this size; 50 is ours, between sharp and blurred photographs.
    """

    name: ClassVar[str] = "min_sharpness"
    reasons: ClassVar[frozenset[str]] = frozenset({"blurred", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_sharpness: float = MIN_SHARPNESS

    def __post_init__(self) -> None:
        if not self.min_sharpness >= 0:
            raise ValueError(f"min_sharpness is {self.min_sharpness}, expected 0 or more")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"min_sharpness.sharpness": image.scores.get(SHARPNESS, math.nan)}

    def limits(self) -> tuple[Limit, ...]:
        number = "min_sharpness.sharpness"
        return (
            Limit(measure=number, reason="not_measured"),
            Limit(measure=number, reason="blurred", least=self.min_sharpness),
        )


def is_flat(grey_deviation: float, min_grey_deviation: float) -> bool:
    """Whether a picture varies too little; a deviation that is no number counts as none."""
    return not grey_deviation >= min_grey_deviation
