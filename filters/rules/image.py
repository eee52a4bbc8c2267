"""`[image]`: bounds on each image."""

from collections.abc import Iterable
from dataclasses import dataclass

from openm3w.filters.images.copies import EvaluationImages, Frequency, Twins
from openm3w.filters.images.file import Formats, MinBytes, UrlTokens
from openm3w.filters.images.look import MIN_GREY_DEVIATION, LowEntropy, MinSharpness, SingleColour
from openm3w.filters.images.size import (
    MAX_ASPECT,
    MAX_PIXELS,
    MIN_SIDE,
    Aspect,
    MaxPixels,
    MaxSide,
    MinSide,
)
from openm3w.filters.registry import ImageFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """Bounds on each image; see `openm3w.filters.images`."""

    min_side: int = MIN_SIDE
    max_aspect: float = MAX_ASPECT
    min_grey_deviation: float = MIN_GREY_DEVIATION
    max_pixels: int = MAX_PIXELS
    max_side: int = 0
    """0: no bound."""
    min_bytes: int = 0
    """Of the image as fetched; 0: no bound."""
    formats: tuple[str, ...] = ()
    """None: all that can be decoded."""
    url_tokens: tuple[str, ...] = ()
    """Words that no address may have; see `UrlTokens`."""
    min_entropy: float = 0.0
    """Bits; 0: no bound."""
    min_sharpness: float = 0.0
    """0: no bound."""
    max_url_count: int = 0
    """Times that the corpus may name an address; 0: no bound."""
    max_content_count: int = 0
    """Times that the corpus may use the same stored bytes; 0: no bound."""
    twin_distance: int = -1
    """Bits in which two images of a document may differ and be one; -1: none are looked for."""
    evaluation_distance: int = -1
    """Bits up to which an image is one of an evaluation set; -1: none are looked for."""

    def __post_init__(self) -> None:
        for name in ("max_side", "min_bytes", "min_entropy", "min_sharpness"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 (no bound) or more")
        for name in ("twin_distance", "evaluation_distance"):
            if getattr(self, name) < -1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected -1 (off) or more")
        self.filters()
        self.twins()

    def filters(self) -> tuple[ImageFilter, ...]:
        """What asks for something, in the order of deciding: address, file, size, look, copies."""
        return (
            *((UrlTokens(tokens=self.url_tokens),) if self.url_tokens else ()),
            *((MinBytes(min_bytes=self.min_bytes),) if self.min_bytes else ()),
            *((Formats(formats=self.formats),) if self.formats else ()),
            MinSide(min_side=self.min_side),
            *((MaxSide(max_side=self.max_side),) if self.max_side else ()),
            MaxPixels(max_pixels=self.max_pixels),
            Aspect(max_aspect=self.max_aspect),
            SingleColour(min_grey_deviation=self.min_grey_deviation),
            *((LowEntropy(min_entropy=self.min_entropy),) if self.min_entropy else ()),
            *((MinSharpness(min_sharpness=self.min_sharpness),) if self.min_sharpness else ()),
            *self._copies(),
        )

    def twins(self) -> tuple[Twins, ...]:
        """What looks at an image beside the others that are left."""
        return (Twins(distance=self.twin_distance),) if self.twin_distance >= 0 else ()

    def _copies(self) -> tuple[ImageFilter, ...]:
        counts = Frequency(
            max_url_count=self.max_url_count, max_content_count=self.max_content_count
        )
        counted = (counts,) if self.max_url_count or self.max_content_count else ()
        if self.evaluation_distance < 0:
            return counted
        return (*counted, EvaluationImages(distance=self.evaluation_distance))


def loosest(rules: Iterable[ImageRules]) -> ImageRules:
    """Of each bound on an image's bytes the loosest, and no other bounds.

    Raises:
        ValueError: there are no rules.
    """
    chosen = tuple(rules)
    every_format = any(not r.formats for r in chosen)
    return ImageRules(
        min_side=min(r.min_side for r in chosen),
        max_aspect=max(r.max_aspect for r in chosen),
        min_grey_deviation=min(r.min_grey_deviation for r in chosen),
        max_pixels=max(r.max_pixels for r in chosen),
        max_side=max(r.max_side for r in chosen) if all(r.max_side for r in chosen) else 0,
        min_bytes=min(r.min_bytes for r in chosen),
        formats=() if every_format else tuple(sorted({f for r in chosen for f in r.formats})),
        min_entropy=min(r.min_entropy for r in chosen),
        min_sharpness=min(r.min_sharpness for r in chosen),
    )
