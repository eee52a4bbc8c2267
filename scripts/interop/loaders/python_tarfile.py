"""Python's own tarfile: a sample is what stands side by side under one key."""

import itertools
import json
import tarfile
from collections.abc import Iterator

from rows import Reading, Row

from loaders.shards import shard_paths

HONOURS_EXCLUDE = False


def read_samples(shard: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Key and members of each sample; a member's name is the key, a dot, and what it is."""
    with tarfile.open(shard) as tar:
        for key, members in itertools.groupby(tar, lambda m: m.name.partition(".")[0]):
            yield key, {m.name.partition(".")[2]: tar.extractfile(m).read() for m in members}


def readings(folder: str, kind: str) -> Iterator[Reading]:  # noqa: ARG001 - all kinds alike
    """Both splits."""
    for split in ("train", "val"):
        yield Reading(way="", split=split, rows=_rows(shard_paths(folder, split)))


def _rows(shards: list[str]) -> Iterator[Row]:
    for shard in shards:
        for key, members in read_samples(shard):
            document = json.loads(members.pop("json"))
            text = members.pop("txt").decode() if "txt" in members else None
            yield Row(key=key, document=document, text=text, images=members)
