"""`[image]`: bounds on each image."""

from dataclasses import dataclass

from openm3w.filters.image import (
    MAX_ASPECT,
    MAX_PIXELS,
    MIN_GREY_DEVIATION,
    MIN_SIDE,
    Aspect,
    MaxPixels,
    MinSide,
    SingleColour,
)
from openm3w.filters.registry import ImageFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """Bounds on each image; see `openm3w.filters.image`."""

    min_side: int = MIN_SIDE
    max_aspect: float = MAX_ASPECT
    min_grey_deviation: float = MIN_GREY_DEVIATION
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        self.filters()

    def filters(self) -> tuple[ImageFilter, ...]:
        return (
            MinSide(min_side=self.min_side),
            MaxPixels(max_pixels=self.max_pixels),
            Aspect(max_aspect=self.max_aspect),
            SingleColour(min_grey_deviation=self.min_grey_deviation),
        )
