"""img2dataset's tables beside shards of captions, for the shards that are made of them.

Rows of samples are made again from the samples, as a build makes them. Rows of pairs that came to
no sample stand in the tables alone: each goes with the sample that it stood after, so that every
pair is in one table still. They are noted on disk by new shard, since of some crawls they are as
many as the samples.
"""

import json
import os
import shutil
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w.errors import ShardError
from openm3w.shards import caption_tables, commit, reader
from openm3w.shards.editing.cutting import Cut
from openm3w.shards.editing.keeping import Kept
from openm3w.shards.editing.sources import Sources
from openm3w.shards.manifest import Manifest
from openm3w.shards.storage import Location
from openm3w.shards.writer import ShardEntry

_DONE = "done.json"
_LINES = 10_000
"""Rows in memory before they are noted, some 5 MB."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Rows that wait for their new shard, in a folder of the edit's own."""

    folder: Path
    columns: Mapping[str, str]

    def rows(self, cut: Cut, samples: Mapping[int, Row]) -> list[Row]:
        """The rows beside a new shard, in order; `samples` are those of its samples by number."""
        before: dict[int, list[Row]] = {}
        after: dict[int, list[Row]] = {}
        for number, comes_after, row in _lines(_path(self.folder, cut)):
            (after if comes_after else before).setdefault(number, []).append(row)
        return [
            row
            for number in cut.numbers
            for row in (*before.get(number, ()), samples[number], *after.get(number, ()))
        ]

    def write(self, output: Path, cut: Cut, samples: Mapping[int, Row]) -> dict[str, int]:
        """Commits table and statistics beside a new shard; their sizes by URL.

        Raises:
            OutputError: the output cannot be written.
        """
        return caption_tables.write(output, cut.url, self.rows(cut, samples), self.columns)


def gather(sources: Sources, kept: Kept, cuts: Sequence[Cut], folder: Path) -> Tables | None:
    """Notes the rows of pairs that came to no sample; None where a shard has no table.

    Raises:
        ShardError: a table is damaged, or of another tar.
        OutputError: the folder cannot be written.
    """
    paths = [_table(part, shard) for part, shard in sources.shards]
    if not paths or not all(path.is_file() for path in paths):
        return None
    tables = Tables(folder=folder, columns=caption_tables.columns_of(paths))
    if commit.read_json(folder / _DONE) is None:
        shutil.rmtree(folder, ignore_errors=True)
        _note_all(_Places(sources, kept, cuts), paths, folder)
        commit.write_json(folder / _DONE, {})
    return tables


def _table(part: Manifest, shard: ShardEntry) -> Location:
    return part.root / caption_tables.names(shard.url)[0]


def _note_all(places: "_Places", paths: Sequence[Location], folder: Path) -> None:
    waiting: dict[Path, list[str]] = {}
    held = 0
    for at, path in enumerate(paths):
        for number, comes_after, row in _missed(places, at, path):
            line = json.dumps([number, comes_after, row], ensure_ascii=False, default=str)
            waiting.setdefault(_path(folder, places.cut_of(number)), []).append(line)
            held += 1
            if held == _LINES:
                _append(waiting, folder)
                held = 0
    _append(waiting, folder)
    _sync(folder)


def _append(waiting: dict[Path, list[str]], folder: Path) -> None:
    with commit.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, lines in waiting.items():
            with path.open("a", encoding="utf-8", errors="surrogatepass") as file:
                file.writelines(f"{line}\n" for line in lines)
    waiting.clear()


def _sync(folder: Path) -> None:
    """Has all rows on disk before `done.json` says so, each file once."""
    with commit.writing(folder):
        for path in folder.glob("*.jsonl"):
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _lines(path: Path) -> Iterator[tuple[int, bool, Row]]:
    with ExitStack() as stack:
        if path.is_file():
            file = stack.enter_context(path.open(encoding="utf-8", errors="surrogatepass"))
            for line in file:
                number, comes_after, row = json.loads(line)
                yield number, comes_after, row


def _path(folder: Path, cut: Cut) -> Path:
    return folder / f"{cut.split}-{cut.index:06d}.jsonl"


class _Places:
    """Where samples come to, and which of those that stay is next to one."""

    def __init__(self, sources: Sources, kept: Kept, cuts: Sequence[Cut]) -> None:
        self.sources = sources
        self._marks = kept.marks
        self._cuts = cuts
        self._cut_of = array("L", bytes(array("L").itemsize * len(sources)))
        for at, cut in enumerate(cuts):
            for number in cut.numbers:
                self._cut_of[number] = at

    def cut_of(self, number: int) -> Cut:
        """The new shard of a sample that stays."""
        return self._cuts[self._cut_of[number]]

    def beside(self, at: int, index: int) -> tuple[int, bool]:
        """Beside which sample a row goes that stood after sample `index` of shard `at`.

        -1: before the first. And whether it comes after that one.
        """
        numbers = self.sources.numbers(at)
        for number in range(numbers.start + index, numbers.start - 1, -1):
            if self._marks[number]:
                return number, True
        found = self._marks.find(1, numbers.start)
        return (found, False) if found >= 0 else (self._marks.rfind(1), True)


def _missed(places: _Places, at: int, path: Location) -> Iterator[tuple[int, bool, Row]]:

    index = {key: i for i, key in enumerate(reader.read_keys(*places.sources.shards[at]))}
    last = -1
    for row in caption_tables.read(path):
        if row["status"] != caption_tables.SUCCESS:
            number, comes_after = places.beside(at, last)
            yield number, comes_after, row
        elif (key := row["key"]) in index:
            last = index[key]
        else:
            raise ShardError(
                f"{path}: has a row of {key!r}, which its tar has not; it is another's"
            )
