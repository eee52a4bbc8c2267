"""wids: samples by number, through the manifest, which is a wids shard index."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wids
from rows import Reading, Row

from loaders.decoding import decode_member

HONOURS_EXCLUDE = False


def decode(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample with its members decoded; wids begins their names with a dot."""
    return {
        name: decode_member(name, value.read()) if name.startswith(".") else value
        for name, value in sample.items()
    }


def open_dataset(folder: str, split: str = "") -> wids.ShardListDataset:
    """The shards of a split, or all, in the manifest's order.

    With `localname=str` shards are read where they are, in a folder that can be written, where wids
    locks them. Without it each is copied to a cache, and the copy is not compared with it later.
    """
    manifest = str(Path(folder).resolve() / "manifest.json")
    dataset = wids.ShardListDataset(manifest, localname=str, transformations=decode)
    if not split:
        return dataset
    shards = [shard for shard in dataset.shards if shard["split"] == split]
    return wids.ShardListDataset(shards, localname=str, transformations=decode)


def readings(folder: str, kind: str) -> Iterator[Reading]:  # noqa: ARG001 - all kinds alike
    """Each split by number from the last to the first, and everything with wids's own decoders."""
    for split in ("train", "val"):
        dataset = open_dataset(folder, split)
        yield Reading(way="own decoders", split=split, rows=_rows(dataset))
        decoded = wids.ShardListDataset(dataset.shards, localname=str)
        yield Reading(way="wids's decoders", split=split, rows=_rows(decoded))
    yield Reading(way="own decoders", split="all", rows=_rows(open_dataset(folder)))


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
