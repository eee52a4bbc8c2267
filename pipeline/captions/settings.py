"""What decides the bytes of a captioned image: of a recipe, all that storing one takes."""

from dataclasses import dataclass
from typing import Literal

from openm3w.pipeline.images.opening import PILLOW_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Where images are looked for, and what is safe to decode; which are kept is the profile's."""

    source: Literal["files", "http"] = "files"
    """`files`: beside the table or in --images. `http`: these first, then the web."""
    max_redirects: int = 5
    """Followed inside web archives; as many as a polite fetcher would."""
    max_bytes: int = 20_000_000
    """Of the encoded input."""
    max_pixels: int = PILLOW_PIXELS
    """Of the decoded input, at most Pillow's bound for decompression bombs."""
    keep_bytes: bool = False
    """Stores a JPEG in RGB as it came, without its metadata, where it is upright, in sRGB, and not
    resized."""
    originals: bool = False
    """Also stores the bytes of each stored image as they were fetched, in the packs alone."""
    texture: bool = False
    """Whether entropy and sharpness are measured as well. No caption profile has a bound on them,
    and they would take a fifth of the time of an image."""
    blocklists: tuple[str, ...] = ()
    """Files of hashes of images that are never stored."""
    evaluation_images: tuple[str, ...] = ()
    """Files of perceptual hashes of evaluation pictures; `m3w filters phash` makes them."""

    def __post_init__(self) -> None:
        if self.max_redirects < 0:
            raise ValueError(f"max_redirects is {self.max_redirects}, expected at least 0")
        if min(self.max_bytes, self.max_pixels) < 1:
            raise ValueError("max_bytes and max_pixels must be at least 1")
        if self.max_pixels > PILLOW_PIXELS:
            raise ValueError(f"max_pixels is {self.max_pixels}, expected at most {PILLOW_PIXELS}")


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
