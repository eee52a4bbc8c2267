"""Whether what is open has changed on disk: a deletion request holds for viewers that run."""

import stat
from collections.abc import Iterable
from pathlib import Path

from openm3w.shards.manifest import MANIFEST_NAME, Manifest

Stamp = tuple[int, int, int] | None
"""Inode, size and time of a file; None where there is none."""


def stamps(datasets: Iterable[Manifest], files: Iterable[Path] = ()) -> tuple[Stamp, ...]:
    """Of the manifests of datasets that are on this machine, and of other files.

    Those elsewhere are asked again at the next start. What is committed is replaced and never
    written in place, so that an equal stamp is an equal file.
    """
    manifests = [each.root / MANIFEST_NAME for each in datasets if isinstance(each.root, Path)]
    return tuple(_stamp(file) for file in (*files, *manifests))


def _stamp(file: Path) -> Stamp:
    try:
        about = file.stat()
    except OSError:  # it is not there, as of a tar without a manifest, or is gone
        return None
    # A folder's time says that something in it was written, as a log.
    return None if stat.S_ISDIR(about.st_mode) else (about.st_ino, about.st_size, about.st_mtime_ns)
