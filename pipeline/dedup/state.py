"""What a run leaves for the next crawl's run, so that both mark what one run over both would.

A state is a folder. `state.json` names the crawls that are in it, each with the files of its
tables, and the settings under which keys and signatures were made; it is replaced last and as a
whole, so that a crawl is in the state or is not. A crawl's own rows alone are written: nothing
that is there is ever written again.

Of two runs that enter crawls at once the second to end is refused, since it did not see what the
first one left. A run that crashes before it enters its crawl leaves the state as it was.

All entries are kept, also those that were marked: a later crawl may have a newer capture of the
page before which they gave way.
"""

import contextlib
import dataclasses
import fcntl
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.filters.dedup.minhash import MinHash
from openm3w.shards import commit

VERSION = 2
"""Of the files, and of how keys, shingles and signatures are made."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_name(name: str, what: str) -> None:
    """Looks whether a folder of the state may be called so.

    Raises:
        RecipeError: it may not.
    """
    # A folder called state.json would stand where the state says what it is.
    if not _NAME.fullmatch(name) or name.endswith((".json", ".lock")):
        raise RecipeError(
            f"state: {what} {name!r} cannot be a folder's name; use letters, digits, '.', '_' and "
            "'-', and no name of a file"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """What one run put into the state."""

    name: str
    fingerprint: str
    """Of what it was made from: two runs of one name never share a file."""
    files: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """By table, relative to the state's folder."""

    def __post_init__(self) -> None:
        for field in ("name", "fingerprint"):
            check_name(getattr(self, field), field)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state as it stands on disk."""

    root: Path
    minhash: MinHash
    crawls: tuple[Crawl, ...] = ()

    @classmethod
    def read(cls, root: Path, minhash: MinHash) -> Self:
        """The state in a folder; an empty one where there is none yet.

        Raises:
            InputError: it was made under other settings or by another version, or is damaged.
        """
        path = root / "state.json"
        if not path.exists():
            return cls(root=root, minhash=minhash)
        value = commit.read_json(path)
        try:
            if value is None or value["version"] != VERSION:
                raise InputError(
                    f"{path}: expected a state of version {VERSION}; start a new folder"
                )
            settings = value["minhash"]
            crawls = tuple(_crawl(crawl) for crawl in value["crawls"])
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: is no state ({error!r}); start a new folder") from error
        if settings != dataclasses.asdict(minhash):
            raise InputError(
                f"{path}: made with minhash {settings}, not {dataclasses.asdict(minhash)}; "
                "use the same settings or start a new folder"
            )
        return cls(root=root, minhash=minhash, crawls=crawls)

    def before(self, name: str) -> tuple[Crawl, ...]:
        """The crawls that came before the one of this name: all where it is not in yet."""
        return tuple(itertools.takewhile(lambda crawl: crawl.name != name, self.crawls))

    def holds(self, crawl: Crawl) -> bool:
        """Whether this very run's crawl is in."""
        return (crawl.name, crawl.fingerprint) in {(c.name, c.fingerprint) for c in self.crawls}

    def files(self, table: str, *, before: str) -> list[str]:
        """Files of a table of the crawls that came before the one of this name.

        Raises:
            OutputError: a file is missing.
        """
        files = [
            str(self.root / name)
            for crawl in self.before(before)
            for name in crawl.files.get(table, ())
        ]
        for name in files:
            if not Path(name).is_file():
                raise OutputError(f"{name}: missing, but {self.root}/state.json names it")
        return files

    def folder(self, crawl: Crawl) -> Path:
        """Where a crawl's files go."""
        return self.root / crawl.name / crawl.fingerprint

    def commit(self, crawl: Crawl, tables: Iterable[str]) -> "State":
        """Enters a crawl whose tables are written; one of the same name gives way in its place.

        Raises:
            OutputError: the folder cannot be written, or the crawls before this one are others
                than when the run began.
        """
        with _locked(self.root):
            now = State.read(self.root, self.minhash)
            if now.before(crawl.name) != self.before(crawl.name):
                raise OutputError(
                    f"{self.root}/state.json: another run entered a crawl before {crawl.name} "
                    "meanwhile; run the same command again, which marks against it"
                )
            return _entered(now, crawl, tables)


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One process at a time; a lock that the system takes back from one that crashed."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / ".lock").open("ab")
    except OSError as error:
        raise OutputError(
            f"{root}: cannot be written: {error.strerror or error}; choose another dedup.state"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _crawl(value: Mapping[str, Any]) -> Crawl:
    files = {table: tuple(names) for table, names in value["files"].items()}
    for name in (Path(name) for names in files.values() for name in names):
        if name.is_absolute() or ".." in name.parts:
            raise TypeError(f"names {name}, which is outside the state")
    return Crawl(name=value["name"], fingerprint=value["fingerprint"], files=files)


def _entered(state: State, crawl: Crawl, tables: Iterable[str]) -> State:
    folder = state.folder(crawl)
    files = {
        table: tuple(
            str(path.relative_to(state.root)) for path in sorted(folder.glob(f"{table}-*"))
        )
        for table in tables
    }
    crawl = dataclasses.replace(crawl, files=files)
    crawls = [crawl if there.name == crawl.name else there for there in state.crawls]
    if crawl not in crawls:
        crawls.append(crawl)
    value: dict[str, Any] = {
        "version": VERSION,
        "minhash": dataclasses.asdict(state.minhash),
        "crawls": [dataclasses.asdict(one) for one in crawls],
    }
    commit.write_json(state.root / "state.json", value)
    return dataclasses.replace(state, crawls=tuple(crawls))
