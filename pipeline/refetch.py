"""Asking again for what is remembered, noted so that a run that was stopped goes on."""

import math
from pathlib import Path
from typing import Any

from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.fetch.settings import Refetch
from openm3w.shards import commit

_NOTE = "refetch.json"


def begin(store: Path, refetch: Refetch, older_than_seconds: float, now: float) -> Again:
    """What this run asks again for; `refetch` "" goes on with what was begun and not ended.

    `now`: seconds since 1970. What an earlier run asked again stays part of what a build is made
    from: without `--refetch` nothing of it is undone.

    Raises:
        OutputError: the store cannot be written.
    """
    note: dict[str, Any] = commit.read_json(store / _NOTE) or {}
    asked = (refetch, older_than_seconds if refetch == "older-than" else 0.0)
    is_open = bool(note) and not note["done"]
    if is_open and (not refetch or asked == (note["refetch"], note["older_than_seconds"])):
        return Again(
            refetch=note["refetch"],
            older_than_seconds=note["older_than_seconds"],
            since=note["since"],
        )
    if not refetch:
        return Again(since=note.get("since", 0.0))
    # Times are remembered in whole seconds: what was learned in this one is older.
    again = Again(refetch=refetch, older_than_seconds=asked[1], since=float(math.ceil(now)))
    _write(store, again, done=False)
    return again


def end(store: Path, again: Again) -> None:
    """Notes that everything was asked; the next `--refetch` begins anew.

    Raises:
        OutputError: the store cannot be written.
    """
    if again.refetch:
        _write(store, again, done=True)


def _write(store: Path, again: Again, *, done: bool) -> None:
    value = {
        "refetch": again.refetch,
        "older_than_seconds": again.older_than_seconds,
        "since": again.since,
        "done": done,
    }
    commit.write_json(store / _NOTE, value)
