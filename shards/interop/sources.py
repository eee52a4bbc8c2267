"""The files that an import reads, each with a name that does not depend on the machine."""

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import InputError
from openm3w.shards.interop.links import check_links
from openm3w.shards.ordering import is_split

_ENDS = 1 << 16
"""Bytes at either end of a file that tell it from another of its name and size: a Parquet file has
its index there, and a table that was written anew begins or ends differently."""
_VAL = re.compile(r"(?:val|validation|dev)(?:[-_.0-9]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, or a folder that is read as one."""

    path: Path
    name: str
    """Relative to what the user named, with `/`."""
    split: str

    @property
    def digest(self) -> str:
        """Hex digits over name, size and both ends."""
        seen = hashlib.sha256(f"{self.name}\n{self.split}\n".encode("utf-8", "surrogateescape"))
        for path in [self.path] if self.path.is_file() else sorted(_files(self.path)):
            size = path.stat().st_size
            seen.update(f"{path.name}\n{size}\n".encode("utf-8", "surrogateescape"))
            with path.open("rb") as file:
                seen.update(file.read(_ENDS))
                file.seek(max(size - _ENDS, 0))
                seen.update(file.read(_ENDS))
        return seen.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which files of a folder are a format's."""

    suffixes: tuple[str, ...]
    folders: tuple[str, ...] = ()
    """Suffixes of files that make one source of the folder that they are in; where a folder has
    none of `suffixes`."""
    beside: tuple[str, ...] = ()
    """Suffixes of files that are read where a folder has none of the others; there they are tables
    that tell of what the others hold."""
    split_of: Callable[[Path], str | None] | None = None
    """What the format itself says of a source's split."""


def find(
    named: Sequence[Path], layout: Layout, *, split: str | None = None, val: Sequence[Path] = ()
) -> list[Source]:
    """The sources behind files and folders, sorted by name.

    Args:
        named: What the user named.
        layout: Of the format.
        split: Of all of these; where None, what the format says of them, else `val` for files and
            folders named `val`, `validation` or `dev`, or `val-...` and so on, and `train` for all
            others, which is how HF `datasets` tells them too.
        val: More of them, whose documents are held out, as split `val`.

    Raises:
        InputError: there is no such file, a folder has none, or two have one name; a link leads
            out of a folder, or a split is called what no file can be.
    """
    found: list[Source] = []
    for place, of_place in [*((place, split) for place in named), *((it, "val") for it in val)]:
        for path, name in _paths(place, layout):
            told = of_place or (layout.split_of(path) if layout.split_of else None)
            by_name = "val" if any(map(_VAL.match, name.split("/"))) else "train"
            if not is_split(named_so := told or by_name):
                raise InputError(
                    f"{path}: {named_so!r} is no name of a split: letters, digits, ., - and _"
                )
            found.append(Source(path=path, name=name, split=named_so))
    found.sort(key=lambda source: source.name)
    for before, after in itertools.pairwise(found):
        if before.name == after.name:
            raise InputError(
                f"{after.path}: has the name of {before.path}, and ids are made of names; name "
                "the folder that holds both"
            )
    return found


def _paths(place: Path, layout: Layout) -> list[tuple[Path, str]]:
    if not place.exists():
        raise InputError(f"{place}: no such file or folder")
    if place.is_file():
        endings = (*layout.suffixes, *layout.beside)
        if not place.name.endswith(endings):
            raise InputError(f"{place}: expected a file that ends in {', '.join(endings)}")
        return [(place, place.name)]
    check_links(place)
    every = sorted(_files(place))
    for endings in (layout.suffixes, layout.folders, layout.beside):
        files = [path for path in every if path.name.endswith(endings)]
        paths = sorted({path.parent for path in files}) if endings is layout.folders else files
        if paths:
            base = place.parent if paths == [place] else place
            return [(path, path.relative_to(base).as_posix()) for path in paths]
    wanted = ", ".join((*layout.suffixes, *layout.folders, *layout.beside))
    raise InputError(f"{place}: no file in it ends in {wanted}")


def _files(folder: Path) -> Iterable[Path]:
    """All files of a folder but hidden ones and those of hidden folders, as `.nv-meta`."""
    for path in folder.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not is_hidden and path.is_file():
            yield path
