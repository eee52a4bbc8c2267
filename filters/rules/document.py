"""`[document]`: how many images there are, where they stand, and the window."""

from dataclasses import dataclass
from typing import Literal

from openm3w.filters.interleaving import (
    MAX_IMAGES,
    SINGLE_IMAGE_SHARE,
    HasImage,
    Interspersed,
    MaxImages,
    SingleImage,
)
from openm3w.filters.registry import DocumentFilter
from openm3w.filters.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRules:
    """How many images, where they stand, and the window; see `openm3w.filters.interleaving`."""

    max_images: int = MAX_IMAGES
    interspersed: bool = True
    single_image_share: float = SINGLE_IMAGE_SHARE
    """Share of the single-image documents that stay; 1: all."""
    window_tokens: int = 0
    """Length of M3W's window; 0: none."""
    assignment: Literal["natural", "bipartite"] = "natural"
    """Where images stand: where the page has them, or before the sentences that MMC4's linear
    assignment gives them (`openm3w.filters.assignment`)."""
    seed: int = 0
    """Of the sampling of single-image documents and of the window's place."""

    def __post_init__(self) -> None:
        if self.window_tokens < 0:
            raise ValueError(f"window_tokens is {self.window_tokens}, expected 0 (none) or more")
        self.filters()
        MaxImages(max_images=self.max_images)

    def filters(self) -> tuple[DocumentFilter, ...]:
        interspersed = (Interspersed(),) if self.interspersed else ()
        single = SingleImage(share=self.single_image_share, seed=self.seed)
        return (HasImage(), *interspersed, single)

    def window(self) -> tuple[Window, ...]:
        if not self.window_tokens:
            return ()
        return (Window(tokens=self.window_tokens, seed=self.seed),)
