"""MMC4's way to place images: each before the sentence that it fits, by the whole of the scores."""

import bisect
import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.limits import Limit, Measures
from openm3w.filters.registry import register
from openm3w.filters.sentences import sentence_places
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words
from openm3w.shards.document import Document, Image, Span, Text

ASSIGNED = "assigned_similarity"
"""Score name: the cosine of an image with the sentence it was assigned to."""
MIN_SHARE = 0.75
MIN_ASSIGNED = 0.25
"""MMC4-core (arXiv:2304.06939): three quarters of the assignments above 0.25, CLIP ViT-L/14."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceScores:
    """The cosines of a document's images with its sentences."""

    rows: tuple[tuple[float, ...], ...]
    """For each image its cosines with every sentence in reading order, as `scores.windows.scope =
    "all"` stores them; what follows them in a row is not looked at."""
    max_words: int
    """Length that sentences were cut at: `scores.windows.max_words`."""

    def of(self, kept: Sequence[int]) -> "SentenceScores":
        """Those of some of the images."""
        rows = tuple(self.rows[at] for at in kept)
        return SentenceScores(rows=rows, max_words=self.max_words)


def assign(document: Document, page: Document, scores: SentenceScores) -> Cut:
    """Moves each image directly before the sentence that linear assignment gives it.

    `page` is what `document` was before images were dropped and its text was changed: `scores` are
    of the images of `document` with the sentences of `page`. A sentence of `document` that is none
    of `page`, since something was taken out of it, has no scores and gets no image.

    Which sentence that is says `openm3w.filters.matching`. Texts are split before a sentence that
    gets images, and merged where images left. `kept` of the result says in which order the images
    now stand. Where no sentence has scores, all images stay where they are and have no
    `assigned_similarity`.

    Source: MMC4 (Zhu et al., 2023, arXiv:2304.06939), section 3.

    Raises:
        ValueError: the scores are not parallel to the images, or of fewer sentences.
    """
    from openm3w.filters.matching import match  # numpy, which most commands do without

    rows = scores.rows
    asked = sum(1 for _ in _sentences(page, scores.max_words))
    if len(rows) != len(document.images) or any(len(row) < asked for row in rows):
        raise ValueError(
            f"{document.doc_id}: {len(document.images)} images and {asked} sentences, scores "
            f"of {len(rows)} images with {min(map(len, rows), default=0)} sentences or more"
        )
    scorable = _scorable(document, page, scores.max_words)
    if not rows or not scorable:
        return Cut(document=document, kept=tuple(range(len(rows))))
    places = list(scorable)
    rows = tuple(tuple(row[column] for column in scorable.values()) for row in rows)
    chosen = match(rows, _natural(document.spans, places))
    scored = [
        dataclasses.replace(image, scores={**image.scores, ASSIGNED: rows[at][chosen[at]]})
        for at, image in enumerate(document.images)
    ]
    return rebuilt(document, _placed(document, places, scored, chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceLayout:
    """Where the sentences of a page stand that have scores: what is stored to choose by later."""

    columns: tuple[int, ...]
    """Of each sentence in reading order: its place in a row of scores."""
    words_before: tuple[int, ...]
    """Words before each sentence; one more, at the end, for the words of the whole text."""
    sentences_before: tuple[int, ...]
    """For each image, how many of the sentences stand before it."""


def sentence_layout(document: Document, page: Document, max_words: int) -> SentenceLayout:
    """The sentences of `document` that have scores, which are of those of `page`; see `assign`."""
    scorable = _scorable(document, page, max_words)
    cuts: dict[int, list[int]] = {}
    for at, start in scorable:
        cuts.setdefault(at, []).append(start)
    words, before = 0, list[int]()
    for at, span in enumerate(document.spans):
        if isinstance(span, Text):
            starts = cuts.get(at, [])
            for start, end in itertools.pairwise([0, *starts, len(span.text)]):
                words += count_words(span.text[start:end])
                before.append(words)
            before.pop()  # what the span ends with is before the next span's first
    return SentenceLayout(
        columns=tuple(scorable.values()),
        words_before=(*before, words),
        sentences_before=tuple(_natural(document.spans, list(scorable))),
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedShare:
    """Drops documents in which too few images fit the sentence they were assigned to.

    An image fits where its `assigned_similarity` is above `min_similarity`; the share is of all
    images, and its bound is inclusive. A similarity means something only for the model it was set
    for: profiles keep one for each.

    Source: MMC4-core (Zhu et al., 2023, arXiv:2304.06939): at least 75 % above 0.25, for CLIP
    ViT-L/14.
    """

    name: ClassVar[str] = "assigned_share"
    judges_rest: ClassVar[bool] = True
    reasons: ClassVar[frozenset[str]] = frozenset({"few_assigned", "not_assigned"})

    min_share: float = MIN_SHARE
    min_similarity: float = MIN_ASSIGNED

    def __post_init__(self) -> None:
        if not 0 <= self.min_share <= 1:
            raise ValueError(f"min_share is {self.min_share}, expected 0 to 1")
        if not -1 <= self.min_similarity <= 1:
            raise ValueError(f"min_similarity is {self.min_similarity}, expected -1 to 1")

    def keep(self, document: Document) -> Verdict:
        share = self._share(document)
        if share is None:
            return drop("not_assigned")
        return drop("few_assigned") if share < self.min_share else KEEP

    def measure(self, document: Document) -> Measures:
        share = self._share(document)
        return {"assigned_share.share": float("nan") if share is None else share}

    def limits(self) -> tuple[Limit, ...]:
        # The first has no ends: it does not hold for what is no number.
        return (
            Limit(measure="assigned_share.share", reason="not_assigned"),
            Limit(measure="assigned_share.share", reason="few_assigned", least=self.min_share),
        )

    def _share(self, document: Document) -> float | None:
        scores = [image.scores.get(ASSIGNED) for image in document.images]
        found = [score for score in scores if score is not None]
        if not scores or len(found) < len(scores):
            return None
        return sum(score > self.min_similarity for score in found) / len(found)


def _sentences(document: Document, max_words: int) -> Iterator[tuple[tuple[int, int], str]]:
    """Span and place in it where each sentence begins, and its words as they were scored."""
    for at, span in enumerate(document.spans):
        if isinstance(span, Text):
            for start, end in sentence_places(span.text, max_words):
                yield (at, start), " ".join(span.text[start:end].split())


def _scorable(document: Document, page: Document, max_words: int) -> dict[tuple[int, int], int]:
    """Span and place in it of each sentence that has scores, and its place in a row of them."""
    columns = _columns(page, max_words)
    return {
        place: columns[words]
        for place, words in _sentences(document, max_words)
        if words in columns
    }


def _columns(page: Document, max_words: int) -> dict[str, int]:
    """The words of each sentence of the page -> the first place in a row of scores.

    Sentences of the same words have the same scores, so that it does not matter which of them is
    left when another goes.
    """
    columns: dict[str, int] = {}
    for at, (_, words) in enumerate(_sentences(page, max_words)):
        columns.setdefault(words, at)
    return columns


def _natural(spans: Sequence[Span], places: Sequence[tuple[int, int]]) -> list[int]:
    """For each image the number of scored sentences before it."""
    texts = [span for span, _ in places]
    images = (at for at, span in enumerate(spans) if isinstance(span, Image))
    return [bisect.bisect_left(texts, at) for at in images]


def _placed(
    document: Document,
    places: Sequence[tuple[int, int]],
    images: Sequence[Image],
    chosen: Sequence[int],
) -> Iterator[tuple[Span, int]]:
    """The document's texts, cut where images now stand, and the images with their old numbers."""
    before: dict[tuple[int, int], list[int]] = {}
    for image, sentence in enumerate(chosen):
        before.setdefault(places[sentence], []).append(image)
    for at, (span, _) in enumerate(numbered(document.spans)):
        if isinstance(span, Image):
            continue
        start = 0
        for cut in sorted(place for text, place in before if text == at):
            yield Text(text=span.text[start:cut].rstrip() if cut else ""), -1
            yield from ((images[image], image) for image in before[at, cut])
            start = cut
        yield Text(text=span.text[start:]), -1
