"""The file that says that a folder is a store of fetches, and of which version."""

import json

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store.blobs import Blobs

NAME = "format.json"
VERSION = 1
KIND = "fetches"
_MARK = {"kind": KIND, "format_version": VERSION}
_DATA = (json.dumps(_MARK, indent=1) + "\n").encode()


def check(blobs: Blobs) -> bool:
    """Whether there is a store of our version; False where there is nothing yet.

    Raises:
        OutputError: it is something else, or of another version.
    """
    try:
        data = blobs.read(NAME)
    except FileNotFoundError:
        return False
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if found != _MARK:
        raise OutputError(
            f"{blobs.where(NAME)}: no store of fetches of version {VERSION}; choose another "
            "--store, or use the version of openm3w that wrote it"
        )
    return True


def mark(blobs: Blobs) -> None:
    """Writes the file where it is not there; every writer writes the same bytes.

    Raises:
        OutputError: the store is another's or cannot be written.
    """
    if not check(blobs):
        blobs.put(NAME, _DATA)
