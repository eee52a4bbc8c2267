"""Units that worker processes commit, seen by the process that waits for them."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from openm3w.pipeline.store import Folder

EVERY: Final = 5.0
"""Seconds between two looks. Ours: a folder of 100,000 units is listed in a tenth of one."""

Told = Callable[[Mapping[str, Any]], None]
"""Takes what a unit counted."""


@contextlib.contextmanager
def watching(folder: Folder, prefix: str, told: Told, *, every: float = EVERY) -> Iterator[None]:
    """Tells of each unit of a folder that is committed while the block runs, once.

    `prefix` is that of the units' names. Where the folder cannot be read, nothing is told of it.
    """
    known = {path.stem for path in folder.root.glob(f"{prefix}*.json")}
    over = threading.Event()

    def look() -> None:
        for path in sorted(folder.root.glob(f"{prefix}*.json")):
            if path.stem not in known and (sidecar := folder.sidecar(path.stem)) is not None:
                known.add(path.stem)
                told(sidecar["counts"])

    def keep_looking() -> None:
        while not over.wait(every):
            with contextlib.suppress(OSError):
                look()

    thread = threading.Thread(target=keep_looking, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with contextlib.suppress(OSError):
            look()
