"""webdataset, with decoders of one's own and with its own."""

from collections.abc import Iterable, Iterator
from typing import Any

import webdataset as wds
from rows import Reading, Row

from loaders.decoding import decode_member
from loaders.shards import shard_paths

HONOURS_EXCLUDE = False


def decode(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample with its members decoded; what begins with two underscores is webdataset's."""
    return {
        name: value if name.startswith("__") else decode_member(name, value)
        for name, value in sample.items()
    }


def read_samples(shards: list[str]) -> Iterable[dict[str, Any]]:
    """Samples in the order of the shards."""
    return wds.WebDataset(shards, shardshuffle=False, empty_check=False).map(decode)


def readings(folder: str, kind: str) -> Iterator[Reading]:  # noqa: ARG001 - all kinds alike
    """Both splits by the decoders above, then by webdataset's, and as bytes."""
    for split in ("train", "val"):
        shards = shard_paths(folder, split)
        stream = wds.WebDataset(shards, shardshuffle=False, empty_check=False)
        yield Reading(way="own decoders", split=split, rows=map(_row, read_samples(shards)))
        yield Reading(way="decode('pilrgb')", split=split, rows=map(_row, stream.decode("pilrgb")))
        yield Reading(way="bytes", split=split, rows=map(_raw_row, stream))


def _row(sample: dict[str, Any]) -> Row:
    images = {name: value for name, value in sample.items() if name.endswith("jpg")}
    return Row(
        key=sample["__key__"], document=sample["json"], text=sample.get("txt"), images=images
    )


def _raw_row(sample: dict[str, Any]) -> Row:
    own = {name: decode_member(name, sample[name]) for name in ("json", "txt") if name in sample}
    return _row({**sample, **own})
