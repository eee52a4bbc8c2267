"""A store of fetches by what a user calls it, and what a user buries in it."""

from collections.abc import Mapping, Sequence

from openm3w.errors import InputError
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.marker import check
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones, read_list
from openm3w.shards.uris import shown

FETCHED = "fetched"
"""Where a build's store has what is remembered of fetches."""

_KINDS = {
    "url": "an http(s) URL",
    "domain": "a domain",
    "sha256": "64 hex digits of a SHA-256",
}


def open_store(uri: str, *, new: bool = False) -> Memory:
    """The store at a folder or a URI, or in `fetched` below it, as a build's store has it.

    `new`: also one that is still to be.

    Raises:
        InputError: there is none, or no store can be at this URI.
        MissingError: the package for its protocol is not installed.
        OutputError: what is there is no store, or of another version, or cannot be read.
    """
    below = f"{uri.rstrip('/')}/{FETCHED}"
    for place in (uri, below):
        if check(Blobs.open(place)):
            return Memory.open(place)
    if new:
        return Memory.open(uri)
    beside = f"{uri.rstrip('/')}.work"
    named = "name the store of a build that asked the web (OUTPUT.work), or its fetch.store"
    if check(Blobs.open(f"{beside}/{FETCHED}")):
        named = f"it is in {shown(beside)}"
    raise InputError(f"{shown(uri)}: no store of fetches is there, nor at {shown(below)}; {named}")


def entries_of(named: Mapping[str, Sequence[str]], lists: Sequence[str]) -> list[str]:
    """All that is to be buried: `url`, `domain` and `sha256` -> values, and the lines of lists.

    Raises:
        InputError: a value is of another kind (a domain forbids much more than a URL), or a list
            cannot be read or has a line that is none of these.
    """
    entries: list[str] = []
    for kind, values in named.items():
        for value in values:
            one = Tombstones.of([value], f"--{kind}")
            if len({"url": one.urls, "domain": one.domains, "sha256": one.sha256}[kind]) != 1:
                raise InputError(f"--{kind} {value[:80]}: is not {_KINDS[kind]}")
            entries.append(value)
    for uri in lists:
        lines = read_list(uri)
        Tombstones.of(lines, shown(uri))  # in the store nobody knows which list a line is of
        entries += lines
    return entries
