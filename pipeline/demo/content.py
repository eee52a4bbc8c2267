"""What the demo's archive says, read from the tables beside this module.

`pictures.toml` names cuttings of photographs with words that are true of them, `pages.toml` the
pages made of both, `stories.toml` the patterns of the text source.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from openm3w import recipe

FOLDER = Path(__file__).parent
PICTURE_MARK = "@"
"""A paragraph that begins with it names a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A cutting of a photograph, and what is to be seen on it."""

    photo: str
    """File name in scikit-image's data folder."""
    alt: str
    caption: str
    more: tuple[str, ...] = ()
    """Further captions, for the caption source."""
    box: tuple[float, ...] = ()
    """Left, top, right, bottom as shares of the photograph; all of it where empty."""
    flip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """A page of the archive: paragraphs, and between them pictures as `@name`."""

    url: str
    template: str
    title: str
    body: tuple[str, ...]
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Paragraphs whose `{slots}` are filled with one of their words each."""

    copies: int
    """How many texts it makes."""
    patterns: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All of it."""

    pictures: Mapping[str, Picture]
    pages: tuple[PageText, ...]
    stories: tuple[Story, ...] = field(default=())


@functools.lru_cache(maxsize=1)
def load() -> Content:
    """The shipped tables.

    Raises:
        RecipeError: one of them does not decode.
    """
    table: dict[str, object] = {}
    for name in ("pictures", "pages", "stories"):
        table |= tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return recipe.decode(Content, table, "the demo's content")
