"""Captions of images: how long they are, how they scored elsewhere, and how often they occur."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from openm3w.filters.limits import Limit, at_least, at_most, judge
from openm3w.filters.registry import nearest, register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionPair:
    """What is known of an image with a caption."""

    caption: str
    scores: Mapping[str, float] = field(default_factory=dict)
    """Names of SCORES -> number, of the columns that the table has; NaN where a row has none."""
    language: str = ""
    """ISO 639-1 code, "" where none was found or nobody asked."""
    language_score: float = 0.0
    """Certainty of the language, 0 to 1."""
    occurrences: int = 1
    """How many pairs have this caption."""
    is_first: bool = True
    """Whether no pair before it has this image and this caption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A number that published tables carry."""

    columns: tuple[str, ...]
    """Its columns in them; the first that a table has is read."""
    reason: str
    is_good: bool
    """Whether more is better: then a bound is the least, else the most."""
    words: Mapping[str, float] = field(default_factory=dict)
    """What its columns hold where they hold words -> the number that each stands for."""


SCORES: Mapping[str, Score] = {
    "similarity_b32": Score(
        columns=("clip_similarity_vitb32", "clip_b32_similarity_score", "similarity"),
        reason="low_similarity",
        is_good=True,
    ),
    "similarity_l14": Score(
        columns=("clip_similarity_vitl14", "clip_l14_similarity_score"),
        reason="low_similarity",
        is_good=True,
    ),
    "aesthetic": Score(
        columns=("aesthetic_score_laion_v2", "aesthetic", "AESTHETIC_SCORE"),
        reason="low_aesthetic",
        is_good=True,
    ),
    "watermark": Score(
        columns=("pwatermark", "watermark_score"), reason="watermark", is_good=False
    ),
    "unsafe": Score(columns=("punsafe",), reason="unsafe", is_good=False),
    "nsfw_opennsfw2": Score(columns=("nsfw_score_opennsfw2",), reason="unsafe", is_good=False),
    "nsfw_gantman": Score(columns=("nsfw_score_gantman",), reason="unsafe", is_good=False),
    "nsfw_tag": Score(
        columns=("NSFW", "nsfw"),
        reason="unsafe",
        is_good=False,
        words={"UNLIKELY": 0.0, "UNSURE": 0.5, "NSFW": 1.0},
    ),
}
"""By our name. A cosine is named after the CLIP model that gave it: `similarity` of LAION-400M and
LAION-2B-en, COYO's and DataComp's are of ViT-B/32 or ViT-L/14, and a bound for one means nothing
for another. LAION-400M (laion.ai/blog/laion-400-open-dataset) says by a word how likely a picture
is unsafe; the words are its own, the numbers for them ours."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionText:
    """Drops captions that are too short or too long; all bounds are inclusive, 0 is none.

    Words as in `openm3w.filters.words`.

    Source: LAION-5B drops alternative texts below 5 characters (laion.ai/blog/laion-5b); COYO-700M
    (github.com/kakaobrain/coyo-dataset) asks for more than 5 characters, at most 1,000, and 3 to
    256 words; DataComp (Gadre et al., 2023, arXiv:2304.14108) for more than 5 characters and more
    than 2 words.
    """

    name: ClassVar[str] = "caption_text"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"short_caption", "long_caption", "few_caption_words", "many_caption_words"}
    )
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_characters: int = 5
    max_characters: int = 1000
    min_words: int = 0
    max_words: int = 0

    def __post_init__(self) -> None:
        for low, high in (("min_characters", "max_characters"), ("min_words", "max_words")):
            least, most = getattr(self, low), getattr(self, high)
            if least < 0 or most < 0 or 0 < most < least:
                raise ValueError(
                    f"{low} {least}, {high} {most}: expected 0 (no bound) or more, the second not "
                    "below the first"
                )

    def keep(self, pair: CaptionPair) -> Verdict:
        return judge(self.limits(), self.measure(pair))

    def limits(self) -> tuple[Limit, ...]:
        characters, words = "caption_text.characters", "caption_text.words"
        most_characters = at_most(characters, self.max_characters, "long_caption")
        most_words = at_most(words, self.max_words, "many_caption_words")
        return (
            at_least(characters, self.min_characters, "short_caption"),
            *((most_characters,) if self.max_characters else ()),
            at_least(words, self.min_words, "few_caption_words"),
            *((most_words,) if self.max_words else ()),
        )

    def measure(self, pair: CaptionPair) -> dict[str, float]:
        return {
            "caption_text.characters": float(len(pair.caption)),
            "caption_text.words": float(count_words(pair.caption)),
        }


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionScores:
    """Drops pairs by the scores that their table carries; bounds are inclusive.

    `bounds` are by the names `similarity_b32`, `similarity_l14` and `aesthetic`, the least, and
    `watermark`, `unsafe`, `nsfw_opennsfw2`, `nsfw_gantman` and `nsfw_tag`, the most. Where a table
    has no such column nothing is dropped, and the build says so; where a row has no number, the
    pair is.

    Source: LAION-5B keeps English pairs from 0.28 on, by CLIP ViT-B/32 (laion.ai/blog/laion-5b);
    COYO-700M (github.com/kakaobrain/coyo-dataset) drops images above 0.5 by OpenNSFW2 or by
    GantMan's detector.
    """

    name: ClassVar[str] = "caption_scores"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"low_similarity", "low_aesthetic", "watermark", "unsafe", "no_score"}
    )

    bounds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, bound in self.bounds.items():
            if name not in SCORES:
                raise ValueError(f"no score {name!r}{nearest(name, SCORES)}")
            if bound != bound:
                raise ValueError(f"{name} is {bound}, expected a number")

    def keep(self, pair: CaptionPair) -> Verdict:
        for name, bound in self.bounds.items():
            value = pair.scores.get(name)
            if value is None:
                continue
            if value != value:
                return drop("no_score")
            if value < bound if SCORES[name].is_good else value > bound:
                return drop(SCORES[name].reason)
        return KEEP


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionLanguage:
    """Drops captions in a language not asked for, or of which the model is not sure.

    No languages means any, and then nothing is detected. The bound is inclusive, and lower than
    that of pages (`language`): captions are short and full of names, and of such texts the model
    is seldom sure.

    Source: LAION-2B-en (arXiv:2210.08402) and COYO-700M (github.com/kakaobrain/coyo-dataset) choose
    English by cld3, DataComp (Gadre et al., 2023, arXiv:2304.14108) by fastText.
    """

    name: ClassVar[str] = "caption_language"
    reasons: ClassVar[frozenset[str]] = frozenset({"wrong_language", "uncertain_language"})

    languages: tuple[str, ...] = ("en",)
    min_score: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, expected 0 to 1")

    def keep(self, pair: CaptionPair) -> Verdict:
        if not self.languages:
            return KEEP
        if pair.language not in self.languages:
            return drop("wrong_language")
        return KEEP if pair.language_score >= self.min_score else drop("uncertain_language")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedCaption:
    """Drops captions that too many pairs have, all of them.

    Pairs that other rules on captions dropped are not counted.

    Source: COYO-700M (github.com/kakaobrain/coyo-dataset) drops texts that occur more than 10
    times.
    """

    name: ClassVar[str] = "repeated_caption"
    reasons: ClassVar[frozenset[str]] = frozenset({"repeated_caption"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    max_occurrences: int = 10

    def __post_init__(self) -> None:
        if self.max_occurrences < 1:
            raise ValueError(f"max_occurrences is {self.max_occurrences}, expected at least 1")

    def keep(self, pair: CaptionPair) -> Verdict:
        return judge(self.limits(), self.measure(pair))

    def limits(self) -> tuple[Limit, ...]:
        name = "repeated_caption.occurrences"
        return (at_most(name, self.max_occurrences, "repeated_caption"),)

    def measure(self, pair: CaptionPair) -> dict[str, float]:
        return {"repeated_caption.occurrences": float(pair.occurrences)}


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePair:
    """Keeps one of the pairs with the same picture and the same caption: that of the smallest id.

    Pictures are the same where their perceptual hashes are.

    Source: COYO-700M (github.com/kakaobrain/coyo-dataset) drops duplicates by perceptual hash and
    text.
    """

    name: ClassVar[str] = "duplicate_pair"
    reasons: ClassVar[frozenset[str]] = frozenset({"duplicate_pair"})

    def keep(self, pair: CaptionPair) -> Verdict:
        return KEEP if pair.is_first else drop("duplicate_pair")
