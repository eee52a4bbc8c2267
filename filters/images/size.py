"""Size and shape of a picture.

Sizes are those of the picture as it was fetched, before it was made smaller for storage. An image
that nobody measured is dropped as such rather than let through.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, judge
from openm3w.filters.registry import register
from openm3w.filters.verdict import Verdict
from openm3w.shards.document import Document, Image

MIN_SIDE = 64
"""Pixels; Flamingo (arXiv:2204.14198) appendix A.3, KOSMOS-1 (arXiv:2302.14045) appendix B.1.3."""
MAX_SIDE = 20_000
"""Pixels; OBELICS (arXiv:2306.16527) and MINT-1T (arXiv:2406.11271)."""
MAX_ASPECT = 3.0
"""Longer side over shorter; Flamingo (arXiv:2204.14198) appendix A.3."""
MAX_PIXELS = 89_478_485
"""Pillow's bound for decompression bombs: a quarter of a GiB of RGB."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MinSide:
    """Drops images whose shorter side is below a number of pixels; the bound is inclusive.

    Source: 64 is Flamingo's (arXiv:2204.14198, appendix A.3) and KOSMOS-1's (arXiv:2302.14045,
    appendix B.1.3).
    """

    name: ClassVar[str] = "min_side"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_small", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_side: int = MIN_SIDE

    def __post_init__(self) -> None:
        if self.min_side < 1:
            raise ValueError(f"min_side is {self.min_side}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"min_side.side": min(_size(image))}

    def limits(self) -> tuple[Limit, ...]:
        side = "min_side.side"
        return (
            Limit(measure=side, reason="not_measured"),
            Limit(measure=side, reason="too_small", least=self.min_side),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxSide:
    """Drops images whose longer side is above a number of pixels; the bound is inclusive.

    Source: 20,000 is OBELICS' (arXiv:2306.16527) and MINT-1T's (arXiv:2406.11271).
    """

    name: ClassVar[str] = "max_side"
    reasons: ClassVar[frozenset[str]] = frozenset({"side_too_long", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    max_side: int = MAX_SIDE

    def __post_init__(self) -> None:
        if self.max_side < 1:
            raise ValueError(f"max_side is {self.max_side}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"max_side.side": max(_size(image))}

    def limits(self) -> tuple[Limit, ...]:
        side = "max_side.side"
        return (
            Limit(measure=side, reason="not_measured"),
            Limit(measure=side, reason="side_too_long", most=self.max_side),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPixels:
    """Drops images of more pixels than a bound, which is inclusive.

    Source: Pillow's limit for decompression bombs; no paper of the field names one.
    """

    name: ClassVar[str] = "max_pixels"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_many_pixels", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise ValueError(f"max_pixels is {self.max_pixels}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        width, height = _size(image)
        return {"max_pixels.pixels": width * height}

    def limits(self) -> tuple[Limit, ...]:
        pixels = "max_pixels.pixels"
        return (
            Limit(measure=pixels, reason="not_measured"),
            Limit(measure=pixels, reason="too_many_pixels", most=self.max_pixels),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """Drops images whose longer side is over a multiple of the shorter; the bound is inclusive.

    Source: 3 either way is Flamingo's (arXiv:2204.14198, appendix A.3).
    """

    name: ClassVar[str] = "aspect"
    reasons: ClassVar[frozenset[str]] = frozenset({"extreme_aspect", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    max_aspect: float = MAX_ASPECT

    def __post_init__(self) -> None:
        if not self.max_aspect >= 1:
            raise ValueError(f"max_aspect is {self.max_aspect}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"aspect.aspect": aspect(*_size(image))}

    def limits(self) -> tuple[Limit, ...]:
        return (
            Limit(measure="aspect.aspect", reason="not_measured"),
            Limit(measure="aspect.aspect", reason="extreme_aspect", most=self.max_aspect),
        )


def is_too_small(width: int, height: int, min_side: int) -> bool:
    """Whether the shorter side is below `min_side`."""
    return min(width, height) < min_side


def is_extreme(width: int, height: int, max_aspect: float) -> bool:
    """Whether the longer side is over `max_aspect` times the shorter."""
    return aspect(width, height) > max_aspect


def aspect(width: float, height: float) -> float:
    """Longer side over shorter; infinite without a shorter one, 1 without any."""
    shorter, longer = min(width, height), max(width, height)
    if not shorter:
        return math.inf if longer else 1.0
    return longer / shorter


def _size(image: Image) -> tuple[float, float]:
    if image.content is None:
        return math.nan, math.nan
    return image.content.original_width, image.content.original_height
