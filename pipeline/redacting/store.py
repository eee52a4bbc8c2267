"""A build's store without what is buried: every job's tables, packs, samples and fetches."""

import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from openm3w.errors import InputError, OpenM3WError, ShardError
from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.redacting import fetched, ledgers, pages, pairs, reach
from openm3w.pipeline.redacting.meant import Meant
from openm3w.shards import commit, manifest
from openm3w.shards.catalog import cache
from openm3w.shards.catalog.dropped import DROPPED
from openm3w.shards.redaction import applying
from openm3w.shards.redaction.matching import find_edits

_BEGUN = "redacting.json"
"""In a store while it is purged: what else goes with what is buried. Tables lose what tells it one
after the other; it is removed when all have."""
_ABANDONED = 86_400.0
"""Seconds, as in a store of fetches (ours)."""


def meant_in(store: Path, tombstones: Tombstones) -> Meant:
    """What is meant in a store, as an attempt before noted it or as its ledgers tell it now.

    Raises:
        OutputError: a table is damaged, or the store cannot be written.
    """
    begun = commit.read_json(store / _BEGUN) or {}
    meant = Meant(
        tombstones=tombstones,
        keys=frozenset(begun.get("keys", ())),
        hashes=frozenset(begun.get("hashes", ())),
        pages=frozenset(begun.get("pages", ())),
    )
    for job, key in ((store / "images" / "packs", "url_key"), (store / "images", "image")):
        names, hashes = ledgers.pictures(job, key, meant)  # type: ignore[arg-type]
        meant = replace(meant, keys=meant.keys | names, hashes=meant.hashes | hashes)
    keys = meant.keys | reach.pictures(store, meant) | reach.pair_pictures(store, meant)
    return replace(
        meant,
        keys=keys | frozenset(map(url_key, reach.references(keys))),
        pages=meant.pages | frozenset(reach.addresses(store, meant)),
    )


def purge(store: Path, meant: Meant, memories: Sequence[Memory]) -> dict[str, int]:
    """Takes it out; how many rows of jobs and of fetches went, and samples of what was dropped.

    The same call ends what one before has begun.

    Raises:
        OutputError: a table is damaged, or a store cannot be written.
    """
    rows = dropped = 0
    if store.is_dir():
        begun = {name: sorted(getattr(meant, name)) for name in ("keys", "hashes", "pages")}
        again = (store / _BEGUN).exists()
        commit.write_json(store / _BEGUN, begun)
        rows = pages.purge(store, meant, again=again) + pairs.purge(store, meant, again=again)
        dropped = _remove_dropped(store / DROPPED, meant)
        _remove_left(store)
    asked = sum(fetched.purge(memory.blobs, meant) for memory in memories)
    (store / _BEGUN).unlink(missing_ok=True)
    return {"rows": rows, "fetched": asked, "dropped_samples": dropped}


def hide_dropped(store: Path, meant: Meant) -> None:
    """Hides what is meant in samples of dropped documents, until `purge` removes them.

    Raises:
        OutputError: the store cannot be written.
    """
    for each in sorted((store / DROPPED).glob("*")):
        with contextlib.suppress(ShardError, InputError):  # damaged: no viewer gives it out
            (sample,) = manifest.load(each)
            if edits := find_edits(sample, meant):
                applying.exclude(sample, edits)
                cache.forget(each)


def _remove_left(store: Path) -> None:
    """Removes what attempts of any job that were killed left half written, a day after."""
    for left in store.rglob(".*.tmp"):
        with contextlib.suppress(OSError):  # its writer may be quicker
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def _remove_dropped(folder: Path, meant: Meant) -> int:
    """Removes samples of dropped documents that have any of it; a build makes them again."""
    number = 0
    for each in sorted(folder.glob("*")):
        try:
            (sample,) = manifest.load(each)
            stays = not find_edits(sample, meant)
        except (OpenM3WError, ValueError):
            stays = False  # damaged, or half removed
        if not stays:
            shutil.rmtree(each, ignore_errors=True)
            cache.forget(each)
            number += 1
    return number
