"""What a viewer shows of many documents: `lang:en images:2.. similarity:0.2..0.4 red tram`.

A query is words and conditions. A condition is a name, a colon and a value, or for numbers a
range `low..high` with either end left out; both ends belong to it. All of them must hold. A word
with a `-` before it must not be there.
"""

import difflib
import math
import re
from dataclasses import dataclass, fields, replace
from typing import Self

from openm3w.errors import InputError

COLUMNS = {"images": "pictures of a document", "characters": "code points of its texts"}
"""Numbers of a document itself; all other numbers are by name in the scores."""

_ALIASES = {"lang": "language", "site": "domain", "picture": "images", "pictures": "images"}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?|({_NUMBER})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Bounds of a number, both inside."""

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        if self.low == self.high:
            return _written(self.low)
        return f"{_written(self.low)}..{_written(self.high)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Conditions that must all hold; an empty one is none."""

    words: tuple[str, ...] = ()
    """Each stands in the document: its title, address, texts, alternative texts or captions."""
    without: tuple[str, ...] = ()
    """None of these stands in it."""
    kind: str = ""
    split: str = ""
    dataset: str = ""
    """Name of a dataset of a mixture."""
    language: str = ""
    """ISO 639-1."""
    domain: str = ""
    """Of the page: the host itself, or a domain above it."""
    dropped: str = ""
    """Job and reason, or a part of them; of documents that a build left out."""
    key: str = ""
    """How the key begins."""
    ranges: tuple[tuple[str, Range], ...] = ()
    """Numbers by name: of the document (`COLUMNS`) or a score that it or one of its images has."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what a person types.

        Raises:
            InputError: a quote is not closed, a name is unknown, a number is none or a range empty.
        """
        query = cls()
        for part in _parts(text):
            name, colon, value = part.partition(":")
            name = _ALIASES.get(name.casefold(), name.casefold())
            if not colon or not name or value.startswith("//"):  # a URL is words
                if part.startswith("-") and part.strip("-"):
                    query = replace(query, without=(*query.without, part.removeprefix("-")))
                    continue
                query = replace(query, words=(*query.words, part))
            elif name in _TEXTS:
                query = replace(query, **{name: value})  # type: ignore[arg-type]
            elif found := _RANGE.fullmatch(value):
                query = replace(query, ranges=(*query.ranges, (name, _range(part, found))))
            else:
                raise _unknown(part, name)
        return query

    def __str__(self) -> str:
        named = [(name, getattr(self, name)) for name in sorted(_TEXTS)]
        parts = [f"{name}:{value}" for name, value in named if value]
        parts += [f"{name}:{bounds}" for name, bounds in self.ranges]
        words = (*self.words, *(f"-{word}" for word in self.without))
        return " ".join(f'"{part}"' if " " in part else part for part in (*parts, *words))

    def __bool__(self) -> bool:
        return self != type(self)()


_TEXTS = frozenset(each.name for each in fields(Query) if each.type is str)


def _parts(text: str) -> list[str]:
    # Double quotes alone, and no shlex: people write apostrophes inside words.
    if text.count('"') % 2:
        raise InputError(f"{text.strip()}: a quote is not closed")
    found = re.findall(r'(?:[^\s"]|"[^"]*")+', text)
    return [part.replace('"', "") for part in found]


def _range(part: str, found: re.Match[str]) -> Range:
    low, high, only = (None if end is None else float(end) for end in found.groups())
    if only is not None:
        return Range(low=only, high=only)
    bounds = Range(low=-math.inf if low is None else low, high=math.inf if high is None else high)
    if bounds.low > bounds.high:
        raise InputError(f"{part}: the range ends before it begins")
    return bounds


def _written(end: float) -> str:
    """The shortest text that reads as the same number; "" of a bound that is none."""
    return repr(end).removesuffix(".0") if math.isfinite(end) else ""


def _unknown(part: str, name: str) -> InputError:
    if name in COLUMNS or name in _ALIASES.values():
        return InputError(
            f"{part}: is no number or range of {name}; write {name}:2.. or {name}:2..5"
        )
    if name.startswith("-"):
        return InputError(f"{part}: only words can be left out by a -, as in -advertisement")
    near = difflib.get_close_matches(name, [*_TEXTS, *_ALIASES, *COLUMNS], n=1)
    if near:
        return InputError(f"{part}: no condition {name!r} (did you mean {near[0]!r}?)")
    return InputError(
        f"{part}: {name!r} is no condition, or its value is no number or range such as 0.2..0.4; "
        f"there are {', '.join(sorted(_TEXTS))}, images, characters and every score by its name"
    )
