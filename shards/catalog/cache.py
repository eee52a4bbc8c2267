"""Where facts are kept: one file for each folder that was looked at, in the user's cache."""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
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


def file_name(roots: Sequence[str], state: Sequence[str]) -> str:
    """`KIND-ROOTS.STATE.sqlite`: of one place or several, which these are, and what was there."""
    kind = _ONE if len(roots) == 1 else _SEVERAL
    return f"{kind}-{_digits(sorted(roots))}.{_digits(state)}.sqlite"


def remove_older(place: Path, name: str) -> None:
    """Removes the facts of what was in the same folders before."""
    roots = name.partition(".")[0]
    _remove(each for each in place.glob(f"{roots}.*.sqlite") if each.name != name)


def forget(root: Path, place: Path | None = None) -> None:
    """Removes what is kept of a dataset, and of every mixture, of which it may be a part.

    For deletion requests: titles, addresses and words of the documents are in it.
    """
    place = place or folder()
    _remove(place.glob(f"{_ONE}-{_digits([str(root.resolve())])}.*.sqlite"))
    _remove(place.glob(f"{_SEVERAL}-*.sqlite"))


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
