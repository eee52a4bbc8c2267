"""Named sets of thresholds, each number with its source beside it in `profiles/*.toml`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from openm3w import recipe
from openm3w.errors import NotBuiltError, RecipeError
from openm3w.filters.image import (
    MAX_ASPECT,
    MAX_PIXELS,
    MIN_GREY_DEVIATION,
    MIN_SIDE,
    Aspect,
    MaxPixels,
    MinSide,
    SingleColour,
)
from openm3w.filters.interleaving import (
    MAX_IMAGES,
    SINGLE_IMAGE_SHARE,
    HasImage,
    Interspersed,
    MaxImages,
    SingleImage,
)
from openm3w.filters.language import MIN_LANGUAGE_SCORE, Language
from openm3w.filters.optout import OptOut
from openm3w.filters.quality.rules import QualityRules
from openm3w.filters.registry import DocumentFilter, ImageFilter, TextFilter, Transform, nearest
from openm3w.filters.similarity import MIN_SIMILARITY, Similarity, bound_for
from openm3w.filters.text import (
    MAX_DOCUMENT_WORDS,
    MAX_PARAGRAPH_WORDS,
    MAX_WORDS,
    MIN_WORDS,
    CapText,
    WordCount,
)
from openm3w.filters.window import Window

FOLDER = Path(__file__).parent / "profiles"
PLANNED = (
    *("obelics", "mmc4", "mmc4-core", "mint1t", "omnicorpus"),
    *("laion", "coyo", "datacomp"),
)
"""Profiles of the design that this version refuses."""

SIMILARITY_BOUNDS: Mapping[str, float] = {
    "openclip:ViT-L-14/openai": MIN_SIMILARITY,
    # Provisional: separates matched from mismatched captions best on the photographs that its head
    # was tested on; no published number exists for this model.
    "lit": 0.15,
}
"""Beginning of a model id -> bound."""

_ANY = "any"
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """Bounds on text; see `WordCount` and `CapText`."""

    min_words: int = MIN_WORDS
    max_words: int = MAX_WORDS
    max_paragraph_words: int = MAX_PARAGRAPH_WORDS
    """0: no cap."""
    max_document_words: int = MAX_DOCUMENT_WORDS
    """0: no cap."""

    def __post_init__(self) -> None:
        if self.min_words < 1:
            raise ValueError(f"min_words is {self.min_words}, expected at least 1")
        self.word_count()
        self.cap()

    def word_count(self) -> WordCount:
        return WordCount(min_words=self.min_words, max_words=self.max_words)

    def cap(self) -> CapText:
        return CapText(
            max_paragraph_words=self.max_paragraph_words,
            max_document_words=self.max_document_words,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """Bounds on each image; see `openm3w.filters.image`."""

    min_side: int = MIN_SIDE
    max_aspect: float = MAX_ASPECT
    min_grey_deviation: float = MIN_GREY_DEVIATION
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        self.filters()

    def filters(self) -> tuple[ImageFilter, ...]:
        return (
            MinSide(min_side=self.min_side),
            MaxPixels(max_pixels=self.max_pixels),
            Aspect(max_aspect=self.max_aspect),
            SingleColour(min_grey_deviation=self.min_grey_deviation),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRules:
    """How many images, where they stand, and the window; see `openm3w.filters.interleaving`."""

    max_images: int = MAX_IMAGES
    interspersed: bool = True
    single_image_share: float = SINGLE_IMAGE_SHARE
    """Share of the single-image documents that stay; 1: all."""
    window_tokens: int = 0
    """Length of M3W's window; 0: none."""
    seed: int = 0
    """Of the sampling of single-image documents and of the window's place."""

    def __post_init__(self) -> None:
        if self.window_tokens < 0:
            raise ValueError(f"window_tokens is {self.window_tokens}, expected 0 (none) or more")
        self.filters()
        MaxImages(max_images=self.max_images)

    def filters(self) -> tuple[DocumentFilter, ...]:
        interspersed = (Interspersed(),) if self.interspersed else ()
        single = SingleImage(share=self.single_image_share, seed=self.seed)
        return (HasImage(), *interspersed, single)

    def window(self) -> tuple[Window, ...]:
        if not self.window_tokens:
            return ()
        return (Window(tokens=self.window_tokens, seed=self.seed),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityRules:
    """Whether images are chosen by similarity, and the bound for each model."""

    enabled: bool = False
    bounds: Mapping[str, float] = field(default_factory=lambda: dict(SIMILARITY_BOUNDS))
    """Beginning of a model id -> bound, inclusive; see `bound_for`."""

    def __post_init__(self) -> None:
        for bound in self.bounds.values():
            Similarity(min_similarity=bound)

    def filters(self, model_id: str) -> tuple[ImageFilter, ...]:
        """The filter for scores of `model_id`; none where similarity is switched off.

        Raises:
            RecipeError: no bound is known for this model.
        """
        if not self.enabled:
            return ()
        return (Similarity(min_similarity=bound_for(self.bounds, model_id)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that decides which documents and images of a store are chosen."""

    description: str = ""
    language: str = "en"
    """ISO 639-1 code, or several with commas; `any` switches the choice off."""
    min_language_score: float = MIN_LANGUAGE_SCORE
    opt_out: OptOut = field(default_factory=OptOut)
    text: TextRules = field(default_factory=TextRules)
    image: ImageRules = field(default_factory=ImageRules)
    document: DocumentRules = field(default_factory=DocumentRules)
    similarity: SimilarityRules = field(default_factory=SimilarityRules)
    quality: QualityRules = field(default_factory=QualityRules)

    def __post_init__(self) -> None:
        for code in self.languages:
            if not _LANGUAGE.fullmatch(code):
                raise ValueError(
                    f"language is {self.language!r}, expected a code as 'en', several as 'en,de', "
                    f"or {_ANY!r}"
                )
        self._language_filter()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages wanted; none means any."""
        if self.language == _ANY:
            return ()
        return tuple(code.strip() for code in self.language.split(","))

    def image_filters(self, similarity_model: str) -> tuple[ImageFilter, ...]:
        """Filters of single images, cheap before dear.

        Raises:
            RecipeError: similarity is asked for, and the model has no bound.
        """
        return (*self.image.filters(), *self.similarity.filters(similarity_model))

    def transforms(self) -> tuple[Transform, ...]:
        """What shortens a document, in order."""
        most = MaxImages(max_images=self.document.max_images)
        return (*self.quality.transforms(), self.text.cap(), *self.document.window(), most)

    def document_filters(self) -> tuple[DocumentFilter, ...]:
        """Filters of the shortened document, cheap before dear."""
        return (
            self.opt_out,
            self._language_filter(),
            *self.document.filters(),
            self.text.word_count(),
            *self.quality.document_filters(),
        )

    def text_filters(self) -> tuple[TextFilter, ...]:
        """Rules on the shortened document's text, cheap before dear."""
        return self.quality.filters()

    def _language_filter(self) -> Language:
        return Language(languages=self.languages, min_score=self.min_language_score)


def profile_names() -> tuple[str, ...]:
    """The shipped profiles, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def profile_path(name_or_path: str) -> Path:
    """The TOML file of a shipped profile or of the user's own.

    Raises:
        RecipeError: there is no such profile; the message suggests the nearest name.
        NotBuiltError: the profile is planned.
    """
    if name_or_path in profile_names():
        return FOLDER / f"{name_or_path}.toml"
    if Path(name_or_path).is_file():
        return Path(name_or_path)
    if name_or_path in PLANNED:
        raise NotBuiltError(
            f"profile {name_or_path!r} is planned, this version does not have it yet; "
            f"there are {', '.join(profile_names())}"
        )
    raise RecipeError(
        f"profile {name_or_path!r}: neither shipped nor a file"
        f"{nearest(name_or_path, profile_names())}"
    )


def load_profile(name_or_path: str, overrides: Iterable[str] = ()) -> Profile:
    """The profile of that name or in that TOML file, with `a.b=value` overrides put in.

    Raises:
        RecipeError: there is no such profile, or it does not decode.
        NotBuiltError: the profile is planned.
    """
    table = recipe.read_table(str(profile_path(name_or_path)), FOLDER)
    overridden = recipe.apply_overrides(table, overrides)
    return recipe.decode(Profile, overridden, where=f"profile {name_or_path}")
