"""NeMo Curator's reader of interleaved WebDataset shards, in this process, without Ray."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from nemo_curator.stages.interleaved.io import InterleavedWebdatasetReader
from nemo_curator.tasks import EmptyTask
from rows import Reading, Row

from loaders.shards import shard_paths

HONOURS_EXCLUDE = False


def read_rows(shards: list[str]) -> Iterator[dict[str, Any]]:
    """Curator's rows: one of metadata for each document, then one for each text and image."""
    reader = InterleavedWebdatasetReader(shards, files_per_partition=1, materialize_on_read=True)
    partition, read = reader.decompose()
    for task in partition.process(EmptyTask()):
        yield from read.process(task).to_pyarrow().to_pylist()


def readings(folder: str, kind: str) -> Iterator[Reading]:  # noqa: ARG001 - one kind only
    """Both splits."""
    for split in ("train", "val"):
        yield Reading(way="", split=split, rows=_documents(shard_paths(folder, split)))


def _documents(shards: list[str]) -> Iterator[Row]:
    for key, rows in itertools.groupby(read_rows(shards), lambda row: row["sample_id"]):
        about, *parts = rows
        if [part["position"] for part in parts] != list(range(len(parts))):
            raise ValueError(f"{key}: positions are {[part['position'] for part in parts]}")
        members = [_member(part) for part in parts]
        yield Row(
            key=key,
            document={
                "texts": [part["text_content"] for part in parts],
                "images": members,
                "image_metadata": json.loads(about["image_metadata"]),
                "metadata": json.loads(about["metadata"]),
            },
            images={
                member.partition(".")[2]: part["binary_content"]
                for member, part in zip(members, parts, strict=True)
                if member
            },
        )


def _member(part: dict[str, Any]) -> str | None:
    if part["materialize_error"]:
        raise ValueError(part["materialize_error"])
    return json.loads(part["source_ref"])["member"] if part["modality"] == "image" else None
