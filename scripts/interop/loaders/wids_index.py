"""wids: samples by number, through the manifest, which is a wids shard index."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wids
from rows import Reading, Row

HONOURS_EXCLUDE = False


def open_dataset(folder: str) -> wids.ShardListDataset:
    """All shards, in the manifest's order.

    With `localname=str` shards are read where they are, in a folder that can be written, where wids
    locks them. Without it each is copied to a cache, and the copy is not compared with it later.
    """
    manifest = str(Path(folder).resolve() / "manifest.json")
    return wids.ShardListDataset(manifest, localname=str)


def open_split(folder: str, split: str) -> wids.ShardListDataset:
    """The shards of one split."""
    shards = [shard for shard in open_dataset(folder).shards if shard["split"] == split]
    return wids.ShardListDataset(shards, localname=str)


def readings(folder: str, kind: str) -> Iterator[Reading]:  # noqa: ARG001 - all kinds alike
    """Everything, then each split, by number from the last to the first."""
    yield Reading(way="decoded", split="all", rows=_rows(open_dataset(folder)))
    for split in ("train", "val"):
        yield Reading(way="decoded", split=split, rows=_rows(open_split(folder, split)))


def _rows(dataset: wids.ShardListDataset) -> Iterator[Row]:
    # By number and backwards: that is what wids is for.
    yield from reversed([_row(dataset[at]) for at in reversed(range(len(dataset)))])


def _row(sample: dict[str, Any]) -> Row:
    images = {name[1:]: value for name, value in sample.items() if name.endswith("jpg")}
    return Row(
        key=sample["__key__"],
        document=sample[".json"],
        text=sample.get(".txt"),
        images={name: image.convert("RGB") for name, image in images.items()},
    )
