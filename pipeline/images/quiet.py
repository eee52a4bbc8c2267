"""Pillow without its warnings, in several threads."""

import threading
import warnings

from PIL import Image


class Quiet:
    """Warnings of Pillow, of EXIF and palette oddities, ignored while any thread decodes.

    `warnings.catch_warnings` alone is no good for threads: the one that leaves first would restore
    what it found, in the middle of the other's work.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", Image.DecompressionBombWarning)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._caught.__exit__(None, None, None)


quiet = Quiet()
