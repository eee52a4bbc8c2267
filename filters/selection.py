"""A profile's choice: which images of a document stay, and whether the document does.

The order is fixed: what became of each image before; the image filters; text caps, window and
number of images; the document filters; the rules on text. So a filter sees the document as it
would be written, and each image has exactly one outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.profiles import Profile
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.registry import ImageFilter
from openm3w.filters.verdict import KEEP, Verdict
from openm3w.shards.document import Document, Image

PAGE_DROPPED = "page_dropped"
"""Outcome of an image that was good enough in a document that was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a profile makes of one document."""

    verdict: Verdict
    document: Document | None
    """The document to write; None where it is dropped."""
    images: tuple[str, ...]
    """For each image of the input: "" where it is kept, else its one reason."""
    kept: tuple[int, ...]
    """Places of the kept images among the images of the input, in the order of the output."""


def select(
    document: Document, fates: Sequence[str], profile: Profile, *, similarity_model: str
) -> Selection:
    """Applies `profile`; `fates` says for each image "" or why its bytes are not there.

    Raises:
        ValueError: `fates` is not parallel to the document's images.
        RecipeError: the profile has no bound for `similarity_model`.
    """
    filters = profile.image_filters(similarity_model)
    outcomes = [
        fate or _reason(image, document, filters)
        for image, fate in zip(document.images, fates, strict=True)
    ]
    cut = _shortened(_without_dropped(document, outcomes), profile, outcomes)
    verdict = _judged(cut.document, profile)
    if verdict:
        return Selection(
            verdict=verdict, document=cut.document, images=tuple(outcomes), kept=cut.kept
        )
    images = tuple(outcome or PAGE_DROPPED for outcome in outcomes)
    return Selection(verdict=verdict, document=None, images=images, kept=())


def _reason(image: Image, document: Document, filters: Sequence[ImageFilter]) -> str:
    for image_filter in filters:
        if reason := image_filter.keep(image, document).reason:
            return reason
    return ""


def _without_dropped(document: Document, outcomes: Sequence[str]) -> Cut:
    return rebuilt(
        document,
        (item for item in numbered(document.spans) if item[1] < 0 or not outcomes[item[1]]),
    )


def _shortened(cut: Cut, profile: Profile, outcomes: list[str]) -> Cut:
    """Applies the transforms in turn, and enters their reasons into `outcomes`."""
    for transform in profile.transforms():
        step = transform.apply(cut.document)
        kept = tuple(cut.kept[place] for place in step.kept)
        if len(kept) < len(cut.kept):
            (reason,) = transform.reasons
            for place in set(cut.kept).difference(kept):
                outcomes[place] = reason
        cut = Cut(document=step.document, kept=kept)
    return cut


def _judged(document: Document, profile: Profile) -> Verdict:
    for document_filter in profile.document_filters():
        verdict = document_filter.keep(document)
        if not verdict:
            return verdict
    # Last, since they read all of the text.
    if rules := profile.text_filters():
        text = TextFacts.of(document)
        for rule in rules:
            verdict = rule.keep(text)
            if not verdict:
                return verdict
    return KEEP
