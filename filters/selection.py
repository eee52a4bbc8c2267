"""A profile's choice: which images of a document stay, and whether the document does.

The order is fixed. What became of each image before; the image filters; twins of images that are
left. Then the page, with its text as the profile's text transforms leave it: filters of pages and
rules on text judge it whole, as the papers mean them; images that are moved to sentences move to
those of that text. Then the cuts: text caps, window, number of images. Filters of documents see
what is left, and each image has exactly one outcome.

`openm3w.filters.choosing` makes the same decisions about many stored rows at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from openm3w.errors import FilterError
from openm3w.filters.assignment import SentenceScores, assign
from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.limits import Measures
from openm3w.filters.measuring import judge_text, view_of
from openm3w.filters.profiles import Profile
from openm3w.filters.registry import DocumentFilter, ImageFilter, Transform
from openm3w.filters.safety import with_largest
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document, Image

PAGE_DROPPED = "page_dropped"
"""Outcome of an image that was good enough in a document that was not."""


FILTER_FAILED = "filter_failed"
"""Outcome of a document over which a filter of the user's own fell."""


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
    rest: Document | None = None
    """What filters of documents saw: the document without dropped images, and cut."""
    error: str = ""
    """What happened where a filter of the user's own fell over the document."""


def select(
    document: Document,
    fates: Sequence[str],
    profile: Profile,
    *,
    similarity_model: str,
    measures: Measures | None = None,
    repeats: Mapping[int, int] | None = None,
    sentences: SentenceScores | None = None,
) -> Selection:
    """Applies `profile`; `fates` says for each image "" or why its bytes are not there.

    `measures` are those of the profile's view of the text, where they were stored; `repeats` the
    occurrences of paragraphs that its domain repeats, by their number; `sentences` the scores of
    the document's images with its sentences, which a bipartite assignment needs.

    Raises:
        ValueError: `fates` is not parallel to the document's images, or `sentences` are missing.
        RecipeError: the profile has no bound for `similarity_model`, or a filter of the user's own
            answered what no filter may.
    """
    try:
        return _selected(
            document, fates, profile, similarity_model, measures, repeats or {}, sentences
        )
    except FilterError as failure:
        return Selection(
            verdict=drop(FILTER_FAILED),
            document=None,
            images=tuple(fate or PAGE_DROPPED for fate in fates),
            kept=(),
            error=str(failure),
        )


def _selected(
    document: Document,
    fates: Sequence[str],
    profile: Profile,
    similarity_model: str,
    measures: Measures | None,
    repeats: Mapping[int, int],
    sentences: SentenceScores | None,
) -> Selection:
    filters = profile.image_filters(similarity_model)
    outcomes = [
        fate or _reason(image, document, filters)
        for image, fate in zip(document.images, fates, strict=True)
    ]
    document = replace(document, scores=with_largest(document, outcomes))
    page = view_of(profile).apply(document, repeats)
    rest = _shortened(_without_dropped(page, outcomes), profile.twins(), outcomes)
    if profile.document.assignment == "bipartite":
        rest = _assigned(rest, document, sentences)
    cut = _shortened(rest, profile.cuts(), outcomes)
    verdict = _judged(
        page, cut.document, profile, profile.document_filters(similarity_model), measures
    )
    if verdict:
        return Selection(
            verdict=verdict,
            document=cut.document,
            images=tuple(outcomes),
            kept=cut.kept,
            rest=cut.document,
        )
    images = tuple(outcome or PAGE_DROPPED for outcome in outcomes)
    return Selection(verdict=verdict, document=None, images=images, kept=(), rest=cut.document)


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


def _assigned(cut: Cut, document: Document, sentences: SentenceScores | None) -> Cut:
    """Images before their sentences among those that are left of the document's."""
    if sentences is None:
        raise ValueError("a bipartite assignment needs the scores of all sentences")
    moved = assign(cut.document, document, sentences.of(cut.kept))
    return Cut(document=moved.document, kept=tuple(cut.kept[place] for place in moved.kept))


def _shortened(cut: Cut, transforms: Iterable[Transform], outcomes: list[str]) -> Cut:
    """Applies the transforms in turn, and enters their reasons into `outcomes`."""
    for transform in transforms:
        step = transform.apply(cut.document)
        kept = tuple(cut.kept[place] for place in step.kept)
        if len(kept) < len(cut.kept):
            (reason,) = transform.reasons
            for place in set(cut.kept).difference(kept):
                outcomes[place] = reason
        cut = Cut(document=step.document, kept=kept)
    return cut


def _judged(
    page: Document,
    left: Document,
    profile: Profile,
    filters_of_rest: Sequence[DocumentFilter],
    measures: Measures | None,
) -> Verdict:
    """What is wrong with the page goes before what is wrong with the rest that is left of it."""
    for page_filter in profile.page_filters():
        verdict = page_filter.keep(page)
        if not verdict:
            return verdict
    verdict = judge_text(page, profile, measures)
    if not verdict:
        return verdict
    for document_filter in filters_of_rest:
        verdict = document_filter.keep(left)
        if not verdict:
            return verdict
    return KEEP
