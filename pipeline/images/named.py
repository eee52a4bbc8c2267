"""Files that a user names by `--images` because they may hold images."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openm3w.pipeline.sources import Source, find_sources

OPTION = "--images "

PlaceKind = Literal["folder", "tar", "archive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlace:
    """One folder, tar file or web archive that may hold images."""

    kind: PlaceKind
    path: Path
    name: str
    """Does not depend on this machine."""
    digest: str
    """Tells changed content from the same: of a folder, names and sizes of its image files."""

    @property
    def unit(self) -> str:
        """File name, without suffix, of what is committed for this place."""
        text = f"{self.kind} {self.name} {self.digest}"
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

    @property
    def identity(self) -> tuple[str, str, str]:
        """What of it decides what a build makes: not where it lies."""
        return self.kind, self.name, self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The web archives behind `--images`."""

    archives: tuple[ImagePlace, ...] = ()
    notes: tuple[str, ...] = ()
    """A line on each file that was passed over."""


def find_archives(values: Iterable[str], inputs: Iterable[Source]) -> Named:
    """The web archives behind files, folders, globs and path lists, in the order of names.

    One that is among a build's `inputs` is asked there already and is none of these.

    Raises:
        InputError: nothing is there, or a named file is empty, cannot be read or is no archive.
        NotBuiltError: a remote address, or a WACZ file.
    """
    named = list(values)
    if not named:
        return Named()
    found = find_sources(named, option=OPTION)
    known = {source.path.resolve() for source in inputs}
    skipped = [f"{OPTION}{', '.join(found.skipped)}: no web archives"] if found.skipped else []
    again = [s.name for s in found.archives if s.path.resolve() in known]
    twice = [f"{OPTION}{', '.join(again)}: an input already"] if again else []
    return Named(
        archives=tuple(
            ImagePlace(kind="archive", path=s.path, name=s.name, digest=s.digest)
            for s in found.archives
            if s.name not in again
        ),
        notes=(*skipped, *(f"{OPTION}{note}" for note in found.unreadable), *twice),
    )
