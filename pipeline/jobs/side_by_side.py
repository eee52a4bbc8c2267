"""Lists of units that mostly wait, several lists at a time in one worker."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, Protocol, TypeVar

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

AT_ONCE: Final = 4
"""Lists that a worker has begun and not ended. Ours: where one waits for the turns of its largest
domain, the others go on. Each adds a unit that is asked for again after a kill; and of four units
of 500 URLs that all take 30 s, 128 at a time, the last ends in half of its 900 s."""


class Named(Protocol):
    """A unit of work."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class SideBySide(beam.DoFn, Generic[N]):
    """Commits lists of units, each list from its first to its last, and gives the units' names.

    A failure ends the bundle; what other lists have begun is not waited for.
    """

    def __init__(self, commit_unit: Callable[[N], None], *, at_once: int = AT_ONCE) -> None:
        self._commit_unit = commit_unit
        self._at_once = at_once

    def start_bundle(self) -> None:
        self._ended: queue.SimpleQueue[list[str] | BaseException] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._running = 0

    def process(self, units: list[N]) -> Iterator[str]:
        if self._running == self._at_once:
            yield from self._next()
        self._running += 1
        # A daemon, so that nobody who stops a build waits for what its hosts are slow to give.
        threading.Thread(
            target=self._work,
            args=(units, self._ended, self._stop),
            name=f"units from {units[0].name}",
            daemon=True,
        ).start()

    def finish_bundle(self) -> Iterator[Any]:
        while self._running:
            for name in self._next():
                yield GlobalWindows.windowed_value(name)

    def _next(self) -> list[str]:
        """The names of the list that ends next."""
        self._running -= 1
        try:
            return _names(self._ended.get())
        except BaseException:
            self._stop.set()
            raise

    def _work(
        self,
        units: list[N],
        ended: "queue.SimpleQueue[list[str] | BaseException]",
        stop: threading.Event,
    ) -> None:
        try:
            for unit in units:
                if stop.is_set():
                    return
                self._commit_unit(unit)
            ended.put([unit.name for unit in units])
        except BaseException as error:  # noqa: BLE001  # it is raised where the bundle is
            ended.put(error)


def _names(found: list[str] | BaseException) -> list[str]:
    if isinstance(found, BaseException):
        raise found
    return found
