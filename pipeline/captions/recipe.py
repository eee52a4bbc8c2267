"""CaptionRecipe: everything that decides what a caption build makes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from openm3w import recipe
from openm3w.filters.images.look import MIN_GREY_DEVIATION
from openm3w.filters.images.size import MAX_ASPECT, MAX_PIXELS, MIN_SIDE

RECIPES = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Which captions of a row become samples; bounds are inclusive."""

    take: Literal["all", "first"] = "all"
    """Where a row has several captions: one sample for each, or only the first."""
    min_characters: int = 5
    """LAION-5B (laion.ai/blog/laion-5b) drops shorter alternative texts; COYO-700M asks for 6."""
    max_characters: int = 1000
    """COYO-700M drops what is longer. 0 is no bound."""

    def __post_init__(self) -> None:
        if self.min_characters < 1 or self.max_characters < 0:
            raise ValueError("min_characters must be at least 1 and max_characters at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Where images are looked for, and which are kept; bounds are inclusive."""

    source: Literal["files", "http"] = "files"
    """`files`: beside the table or in --images. `http` is refused until the fetcher exists."""
    max_redirects: int = 5
    """Followed inside web archives; as many as a polite fetcher would."""
    min_side: int = MIN_SIDE
    """Pixels of the shorter side: KOSMOS-1 (arXiv:2302.14045) and Flamingo (arXiv:2204.14198)."""
    max_aspect: float = MAX_ASPECT
    """Longer over shorter side: Flamingo, COYO-700M and DataComp (arXiv:2304.14108)."""
    min_grey_deviation: float = MIN_GREY_DEVIATION
    """Single-coloured pictures go, as in Flamingo; the number is ours. 0 is no bound."""
    min_crawled_bytes: int = 5_000
    """Of images out of web archives: LAION-5B and COYO-700M drop downloads below 5 KB. Files
    that somebody gathered are often small on purpose and are not bound by it."""
    max_bytes: int = 20_000_000
    """Of the encoded input."""
    max_pixels: int = MAX_PIXELS
    """Of the decoded input: Pillow's bound for decompression bombs."""

    def __post_init__(self) -> None:
        if self.max_redirects < 0 or self.min_side < 1 or not self.max_aspect >= 1:
            raise ValueError(
                "max_redirects must be at least 0, min_side at least 1, max_aspect at least 1"
            )
        if min(self.max_bytes, self.max_pixels) < 1:
            raise ValueError("max_bytes and max_pixels must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """img2dataset's resizer; names and values are its own."""

    mode: Literal["keep_ratio_largest", "keep_ratio", "center_crop", "border", "no"] = (
        "keep_ratio_largest"
    )
    """`keep_ratio_largest`: the longer side becomes `side`; nothing is cut off or filled up."""
    side: int = 256
    """Pixels; img2dataset's default."""
    only_if_bigger: bool = True
    """Leaves smaller pictures at their size; img2dataset would blow them up by default."""
    quality: int = 95
    """JPEG quality; img2dataset's default."""

    def __post_init__(self) -> None:
        if self.side < 1:
            raise ValueError(f"side is {self.side}, expected at least 1")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality is {self.quality}, expected 1 to 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """How kept pairs are laid out."""

    samples_per_shard: int = 10_000
    """img2dataset's default; at 256 px some 200 MB."""
    val_share: float = 0.005
    """Share of the registered domains (of the images, where there are no URLs) that go to `val`."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples_per_shard < 1:
            raise ValueError(f"samples_per_shard is {self.samples_per_shard}, expected at least 1")
        if not 0 <= self.val_share < 1:
            raise ValueError(f"val_share is {self.val_share}, expected 0 <= share < 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRecipe:
    """A build of images with captions."""

    name: str = "captions"
    max_failed_share: float = 0.1
    """More failed rows or images than this end the build: something is wrong with the set-up."""
    captions: Captions = field(default_factory=Captions)
    images: Images = field(default_factory=Images)
    resize: Resize = field(default_factory=Resize)
    shards: Shards = field(default_factory=Shards)


def load(name: str = "captions", overrides: tuple[str, ...] = ()) -> CaptionRecipe:
    """A shipped recipe or a TOML file, with `a.b=value` overrides.

    Raises:
        RecipeError: it does not decode; unknown keys are named with the nearest known one.
    """
    return recipe.load(name, RECIPES, CaptionRecipe, overrides)
