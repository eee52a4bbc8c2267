"""TextRecipe: everything that decides what a text build makes."""

from dataclasses import dataclass, field
from pathlib import Path

from openm3w import recipe
from openm3w.filters.language import MIN_LANGUAGE_SCORE, Language
from openm3w.filters.optout import OptOut
from openm3w.filters.screen import Screen
from openm3w.filters.text import MAX_WORDS, CapText, WordCount
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.recipe import Extract

RECIPES = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much text is enough; inclusive."""

    min_words: int = 50
    """Gopher (arXiv:2112.11446), table A1."""
    max_words: int = MAX_WORDS
    """Gopher's bound; longer texts are dropped there and cut here. 0 is no bound."""

    def __post_init__(self) -> None:
        if self.min_words < 1 or self.max_words < 0:
            raise ValueError("min_words must be at least 1 and max_words at least 0")
        if 0 < self.max_words < self.min_words:
            raise ValueError(f"min_words {self.min_words} is above max_words {self.max_words}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards(recipes.Shards):
    """How kept texts are laid out; without URLs, `val_share` is of the texts."""

    samples_per_shard: int = 20_000
    """At some 5 kB a text 100 MB and more: within the 100 MB to 1 GB that loaders like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecipe:
    """A build of text."""

    name: str = "text"
    language: str = "en"
    """ISO 639-1 code, or `any`."""
    min_language_score: float = MIN_LANGUAGE_SCORE
    """FineWeb (arXiv:2406.17557); not looked at where the language is `any`."""
    max_failed_share: float = 0.1
    """More failed records or texts than this end the build: something is wrong with the set-up."""
    text: Bounds = field(default_factory=Bounds)
    screen: Screen = field(default_factory=lambda: Screen(needs_image=False))
    extract: Extract = field(default_factory=Extract)
    opt_out: OptOut = field(default_factory=lambda: OptOut(directives=("noai", "noindex")))
    """What pages say of their text; `noimageai` speaks of images."""
    shards: Shards = field(default_factory=Shards)

    def __post_init__(self) -> None:
        if not self.language:
            raise ValueError("language is empty; name a code as 'en', or 'any'")
        self.language_filter()

    def language_filter(self) -> Language:
        """The filter that the language asks for."""
        languages = () if self.language == "any" else (self.language,)
        return Language(languages=languages, min_score=self.min_language_score)

    def word_count(self) -> WordCount:
        """The filter of texts too short; what is too long was cut before."""
        return WordCount(min_words=self.text.min_words, max_words=1 << 62)

    def cap(self) -> CapText:
        """What cuts texts too long."""
        return CapText(max_paragraph_words=0, max_document_words=self.text.max_words)


def load(name: str = "text", overrides: tuple[str, ...] = ()) -> TextRecipe:
    """A shipped recipe or a TOML file, with `a.b=value` overrides.

    Raises:
        RecipeError: it does not decode; unknown keys are named with the nearest known one.
    """
    return recipe.load(name, RECIPES, TextRecipe, overrides)
