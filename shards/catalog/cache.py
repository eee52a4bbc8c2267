"""Where facts are kept: one file for each thing that was looked at, in the user's cache."""

import atexit
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

VARIABLE = "OPENM3W_CACHE"
"""Names another folder for what viewers keep."""

_ONE, _SEVERAL = "one", "mix"
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite writes beside a file."""


def folder() -> Path:
    """`$OPENM3W_CACHE`, else `openm3w` in the cache folder of the XDG specification."""
    if own := os.environ.get(VARIABLE):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openm3w"


def usable(place: Path) -> Path:
    """The folder, made where it is not there; a temporary one where it cannot be written.

    Only its owner may read it: it holds titles, addresses and words of what was crawled.
    """
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return _temporary()


def file_name(roots: Sequence[str], state: Sequence[str], *, chosen: str = "") -> str:
    """`KIND-ROOTS.STATE.sqlite`: of one place or several, which these are, and what was there.

    `chosen` names what of the places is looked at: another split has another file, so that both
    may be open.
    """
    kind = _ONE if len(roots) == 1 else _SEVERAL
    places = [*sorted(roots), f"split {chosen}"] if chosen else sorted(roots)
    return f"{kind}-{_digits(places)}.{_digits(state)}.sqlite"


def remove_older(place: Path, name: str) -> None:
    """Removes the facts of what was in the same places before."""
    roots = name.partition(".")[0]
    _remove(each for each in place.glob(f"{roots}.*.sqlite") if each.name != name)


def forget(root: Path, place: Path | None = None) -> None:
    """Removes what is kept of a dataset, of its files alone, and of mixtures that it is a part of.

    For deletion requests: titles, addresses and words of the documents are in it.
    """
    place, root = place or folder(), root.resolve()
    kinds = (_ONE, _SEVERAL)
    _remove(
        file
        for kind in kinds
        for file in sorted(place.glob(f"{kind}-*.sqlite"))
        if any(Path(each).is_relative_to(root) for each in _roots(file, unknown=str(root)))
    )


def _roots(file: Path, *, unknown: str) -> list[str]:
    """The places that a file of facts notes; `unknown` alone where it cannot be asked."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            return [root for (root,) in connection.execute("SELECT root FROM roots")] or [unknown]
    except sqlite3.Error:  # damaged, or of an earlier version: it may hold what has to go
        return [unknown]


def _remove(files: Iterable[Path]) -> None:
    for file in list(files):
        for ending in _BESIDE:
            file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)


def _digits(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


@cache
def _temporary() -> Path:
    place = Path(tempfile.mkdtemp(prefix="openm3w-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place
