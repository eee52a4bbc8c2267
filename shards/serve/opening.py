"""The site as its manifests have it now: a deletion request holds from the next request on."""

import threading
from collections.abc import Callable
from pathlib import Path

from openm3w.shards.catalog.database import identity
from openm3w.shards.catalog.stamps import stamps
from openm3w.shards.serve.site import Site


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

    def _look(self) -> tuple[object, ...]:
        collections = self._site.collections.values()
        datasets = [dataset for each in collections for dataset in each.manifests]
        # A file of facts that somebody removed is filled anew.
        facts = [identity(each.facts.file) for each in collections]
        return (*stamps(datasets, self._files), *facts)
