"""Which window of text each image is most like: the one that its similarity is of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from openm3w.pipeline.scoring.windows import Window, Windows, image_windows
from openm3w.shards.document import Document, Image


def with_matches(
    chosen: Document,
    kept: Sequence[int],
    scored: Document,
    cosines: Mapping[int, Sequence[float]],
    windows: Windows,
) -> Document:
    """`chosen` with the best window of each image, the first of equals, as it was scored.

    Args:
        chosen: What a profile left of a document.
        kept: For each image of it, its number among those of `scored`.
        scored: The document as it was scored, whose text may have been longer.
        cosines: Number of an image -> its cosine with each of its windows, in their order.
        windows: What windows were made by.

    Raises:
        ValueError: an image has another number of windows than of cosines.
    """
    if not any(cosines.get(at) for at in kept):
        return chosen
    found = image_windows(scored, windows)
    return chosen.with_images(
        _matched(image, cosines.get(at, ()), found[at])
        for image, at in zip(chosen.images, kept, strict=True)
    )


def _matched(image: Image, cosines: Sequence[float], windows: Sequence[Window]) -> Image:
    if not cosines:
        return image
    pairs = zip(cosines, windows, strict=True)
    _, best = max(pairs, key=lambda pair: pair[0])
    return replace(image, matched_text=best.text, matched_from=best.origin)
