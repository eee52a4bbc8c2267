"""The examples of what a build left out, which it keeps beside its output, not in it."""

from collections.abc import Iterable, Iterator
from glob import escape

from openm3w.shards import manifest
from openm3w.shards.manifest import MANIFEST_NAME, Manifest
from openm3w.shards.storage import RemotePath

WORK = ".work"
"""Ends the name of the folder that a build keeps beside its output, unless it was told another."""
DROPPED = "dropped"
"""Folder of the examples in it, with one for each output: `openm3w.pipeline.dropped`."""


def dropped_of(datasets: Iterable[Manifest]) -> Iterator[Manifest]:
    """The examples of each dataset's build, where they are in the usual place.

    Another profile's output shares the store of its build: the one beside it, of another name.

    Raises:
        ShardError: a manifest there is none.
    """
    for dataset in datasets:
        if isinstance(dataset.root, RemotePath):  # a build's store is beside what it wrote, here
            continue
        root = dataset.root.resolve()
        folders = f"*{WORK}/{DROPPED}/{escape(root.name)}-{'[0-9a-f]' * 8}"
        for found in sorted(root.parent.glob(f"{folders}/{MANIFEST_NAME}")):
            yield from manifest.load(found)
