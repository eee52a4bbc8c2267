"""The site as its manifests have it now: a deletion request holds from the next request on."""

import threading
from collections.abc import Callable
from pathlib import Path

from openm3w.shards.manifest import MANIFEST_NAME
from openm3w.shards.serve.site import Site

_Stamp = tuple[int, int, int] | None
"""Inode, size and time of a file: a manifest is replaced and never written in place."""


class Opened:
    """Opens a site, reads its facts in a thread, and opens it anew where a manifest has changed."""

    def __init__(self, open_: Callable[[], Site], *files: Path) -> None:
        """`files` are looked at beside the manifests of the datasets: mixtures.

        Raises:
            OpenM3WError: what `open_` raises.
        """
        self._open, self._files = open_, files
        self._lock = threading.Lock()
        self._site = open_()
        self._stamps = self._look()
        self._stop = self._site.start_filling()

    def __call__(self) -> Site:
        """The site by the manifests that are there now.

        Raises:
            OpenM3WError: they changed, and cannot be opened any more.
        """
        with self._lock:
            if self._look() != self._stamps:
                self._stop()
                # What cannot be opened is not shown as it was: it may hold what had to go.
                self._site = self._open()
                self._stamps = self._look()
                self._stop = self._site.start_filling()
            return self._site

    def close(self) -> None:
        """Ends the reading of facts."""
        with self._lock:
            self._stop()

    def _look(self) -> tuple[_Stamp, ...]:
        manifests = [
            each.root / MANIFEST_NAME
            for collection in self._site.collections.values()
            for each in collection.manifests
            if isinstance(each.root, Path)  # others are asked again at the next start
        ]
        return tuple(_stamp(file) for file in (*self._files, *manifests))


def _stamp(file: Path) -> _Stamp:
    try:
        stat = file.stat()
    except OSError:  # it is not there, as of a tar without a manifest, or is gone
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
