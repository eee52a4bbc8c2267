"""Named sets of thresholds, each number with its source beside it in `profiles/*.toml`."""

import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args

from openm3w import recipe
from openm3w.errors import RecipeError
from openm3w.filters.images.copies import Twins
from openm3w.filters.language import MIN_LANGUAGE_SCORE, Language, wanted
from openm3w.filters.optout import OptOut
from openm3w.filters.plugins import UserFilters
from openm3w.filters.registry import DocumentFilter, ImageFilter, TextFilter, Transform, nearest
from openm3w.filters.rules.assignment import AssignedRules
from openm3w.filters.rules.document import DocumentRules
from openm3w.filters.rules.duplicates import DuplicateRules
from openm3w.filters.rules.image import ImageRules
from openm3w.filters.rules.pages import PageRules
from openm3w.filters.rules.perplexity import PerplexityRules
from openm3w.filters.rules.quality import QualityRules
from openm3w.filters.rules.safety import SafetyRules
from openm3w.filters.rules.similarity import SimilarityRules
from openm3w.filters.rules.text import TextRules

FOLDER = Path(__file__).parent / "profiles"
Kind = Literal["interleaved", "caption"]
"""What a profile is for."""

T = TypeVar("T")
_BUILDS: dict[Kind, str] = {
    "interleaved": "documents (m3w build)",
    "caption": "captions (m3w captions build)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that decides which documents and images of a store are chosen."""

    description: str = ""
    language: str = "en"
    """ISO 639-1 code, or several with commas; `any` switches the choice off."""
    min_language_score: float = MIN_LANGUAGE_SCORE
    opt_out: OptOut = field(default_factory=OptOut)
    pages: PageRules = field(default_factory=PageRules)
    duplicates: DuplicateRules = field(default_factory=DuplicateRules)
    text: TextRules = field(default_factory=TextRules)
    image: ImageRules = field(default_factory=ImageRules)
    document: DocumentRules = field(default_factory=DocumentRules)
    assigned: AssignedRules = field(default_factory=AssignedRules)
    similarity: SimilarityRules = field(default_factory=SimilarityRules)
    safety: SafetyRules = field(default_factory=SafetyRules)
    perplexity: PerplexityRules = field(default_factory=PerplexityRules)
    quality: QualityRules = field(default_factory=QualityRules)
    filters: UserFilters = field(default_factory=UserFilters)

    def __post_init__(self) -> None:
        self._language_filter()
        if self.assigned.min_share and self.document.assignment != "bipartite":
            raise ValueError('assigned.min_share asks for document.assignment = "bipartite"')

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages wanted; none means any."""
        return wanted(self.language)

    def image_filters(self, similarity_model: str) -> tuple[ImageFilter, ...]:
        """Filters of single images, cheap before dear.

        Raises:
            RecipeError: similarity is asked for, and the model has no bound.
        """
        shipped = (
            *self.image.filters(),
            *self.safety.filters(),
            *self.similarity.filters(similarity_model),
        )
        return (*shipped, *self.filters.of("image"))

    def text_transforms(self) -> tuple[Transform, ...]:
        """What changes a page's text before it is judged, in order; images all stay."""
        return self.quality.transforms()

    def twins(self) -> tuple[Twins, ...]:
        """What drops images by others of the document that are left, before any of them moves."""
        return self.image.twins()

    def cuts(self) -> tuple[Transform, ...]:
        """What shortens a document once its text was judged and its images stand, in order."""
        shipped = (self.text.cap(), *self.document.window(), *self.document.most())
        return (*shipped, *self.filters.of("transform"))

    def page_filters(self) -> tuple[DocumentFilter, ...]:
        """Filters of the whole page, whatever becomes of its images; cheap before dear."""
        return (
            *self.pages.filters(),
            self.opt_out,
            *self.safety.document_filters(),
            self._language_filter(),
            *self.duplicates.filters(),
            *self.perplexity.filters(),
        )

    def document_filters(self, similarity_model: str) -> tuple[DocumentFilter, ...]:
        """Filters of what is left to write, images dropped and text cut.

        Raises:
            RecipeError: a share of assigned images is asked for, and the model has no bound.
        """
        shipped = (
            *self.document.filters(),
            *self.assigned.filters(similarity_model),
            *self.quality.document_filters(),
        )
        return (*shipped, *self.filters.of("document"))

    def text_filters(self) -> tuple[TextFilter, ...]:
        """Rules on the page's text before it is cut, cheap before dear."""
        shipped = (self.text.word_count(), *self.quality.filters())
        return (*shipped, *self.filters.of("text"))

    def _language_filter(self) -> Language:
        return Language(languages=self.languages, min_score=self.min_language_score)


def profile_names(kind: Kind | None = "interleaved") -> tuple[str, ...]:
    """The shipped profiles of that kind, or of all, sorted."""
    names = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return tuple(name for name in names if kind in (None, profile_kind(name)))


def profile_kind(name_or_path: str) -> Kind:
    """What the profile is for: interleaved documents, unless its file says `kind = "caption"`.

    Raises:
        RecipeError: there is no such profile, it is no TOML, or it names another kind.
    """
    path = profile_path(name_or_path)
    kind = recipe.read_table(str(path), FOLDER).get("kind", "interleaved")
    for known in get_args(Kind):
        if kind == known:
            return typing.cast("Kind", known)
    raise RecipeError(f"profile {path.name}: kind {kind!r}; there are {', '.join(get_args(Kind))}")


def profile_path(name_or_path: str) -> Path:
    """The TOML file of a shipped profile or of the user's own.

    Raises:
        RecipeError: there is no such profile; the message suggests the nearest name.
    """
    shipped = FOLDER / f"{name_or_path}.toml"
    if shipped.is_file() and shipped.parent == FOLDER:
        return shipped
    if Path(name_or_path).is_file():
        return Path(name_or_path)
    raise RecipeError(
        f"profile {name_or_path!r}: neither shipped nor a file"
        f"{nearest(name_or_path, profile_names(None))}"
    )


def names_its_language(name_or_path: str) -> bool:
    """Whether the profile is a file of the user's own that says a language.

    Raises:
        RecipeError: there is no such profile, or it is no TOML.
    """
    path = profile_path(name_or_path)
    return path.parent != FOLDER and "language" in recipe.read_table(str(path), FOLDER)


def load(cls: type[T], kind: Kind, name_or_path: str, overrides: Iterable[str]) -> T:
    """A profile of one kind as its dataclass; see `load_profile`.

    Raises:
        RecipeError: there is no such profile, it is of another kind, or it does not decode.
    """
    found = profile_kind(name_or_path)
    if found != kind:
        raise RecipeError(
            f"profile {name_or_path!r} is for {_BUILDS[found]}, this is for {_BUILDS[kind]}; "
            f"there are {', '.join(profile_names(kind))}"
        )
    table = recipe.read_table(str(profile_path(name_or_path)), FOLDER)
    table.pop("kind", None)
    overridden = recipe.apply_overrides(table, overrides)
    return recipe.decode(cls, overridden, where=f"profile {name_or_path}")


def load_profile(name_or_path: str, overrides: Iterable[str] = ()) -> Profile:
    """The profile of that name or in that TOML file, with `a.b=value` overrides put in.

    Raises:
        RecipeError: there is no such profile, it is one of captions, or it does not decode.
    """
    return load(Profile, "interleaved", name_or_path, overrides)
