"""Profiles of caption builds: other tables than those of documents, from files of the same kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openm3w.filters.captions import (
    CaptionLanguage,
    CaptionScores,
    CaptionText,
    DuplicatePair,
    RepeatedCaption,
)
from openm3w.filters.images.copies import EvaluationImages
from openm3w.filters.images.look import MIN_GREY_DEVIATION
from openm3w.filters.images.size import MAX_ASPECT, MIN_SIDE
from openm3w.filters.language import ANY, wanted
from openm3w.filters.profiles import load


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRules:
    """Bounds on captions; see `openm3w.filters.captions`. 0 is no bound."""

    min_characters: int = 5
    max_characters: int = 1000
    min_words: int = 0
    max_words: int = 0
    max_occurrences: int = 0
    """Pairs that may have the same caption."""
    drop_duplicates: bool = False
    """Of pairs with the same picture and caption keep one."""

    def __post_init__(self) -> None:
        if self.max_occurrences < 0:
            raise ValueError(f"max_occurrences is {self.max_occurrences}, expected 0 or more")
        self.text()

    def text(self) -> CaptionText:
        return CaptionText(
            min_characters=self.min_characters,
            max_characters=self.max_characters,
            min_words=self.min_words,
            max_words=self.max_words,
        )

    def repeated(self) -> tuple[RepeatedCaption, ...]:
        most = self.max_occurrences
        return (RepeatedCaption(max_occurrences=most),) if most else ()

    def duplicates(self) -> tuple[DuplicatePair, ...]:
        return (DuplicatePair(),) if self.drop_duplicates else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionImageRules:
    """Bounds on images with captions; all are inclusive."""

    min_side: int = MIN_SIDE
    """Pixels of the shorter side."""
    max_aspect: float = MAX_ASPECT
    """Longer over shorter side."""
    min_grey_deviation: float = MIN_GREY_DEVIATION
    """Single-coloured pictures go. 0 is no bound."""
    min_crawled_bytes: int = 5_000
    """Of images out of web archives. Files that somebody gathered are often small on purpose and
    are not bound by it."""
    evaluation_distance: int = -1
    """Bits of a perceptual hash up to which a picture is one of an evaluation set; -1 is no bound.
    The recipe names the sets."""

    def __post_init__(self) -> None:
        self.evaluation()
        if self.min_side < 1 or not self.max_aspect >= 1:
            raise ValueError(
                f"min_side {self.min_side}, max_aspect {self.max_aspect}: expected at least 1 each"
            )
        if self.min_crawled_bytes < 0 or not self.min_grey_deviation >= 0:
            raise ValueError("min_crawled_bytes and min_grey_deviation: expected 0 or more")

    def evaluation(self) -> tuple[EvaluationImages, ...]:
        """What judges a picture by its distance to evaluation sets."""
        if self.evaluation_distance == -1:
            return ()
        return (EvaluationImages(distance=self.evaluation_distance),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionProfile:
    """Everything that decides which pairs of a caption build are kept."""

    description: str = ""
    language: str = ANY
    """ISO 639-1 code of captions, or several with commas; `any` switches the choice off."""
    min_language_score: float = 0.0
    """Of the captions' language; see `CaptionLanguage`."""
    captions: CaptionRules = field(default_factory=CaptionRules)
    images: CaptionImageRules = field(default_factory=CaptionImageRules)
    scores: Mapping[str, float] = field(default_factory=dict)
    """Bounds by the names of `openm3w.filters.captions.SCORES`."""

    def __post_init__(self) -> None:
        self.row_filters()
        self.language_filters()

    def row_filters(self) -> tuple[CaptionText, CaptionScores]:
        """What judges a pair by its row."""
        return (self.captions.text(), CaptionScores(bounds=self.scores))

    def language_filters(self) -> tuple[CaptionLanguage, ...]:
        """What judges a pair by its caption's language; none where any is wanted."""
        rule = CaptionLanguage(languages=wanted(self.language), min_score=self.min_language_score)
        return (rule,) if rule.languages else ()

    def corpus_filters(self) -> tuple[RepeatedCaption | DuplicatePair, ...]:
        """What judges a pair beside all others, in order."""
        return (*self.captions.repeated(), *self.captions.duplicates())


def load_caption_profile(name_or_path: str, overrides: Iterable[str] = ()) -> CaptionProfile:
    """The caption profile of that name or in that TOML file, with `a.b=value` overrides.

    Raises:
        RecipeError: there is no such profile, it is one of documents, or it does not decode.
    """
    return load(CaptionProfile, "caption", name_or_path, overrides)
