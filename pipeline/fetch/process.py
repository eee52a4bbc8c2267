"""One fetcher and one memory for each process: hosts are asked in turn by all that it works on."""

import atexit
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.store.memory import Memory

_LOCK = threading.Lock()
_MEMORIES: dict[str, Memory] = {}
_FETCHERS: dict[tuple[FetchSettings, str], Fetcher] = {}
_RESOLVERS: list[Callable[[], Any]] = []
_LISTENERS: list[Callable[[Fetched], None]] = []


def memory_at(uri: str) -> Memory:
    """What is remembered at a URI; it remembers in turn what it has read of it.

    Raises:
        OutputError: it is something else, or cannot be read.
    """
    with _LOCK:
        if uri not in _MEMORIES:
            _MEMORIES[uri] = Memory.open(uri)
        return _MEMORIES[uri]


def fetcher_for(settings: FetchSettings, uri: str) -> Fetcher:
    """The process's fetcher of these settings, heeding what is buried in a memory by now."""
    memory = memory_at(uri)
    with _LOCK:
        key = (settings, uri)
        if key not in _FETCHERS:
            resolver = _RESOLVERS[-1]() if _RESOLVERS else None
            _FETCHERS[key] = Fetcher(settings, resolver=resolver, covers=memory.tombstones)
        return _FETCHERS[key]


@contextlib.contextmanager
def resolved_by(resolver: Callable[[], Any]) -> Iterator[None]:
    """Has names looked up by what `resolver` makes, inside the block and in this process alone."""
    close()
    _RESOLVERS.append(resolver)
    try:
        yield
    finally:
        close()
        _RESOLVERS.remove(resolver)


@contextlib.contextmanager
def heard_by(listener: Callable[[Fetched], None]) -> Iterator[None]:
    """Has `listener` hear of every URL that this process asks for, inside the block."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


def tell(found: Fetched) -> None:
    """Lets everybody who listens hear of a URL that was asked for."""
    for listener in _LISTENERS:
        listener(found)


@atexit.register
def close() -> None:
    """Ends all fetchers of this process, and forgets what was read of memories."""
    with _LOCK:
        fetchers = list(_FETCHERS.values())
        _FETCHERS.clear()
        _MEMORIES.clear()
    for fetcher in fetchers:
        fetcher.close()
