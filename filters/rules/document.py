"""`[document]`: how many images there are, where they stand, and the window."""

import sys
from dataclasses import dataclass
from typing import Literal

from openm3w.filters.interleaving import (
    MAX_IMAGES,
    SINGLE_IMAGE_SHARE,
    HasImage,
    Interspersed,
    MaxImages,
    NumImages,
    SingleImage,
)
from openm3w.filters.registry import DocumentFilter
from openm3w.filters.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRules:
    """How many images, where they stand, and the window; see `openm3w.filters.interleaving`."""

    max_images: int = MAX_IMAGES
    """The first so many are kept; 0: all."""
    min_images: int = 1
    most_images: int = 0
    """Documents with more are dropped; 0: none is. See `NumImages`."""
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
        if self.min_images < 1 or self.most_images < 0:
            raise ValueError(
                f"min_images {self.min_images}, most_images {self.most_images}: expected at least "
                "1, and 0 (no bound) or more"
            )
        if 0 < self.max_images <= self.most_images:
            raise ValueError(
                f"most_images {self.most_images} is never exceeded: max_images cuts documents "
                f"at {self.max_images}; 0 cuts none"
            )
        self.filters()
        self.most()

    def filters(self) -> tuple[DocumentFilter, ...]:
        interspersed = (Interspersed(),) if self.interspersed else ()
        single = SingleImage(share=self.single_image_share, seed=self.seed)
        return (HasImage(), *self._number(), *interspersed, single)

    def most(self) -> tuple[MaxImages, ...]:
        """What cuts off images beyond a number."""
        return (MaxImages(max_images=self.max_images),) if self.max_images else ()

    def window(self) -> tuple[Window, ...]:
        if not self.window_tokens:
            return ()
        return (Window(tokens=self.window_tokens, seed=self.seed),)

    def _number(self) -> tuple[NumImages, ...]:
        if self.min_images == 1 and not self.most_images:
            return ()
        most = self.most_images or sys.maxsize
        return (NumImages(min_images=self.min_images, most_images=most),)
