"""A profile's choice over many stored rows at once: what `selection.select` decides one by one.

Decisions go by the numbers that `measuring` took, so that nothing is read, fetched or scored again
and a million documents take seconds. A profile that needs more than numbers, as a user's own
filter, is refused (`NeedsDocumentsError`): then each document is read and goes through `select`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openm3w.filters.assignment import AssignedShare
from openm3w.filters.hashing import unit_interval
from openm3w.filters.images.copies import Twins, later_twins
from openm3w.filters.interleaving import (
    HasImage,
    Interspersed,
    MaxImages,
    NumImages,
    SingleImage,
)
from openm3w.filters.language import Language
from openm3w.filters.limits import Limit
from openm3w.filters.matching import match_rows
from openm3w.filters.measuring import text_limits, view_of
from openm3w.filters.optout import OptOut
from openm3w.filters.pages import URL_FILTERS, UrlFilter
from openm3w.filters.profiles import Profile
from openm3w.filters.quality.omnicorpus import OmniCorpusImages
from openm3w.filters.rows import Choice, Coded, Floats, Integers, Mask, Rows
from openm3w.filters.safety import NSFW_IMAGE, NsfwDocument
from openm3w.filters.selection import PAGE_DROPPED
from openm3w.filters.text import CapText
from openm3w.filters.window import IMAGE_TOKENS, Window


class NeedsDocumentsError(Exception):
    """A profile whose choice cannot be made from stored numbers; its text says why."""


def choose(rows: Rows, profile: Profile, *, similarity_model: str) -> Choice:
    """The outcomes of all rows.

    Raises:
        NeedsDocumentsError: the numbers do not suffice for this profile.
        RecipeError: the profile has no bound for `similarity_model`.
    """
    state = _State(rows, moves=profile.document.assignment != "natural")
    for image_filter in profile.image_filters(similarity_model):
        state.images.limit(_limits(image_filter), rows.images)
    for twins in profile.twins():
        state.cut_twins(twins)
    state.judge(profile.page_filters())
    for rule in profile.text_filters():
        _limits(rule)
    state.pages.limit(text_limits(view_of(profile)), rows.texts)
    if asks_for_sentences(profile):
        # Images of dropped pages have reasons of their own only where a number of them is cut.
        state.move(all_pages=bool(profile.document.max_images))
    for cut in profile.cuts():
        _handler(_CUTS, cut)(state, cut)
    state.judge(profile.document_filters(similarity_model))
    state.images.drop(~state.pages.left[rows.owners], PAGE_DROPPED)
    return Choice(pages=state.pages.outcomes(), images=state.images.outcomes())


def asks_for_sentences(profile: Profile) -> bool:
    """Whether the choice depends on the sentences that images move to; most rules only count."""
    rules = profile.document
    by_place = rules.interspersed or rules.max_images or profile.assigned.min_share
    return rules.assignment != "natural" and bool(by_place)


class _Outcomes:
    """The first reason that is found for each of many things."""

    def __init__(self, names: Sequence[str], codes: Integers) -> None:
        self._names = ["", *names]
        self._codes = codes

    @classmethod
    def none(cls, number: int) -> "_Outcomes":
        return cls((), np.zeros(number, np.int64))

    @classmethod
    def of(cls, fates: Coded) -> "_Outcomes":
        """Those that have a fate already, where "" is none."""
        place = np.array([0 if not name else at + 1 for at, name in enumerate(fates.names)])
        codes = place[fates.codes] if fates.names else np.zeros(0, np.int64)
        return cls(fates.names, codes)

    @property
    def left(self) -> Mask:
        """What has no reason yet."""
        mask: Mask = self._codes == 0
        return mask

    def have(self, reason: str) -> Mask:
        """What has this reason."""
        at = self._names.index(reason) if reason in self._names else -1
        mask: Mask = self._codes == at
        return mask

    def drop(self, outside: Mask, reason: str) -> None:
        if reason not in self._names:
            self._names.append(reason)
        self._codes[outside & self.left] = self._names.index(reason)

    def limit(self, limits: Iterable[Limit], measures: Mapping[str, Floats]) -> None:
        for limit in limits:
            if limit.measure not in measures:
                raise NeedsDocumentsError(f"{limit.measure} is not measured")
            values = measures[limit.measure]
            self.drop(~((values >= limit.least) & (values <= limit.most)), limit.reason)

    def outcomes(self) -> Coded:
        return Coded(names=tuple(self._names), codes=self._codes)


@dataclass(slots=True)
class _State:
    """What is left while a choice goes on."""

    rows: Rows
    moves: bool
    """Whether images stand before the sentences that fit them."""
    images: _Outcomes = field(init=False)
    pages: _Outcomes = field(init=False)
    words: Integers | None = field(init=False)
    """int64[N]: words left; None once a window was cut, inside of which nobody counted."""
    words_before: Integers = field(init=False)
    """int64[M]: words that stand before each image."""
    sentences: Integers = field(init=False)
    """int64[M]: the sentence that an image was moved to, 0 where it was not moved."""
    fits: Floats = field(init=False)
    """float64[M]: its cosine with that sentence, not a number where it was not moved."""

    def __post_init__(self) -> None:
        self.images = _Outcomes.of(self.rows.fates)
        self.sentences = np.zeros(len(self.rows.owners), np.int64)
        self.fits = np.full(len(self.rows.owners), np.nan)
        self.pages = _Outcomes.none(len(self.rows.doc_ids))
        self.words, self.words_before = self._placed(self.rows.words)

    def _placed(self, sizes: Integers) -> tuple[Integers, Integers]:
        """int64[N] and int64[M]: the sizes of a document, and those before each of its images."""
        rows = self.rows
        sums = np.concatenate([[0], np.cumsum(sizes)])
        starts = rows.paragraphs[:-1]
        before = sums[starts[rows.owners] + rows.before] - sums[starts[rows.owners]]
        return sums[rows.paragraphs[1:]] - sums[starts], before

    def counts(self) -> Integers:
        """int64[N]: images left."""
        number: Integers = np.bincount(
            self.rows.owners[self.images.left], minlength=len(self.rows.doc_ids)
        )
        return number

    def ranks(self) -> Integers:
        """int64[M]: how many images that are left stand before each in its document."""
        left, owners = self.images.left, self.rows.owners
        order = np.lexsort((self.sentences, owners))  # stable: those of a sentence stay in order
        before = np.cumsum(left[order]) - left[order]
        firsts = np.flatnonzero(np.diff(owners, prepend=-1))
        sizes = np.diff(firsts, append=len(owners))
        ranks = np.empty(len(owners), np.int64)
        ranks[order] = before - np.repeat(before[firsts], sizes)
        return ranks

    def move(self, *, all_pages: bool) -> None:
        """Moves the images that are left to their sentences; of dropped pages if wanted."""
        found = self.rows.sentences
        if found is None:
            raise ValueError("the rows are without the sentences that the profile asks for")
        owners = self.rows.owners
        moving = self.images.left & (all_pages | self.pages.left[owners])
        matches = match_rows(found, owners, np.flatnonzero(moving))
        self.sentences[matches.images] = matches.sentences
        self.fits[matches.images] = matches.cosines
        # A document has one number more than sentences: the words of the whole.
        starts = found.starts[:-1] + np.arange(len(found.starts) - 1)
        of = owners[matches.images]
        self.words_before[matches.images] = found.words_before[starts[of] + matches.sentences]
        self.words = found.words_before[starts + found.numbers]

    def judge(self, filters: Iterable[Any]) -> None:
        for each in filters:
            if type(each) in _DOCUMENTS:
                _DOCUMENTS[type(each)](self, each)
            else:
                self.pages.limit(_limits(each), self.rows.pages)

    def cap(self, cap: CapText) -> None:
        if self.words is None:
            raise NeedsDocumentsError("text is capped inside a window")
        if not cap.max_paragraph_words and not cap.max_document_words:
            return
        if self.moves:
            raise NeedsDocumentsError("text is capped around images that move to sentences")
        sizes = self.rows.words
        if cap.max_paragraph_words:
            sizes = np.minimum(sizes, cap.max_paragraph_words)
        self.words, self.words_before = self._placed(sizes)
        if cap.max_document_words:
            outside = self.words_before > cap.max_document_words
            self.images.drop(outside, _only(cap.reasons))
            self.words = np.minimum(self.words, cap.max_document_words)

    def cut_window(self, window: Window) -> None:
        if self.moves:
            raise NeedsDocumentsError("a window is cut around images that move to sentences")
        # Tokens were counted before caps; of what a cap cuts through nobody counted them.
        whole, _ = self._placed(self.rows.words)
        if self.words is None or not np.array_equal(whole, self.words):
            raise NeedsDocumentsError("a window is cut from capped text")
        tokens, before = self._placed(self.rows.tokens)
        at = before + IMAGE_TOKENS * self.ranks()
        totals = tokens + IMAGE_TOKENS * self.counts()
        starts = np.zeros(len(totals), np.int64)
        for place in np.flatnonzero(totals > window.tokens):
            chance = unit_interval(window.seed, window.name, self.rows.doc_ids[place])
            starts[place] = int(chance * (totals[place] - window.tokens + 1))
        start = starts[self.rows.owners]
        outside = (at < start) | (at + IMAGE_TOKENS > start + window.tokens)
        self.images.drop(outside, _only(window.reasons))
        self.words = None

    def cut_twins(self, rule: Twins) -> None:
        places = np.flatnonzero(self.images.left & self.rows.is_hashed)
        bits, owners = self.rows.phashes[places], self.rows.owners[places]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        outside = np.zeros(len(self.rows.owners), np.bool_)
        for start, end in _with_neighbours(bits, starts, rule.distance):
            for twin in later_twins(bits[start:end].tolist(), rule.distance):
                outside[places[start + twin]] = True
        self.images.drop(outside, _only(rule.reasons))

    def cut_images(self, most: MaxImages) -> None:
        self.images.drop(self.ranks() >= most.max_images, _only(most.reasons))

    def has_image(self, rule: HasImage) -> None:
        self.pages.drop(self.counts() == 0, _only(rule.reasons))

    def num_images(self, rule: NumImages) -> None:
        self.pages.drop(self.counts() < rule.min_images, "too_few_images")
        self.pages.drop(self.counts() > rule.most_images, "too_many_images")

    def interspersed(self, rule: Interspersed) -> None:
        if self.words is None:
            raise NeedsDocumentsError("interspersed images are asked for inside a window")
        between = (
            self.images.left
            & (self.words_before > 0)
            & (self.words_before < self.words[self.rows.owners])
        )
        found = np.bincount(self.rows.owners[between], minlength=len(self.rows.doc_ids))
        self.pages.drop(found == 0, _only(rule.reasons))

    def single_image(self, rule: SingleImage) -> None:
        outside = np.zeros(len(self.rows.doc_ids), np.bool_)
        if rule.share < 1:
            for place in np.flatnonzero(self.pages.left & (self.counts() == 1)):
                chance = unit_interval(rule.seed, rule.name, self.rows.doc_ids[place])
                outside[place] = chance >= rule.share
        self.pages.drop(outside, _only(rule.reasons))

    def text_per_image(self, rule: OmniCorpusImages) -> None:
        if self.words is None:
            raise NeedsDocumentsError("words for each image are asked for inside a window")
        if self.moves:  # characters counted two a word need not add up where texts are split
            raise NeedsDocumentsError("words for each image are asked for where images move")
        counts = self.counts()
        each = self.words / np.maximum(counts, 1)
        little = (counts > rule.few_images) & ~(each >= rule.min_words_per_image)
        self.pages.drop(little, _only(rule.reasons))

    def assigned_share(self, rule: AssignedShare) -> None:
        owners, left = self.rows.owners, self.images.left
        number = len(self.rows.doc_ids)
        moved = np.bincount(owners[left & ~np.isnan(self.fits)], minlength=number)
        self.pages.drop((self.counts() == 0) | (moved < self.counts()), "not_assigned")
        fitting = np.bincount(owners[left & (self.fits > rule.min_similarity)], minlength=number)
        share = fitting / np.maximum(self.counts(), 1)
        self.pages.drop(share < rule.min_share, "few_assigned")

    def unsafe_image(self, rule: NsfwDocument) -> None:
        unsafe = self.images.have(NSFW_IMAGE)
        found = np.bincount(self.rows.owners[unsafe], minlength=len(self.rows.doc_ids))
        self.pages.drop(found > 0, _only(rule.reasons))

    def opt_out(self, rule: OptOut) -> None:
        verdicts = [rule.judge(signals) for signals in self.rows.opt_out.names]
        for reason in sorted({verdict.reason for verdict in verdicts if verdict.reason}):
            outside = np.array([verdict.reason == reason for verdict in verdicts])
            self.pages.drop(outside[self.rows.opt_out.codes], reason)

    def address(self, rule: UrlFilter) -> None:
        denied = self.rows.urls.where(lambda url: not rule.judge(url))
        self.pages.drop(denied, _only(rule.reasons))

    def language(self, rule: Language) -> None:
        if rule.languages:
            wrong = self.rows.languages.where(lambda code: code not in rule.languages)
            self.pages.drop(wrong, "wrong_language")
            self.pages.drop(~(self.rows.language_scores >= rule.min_score), "uncertain_language")


_CUTS: Mapping[type[Any], Callable[[_State, Any], None]] = {
    CapText: _State.cap,
    Window: _State.cut_window,
    MaxImages: _State.cut_images,
}
_DOCUMENTS: Mapping[type[Any], Callable[[_State, Any], None]] = {
    **dict.fromkeys(URL_FILTERS, _State.address),
    NsfwDocument: _State.unsafe_image,
    OptOut: _State.opt_out,
    Language: _State.language,
    HasImage: _State.has_image,
    NumImages: _State.num_images,
    Interspersed: _State.interspersed,
    SingleImage: _State.single_image,
    OmniCorpusImages: _State.text_per_image,
    AssignedShare: _State.assigned_share,
}


def _handler(
    handlers: Mapping[type[Any], Callable[[_State, Any], None]], cut: Any
) -> Callable[[_State, Any], None]:
    try:
        return handlers[type(cut)]
    except KeyError:
        raise NeedsDocumentsError(f"{cut.name} looks at the documents themselves") from None


def _limits(rule: Any) -> tuple[Limit, ...]:
    if not hasattr(rule, "limits"):
        raise NeedsDocumentsError(f"{rule.name} looks at the documents themselves")
    limits: tuple[Limit, ...] = rule.limits()
    return limits


_FEW = 8


def _with_neighbours(
    bits: NDArray[np.uint64], starts: Integers, distance: int
) -> Iterator[tuple[int, int]]:
    """Begin and end of the groups in which two hashes may be twins.

    Nearly no document has any. Small groups are compared all at once, a large one is never ruled
    out.
    """
    ends = np.append(starts[1:], len(bits))
    sizes = ends - starts
    groups = np.repeat(np.arange(len(starts)), sizes)
    found = sizes > _FEW
    for apart in range(1, min(_FEW, len(bits))):
        together = groups[apart:] == groups[:-apart]
        differing = (bits[apart:] ^ bits[:-apart])[together]
        ones = np.unpackbits(differing.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)
        found[groups[apart:][together][ones <= distance]] = True
    for group in np.flatnonzero(found):
        yield int(starts[group]), int(ends[group])


def _only(reasons: frozenset[str]) -> str:
    (reason,) = reasons
    return reason
