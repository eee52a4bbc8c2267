"""The output of an edit: one command's, which finds it again, and nobody else's meanwhile."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import OutputError
from openm3w.shards import commit, published
from openm3w.shards.locking import is_lock, only_writer
from openm3w.shards.manifest import MANIFEST_NAME, Manifest

NOTES = ".edit"
"""Folder in the output, as long as it is not finished: whose it is, and what is written of it."""

_COMMAND = "command.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A folder that is ours while a block runs."""

    root: Path
    build: str
    """Digits of the command."""
    done: Manifest | None
    """What is there, where it is finished."""

    @property
    def notes(self) -> Path:
        return self.root / NOTES

    def end(self) -> None:
        """Takes the notes away, once the manifest stands."""
        shutil.rmtree(self.notes, ignore_errors=True)


@contextlib.contextmanager
def claimed(root: Path, build: str, parts: Sequence[Manifest]) -> Iterator[Output]:
    """Has `root` for the command `build` alone while the block runs.

    Raises:
        OutputError: it holds something else, or another command is writing to it, or it is one of
            the parts or inside a dataset.
    """
    _check_place(root, parts)
    with only_writer(root) as alone:
        notes = root / NOTES
        commit.check_folder(notes)
        noted = (commit.read_json(notes / _COMMAND) or {}).get("build", "")
        known = (commit.read_json(root / MANIFEST_NAME) or {}).get("build", "")
        others = [path for path in _listed(root) if path != notes and not is_lock(path)]
        if others and build not in (noted, known):
            what = "another dataset" if known else "files of something else"
            if noted:
                what = "what another command, or this one of other data, has begun to write"
            raise OutputError(f"{root}: holds {what}; choose another --output")
        if alone:  # now: each killed attempt left a shard's worth, which would pile up
            published.remove_left(root)
        done = published.finished(root) if known == build else None
        output = Output(root=root, build=build, done=done)
        if done is not None:
            output.end()  # where the command was killed before it did
        elif noted != build:
            output.end()
            commit.write_json(notes / _COMMAND, {"build": build})
        yield output


def _listed(root: Path) -> list[Path]:
    return list(root.iterdir()) if root.is_dir() else []


def _check_place(root: Path, parts: Sequence[Manifest]) -> None:
    if root.exists() and not root.is_dir():
        raise OutputError(f"{root}: is a file; choose another --output")
    if any(part.root.resolve() == root.resolve() for part in parts):
        raise OutputError(f"{root}: is what is read; choose another --output")
    published.check_outside(root, "--output")
