"""Filters of the user's own: modules that a recipe names, and what they register.

A filter that fails or misbehaves must be told from one that decides. `Checked` stands around each:
what a filter raises on one page is that page's failure; an answer that no filter may give is a
defect of the filter, and ends the build.
"""

import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from openm3w import recipe
from openm3w.errors import FilterError, OpenM3WError, RecipeError
from openm3w.filters import registry
from openm3w.filters.cut import Cut
from openm3w.filters.registry import Granularity, nearest
from openm3w.filters.verdict import Verdict
from openm3w.shards.document import Document, Image, Text

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def load_plugins(modules: Iterable[str]) -> None:
    """Imports modules that register filters; one that is imported already stays as it is.

    Raises:
        RecipeError: a module is not there, or its import fails, as where a name is taken.
    """
    for module in modules:
        try:
            with registry.all_or_nothing():
                importlib.import_module(module)
        except ModuleNotFoundError as error:
            hint = "; install it, or name its folder in PYTHONPATH" if error.name == module else ""
            raise RecipeError(f"plugins: {module}: {error}{hint}") from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever code of the user's raises
            raise RecipeError(f"plugins: {module}: {_one_line(error)}") from error


def source_digests(modules: Iterable[str]) -> dict[str, str]:
    """Module -> digest of the source of the package that it is in, or of itself.

    A filter may be changed in any file of its package, so all of them count.
    """
    return {module: _source_digest(module.partition(".")[0]) for module in modules}


@dataclass(frozen=True, slots=True)
class Checked:
    """A filter of the user's own, and what it may answer."""

    rule: Any

    @property
    def name(self) -> str:
        return str(self.rule.name)

    @property
    def reasons(self) -> frozenset[str]:
        found: frozenset[str] = self.rule.reasons
        return found

    def keep(self, *judged: Any) -> Verdict:
        """The filter's verdict.

        Raises:
            FilterError: the filter fell over what it was to judge.
            RecipeError: it gave no verdict, or one that it does not declare, or it changed what it
                judged.
        """
        verdict = self._asked(self.rule.keep, *judged)
        if not isinstance(verdict, Verdict):
            raise RecipeError(
                f"filter {self.name}: gave {verdict!r}, expected KEEP or drop(reason)"
            )
        if verdict.reason is not None and verdict.reason not in self.reasons:
            raise RecipeError(
                f"filter {self.name}: gave the reason {verdict.reason!r}, which is none of its "
                f"reasons ({', '.join(sorted(self.reasons))})"
            )
        return verdict

    def apply(self, document: Document) -> Cut:
        """What the transform leaves; raises as `keep` does."""
        cut = self._asked(self.rule.apply, document)
        if not isinstance(cut, Cut) or not isinstance(cut.document, Document):
            raise RecipeError(
                f"filter {self.name}: gave {type(cut).__name__}, expected a Cut of a document"
            )
        if not isinstance(cut.kept, tuple) or not all(isinstance(at, int) for at in cut.kept):
            raise RecipeError(f"filter {self.name}: kept {cut.kept!r}, expected a tuple of places")
        places = range(len(document.images))
        if list(cut.kept) != [at for at in places if at in set(cut.kept)]:
            raise RecipeError(f"filter {self.name}: kept {cut.kept}, of {len(places)} images")
        if len(cut.kept) != len(cut.document.images):
            raise RecipeError(f"filter {self.name}: kept does not name the images of its document")
        if len(cut.kept) < len(places) and len(self.reasons) != 1:
            raise RecipeError(f"filter {self.name}: cuts images off, so it needs one reason")
        return cut

    def _asked(self, answer: Callable[..., Any], *judged: Any) -> Any:
        whole = len(judged) == 1  # beside an image its document is looked at but for the spans
        before = [_state(each, spans=whole) for each in judged]
        try:
            found = answer(*judged)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever code of the user's raises
            raise FilterError(f"filter {self.name}: {_one_line(error)}") from error
        if before != [_state(each, spans=whole) for each in judged]:
            raise RecipeError(
                f"filter {self.name}: changed what it judges, of which others would judge then; "
                "a transform returns a Cut with a new document, dataclasses.replace makes one"
            )
        return found


def _state(judged: Any, *, spans: bool) -> tuple[Any, ...]:
    """What a filter could change of a frozen document or image, by way of its dictionary or not."""
    if not isinstance(judged, Document | Image | Text):
        return ()
    values = (getattr(judged, field.name, None) for field in fields(judged))
    own = tuple(dict(value) if isinstance(value, Mapping) else value for value in values)
    if not spans or not isinstance(judged, Document) or not isinstance(judged.spans, tuple):
        return own
    return (*own, *(_state(span, spans=False) for span in judged.spans))


class UserFilters(Mapping[str, Any]):
    """`[filters]` of a profile: the user's own filters that it switches on, by name, in order."""

    __slots__ = ("_chosen",)

    def __init__(self, chosen: Mapping[str, Any] | None = None) -> None:
        self._chosen = dict(chosen or {})

    def __getitem__(self, name: str) -> Any:
        return self._chosen[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chosen)

    def __len__(self) -> int:
        return len(self._chosen)

    def __repr__(self) -> str:
        return f"UserFilters({self._chosen!r})"

    @classmethod
    def from_table(cls, table: object, where: str) -> Self:
        """Decodes a table of tables, each into the filter that is registered under its name.

        Raises:
            RecipeError: a filter is unknown or cannot be switched on, or its bounds do not decode.
        """
        if not isinstance(table, Mapping):
            raise RecipeError(f"{where}: expected a table, found {table!r}")
        return cls({name: _made(name, bounds, where) for name, bounds in table.items()})

    def of(self, granularity: Granularity) -> tuple[Any, ...]:
        """Those that judge this, each a `Checked`, which has the form of any kind of filter."""
        chosen = self._chosen.values()
        return tuple(Checked(r) for r in chosen if registry.granularity(type(r)) == granularity)


def _made(name: str, bounds: Any, where: str) -> Any:
    cls = _own(name, where)
    try:
        return recipe.decode(cls, bounds, f"{where}.{name}")
    except (OpenM3WError, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever its __post_init__ raises
        raise RecipeError(f"{where}.{name}: {_one_line(error)}") from error


def _own(name: str, where: str) -> type[Any]:
    own = [known for known in registry.names() if not registry.is_shipped(registry.get(known))]
    if name not in registry.names():
        hint = nearest(name, own) if own else "; a module in `plugins` of the recipe registers it"
        raise RecipeError(f"{where}: no filter {name!r}{hint}")
    cls = registry.get(name)
    if name not in own:
        raise RecipeError(f"{where}: {name!r} is shipped and has its place in other tables")
    if registry.granularity(cls) == "page":
        raise RecipeError(f"{where}: {name!r} judges pages before they are parsed; no profile does")
    if defect := _defect(cls):
        raise RecipeError(f"{where}: {name!r} ({cls.__module__}.{cls.__qualname__}) {defect}")
    return cls


def _defect(cls: Any) -> str:
    """What keeps a class from being a filter, or ""."""
    parameters = getattr(cls, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        return "is no frozen dataclass"
    reasons = getattr(cls, "reasons", None)
    if not isinstance(reasons, frozenset) or not all(isinstance(each, str) for each in reasons):
        return "has no `reasons`, a frozenset of strings"
    words = (cls.name, *sorted(reasons))
    if odd := [word for word in words if not _SNAKE_CASE.fullmatch(word)]:
        return f"has a name or reason that is not in snake_case: {odd[0]!r}"
    return ""


def _source_digest(top: str) -> str:
    module = sys.modules.get(top)
    roots = [Path(root) for root in getattr(module, "__path__", ())]
    files = [(path.relative_to(root), path) for root in roots for path in root.rglob("*.py")]
    if not roots and (file := getattr(module, "__file__", None)):
        files = [(Path(Path(file).name), Path(file))]
    digest = hashlib.blake2b(digest_size=16)
    for name, path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{name.as_posix()}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
