"""The examples of what a build left out, which it keeps beside its output, not in it."""

from collections.abc import Iterable, Iterator

from openm3w.shards import manifest
from openm3w.shards.manifest import MANIFEST_NAME, Manifest
from openm3w.shards.storage import RemotePath

WORK = ".work"
"""Ends the name of the folder that a build keeps beside its output, unless it was told another."""
DROPPED = "dropped"
"""Folder of the examples in it, with one for each output."""


def dropped_of(datasets: Iterable[Manifest]) -> Iterator[Manifest]:
    """The examples of each dataset's build, where they are in the usual place.

    Raises:
        ShardError: a manifest there is none.
    """
    for dataset in datasets:
        if isinstance(dataset.root, RemotePath):  # a build's store is beside what it wrote, here
            continue
        root = dataset.root.resolve()
        folder = root.parent / f"{root.name}{WORK}" / DROPPED
        for found in sorted(folder.glob(f"{root.name}-*/{MANIFEST_NAME}")):
            yield from manifest.load(found)
