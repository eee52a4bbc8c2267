"""All filters by name, so that commands, the docs page and tests see every one of them.

What a filter judges is read off the parameters of its `keep`: `(document)`, `(image, document)`,
`(text)` for rules on the text alone, `(pair)` for an image with a caption, or `(facts)` for what is
known of a page before it is parsed.
Transforms stand beside the filters: they shorten a document instead of dropping it.
"""

import contextlib
import difflib
import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

from openm3w.errors import RecipeError
from openm3w.filters.limits import Limit, Measures
from openm3w.filters.verdict import Verdict

if TYPE_CHECKING:  # who registers a filter needs no text facts, whose expressions take a while
    from openm3w.filters.cut import Cut
    from openm3w.filters.quality.facts import TextFacts
    from openm3w.shards.document import Document, Image

Granularity = Literal["page", "image", "transform", "document", "text", "pair"]
"""In the order in which a document meets them."""

_GRANULARITIES: dict[tuple[str, ...], Granularity] = {
    ("facts",): "page",
    ("document",): "document",
    ("image", "document"): "image",
    ("text",): "text",
    ("pair",): "pair",
}


class DocumentFilter(Protocol):
    """Keeps or drops a whole document; a frozen dataclass whose fields are its bounds."""

    name: ClassVar[str]
    reasons: ClassVar[frozenset[str]]

    def keep(self, document: "Document") -> Verdict: ...


class ImageFilter(Protocol):
    """Keeps or drops one image; dropping it leaves the document in place."""

    name: ClassVar[str]
    reasons: ClassVar[frozenset[str]]

    def keep(self, image: "Image", document: "Document") -> Verdict: ...


class TextFilter(Protocol):
    """Keeps or drops a document by its text alone."""

    name: ClassVar[str]
    reasons: ClassVar[frozenset[str]]

    def keep(self, text: "TextFacts") -> Verdict: ...


@runtime_checkable
class MeasuringTextFilter(TextFilter, Protocol):
    """One whose decision is a comparison of numbers; see `openm3w.filters.limits.Measured`."""

    measuring: ClassVar[frozenset[str]]

    def measure(self, text: "TextFacts") -> Measures: ...

    def limits(self) -> tuple[Limit, ...]: ...


class PairFilter(Protocol):
    """Keeps or drops an image with a caption."""

    name: ClassVar[str]
    reasons: ClassVar[frozenset[str]]

    def keep(self, pair: Any) -> Verdict: ...


class Transform(Protocol):
    """Shortens a document; images that are cut off get the one reason it declares.

    One that cuts no image off declares none.
    """

    name: ClassVar[str]
    reasons: ClassVar[frozenset[str]]

    def apply(self, document: "Document") -> "Cut": ...


Filter = TypeVar("Filter", bound=type[Any])

_FILTERS: dict[str, type[Any]] = {}
"""What was registered so far; `_all` has every filter."""


def register(cls: Filter) -> Filter:
    """Class decorator that enters a filter under its `name`.

    Raises:
        ValueError: the name is taken.
        TypeError: neither `keep` nor `apply` has one of the known signatures.
    """
    granularity(cls)
    if cls.name in (_FILTERS if is_shipped(cls) else _all()):
        raise ValueError(f"filter {cls.name!r} is registered twice: choose another name")
    _FILTERS[cls.name] = cls
    return cls


def get(name: str) -> type[Any]:
    """The filter class called `name`.

    Raises:
        RecipeError: there is none; the message suggests the nearest name.
    """
    try:
        return _all()[name]
    except KeyError:
        raise RecipeError(f"no filter {name!r}{nearest(name, _all())}") from None


def is_shipped(cls: type[Any]) -> bool:
    """Whether a filter is one of OpenM3W's, and not the user's own."""
    return cls.__module__.startswith("openm3w.")


@contextlib.contextmanager
def all_or_nothing() -> Iterator[None]:
    """Takes back what was registered in the block where the block fails."""
    before = dict(_all())
    try:
        yield
    except BaseException:
        _FILTERS.clear()
        _FILTERS.update(before)
        raise


def names() -> tuple[str, ...]:
    """Every registered name, sorted."""
    return tuple(sorted(_all()))


def _all() -> dict[str, type[Any]]:
    """What is registered, with every filter that is shipped."""
    # Here, since all of these modules import this one.
    from openm3w.filters import shipped  # noqa: F401

    return _FILTERS


def granularity(cls: type[Any]) -> Granularity:
    """What the filter class judges.

    Raises:
        TypeError: neither `keep` nor `apply` has one of the known signatures.
    """
    if "apply" in vars(cls):
        return "transform"
    parameters = tuple(inspect.signature(cls.keep).parameters)[1:] if "keep" in vars(cls) else ()
    try:
        return _GRANULARITIES[parameters]
    except KeyError:
        raise TypeError(
            f"{cls.__name__}: expected keep(document), keep(image, document), keep(text), "
            "keep(facts), keep(pair) or apply(document)"
        ) from None


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an error message: the nearest name, else all of them."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(choices)}"
