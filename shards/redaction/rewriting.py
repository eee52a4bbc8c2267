"""A shard once more without some samples and images; all others keep their bytes.

Members are copied as they stand, so that what others wrote, or another version did, is not made
into something else on the way. Where an image goes, its entry in the lists of the `.json` goes too,
and the images behind it take the names before theirs: loaders know the first so many slots.
"""

import hashlib
import json
import struct
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import ShardError
from openm3w.shards import commit, reader
from openm3w.shards.captioned import IMAGE_SUFFIXES
from openm3w.shards.manifest import Manifest
from openm3w.shards.members import dump
from openm3w.shards.redaction.matching import Covers, Edit
from openm3w.shards.writer import ShardEntry

Member = tuple[str, bytes]
"""What follows the key and the dot, and the bytes."""


def rewrite(dataset: Manifest, shard: ShardEntry, edits: Sequence[Edit], to: Path) -> ShardEntry:
    """Commits the shard without what `edits` name to `to`, with its index; its row is returned.

    The row has the URL of the old one. Of a shard of which nothing is left, nothing is written.

    Raises:
        ShardError: the shard is missing or damaged: damage is not to get a digest of its own.
        OutputError: the folder cannot be written.
    """
    reader.check_shard(dataset, shard, verify="full")
    path = dataset.folder / shard.url
    by_key = {edit.key: edit for edit in edits}
    left = shard.nsamples - sum(edit.whole for edit in edits)
    offsets: list[int] = []
    most = 0
    digest, size = hashlib.sha256(), 0
    if left:
        with commit.committed(to) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for key, members in grouped(path):
                    edit = by_key.get(key)
                    if edit and edit.whole:
                        continue
                    kept = without_images(key, members, edit.images) if edit else members
                    offsets.append(tar.offset)
                    most = max(most, sum(is_image(suffix) for suffix, _ in kept))
                    for suffix, data in kept:
                        member = tarfile.TarInfo(f"{key}.{suffix}")
                        member.size = len(data)
                        tar.addfile(member, BytesIO(data))
                offsets.append(tar.offset)
            file.flush()
        commit.write_bytes(
            to.with_name(f"{to.name}.idx"), struct.pack(f"<{len(offsets)}Q", *offsets)
        )
        digest, size = _digest(to)
    return replace(
        shard,
        nsamples=left,
        filesize=size,
        sha256=digest.hexdigest(),
        images=shard.images - sum(edit.num_images for edit in edits),
        characters=shard.characters - sum(edit.characters for edit in edits),
        max_images=most,
    )


def _digest(path: Path) -> tuple[Any, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256"), path.stat().st_size


def grouped(path: Path) -> Iterator[tuple[str, list[Member]]]:
    """Neighbouring members of a tar with one key, as they stand.

    Raises:
        ShardError: it is no tar.
    """
    current: str | None = None
    members: list[Member] = []
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            while (info := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]
                if not info.isreg():
                    continue
                key, _, suffix = info.name.partition(".")
                if current is not None and key != current:
                    yield current, members
                    members = []
                current = key
                content = tar.extractfile(info)
                members.append((suffix, content.read() if content else b""))
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ShardError(f"{path}: the tar is damaged: {error}") from error
    if current is not None:
        yield current, members


def is_image(suffix: str) -> bool:
    """Whether a member is a picture, by what follows its key."""
    return suffix.rpartition(".")[2] in IMAGE_SUFFIXES


def without_images(key: str, members: Sequence[Member], gone: Sequence[int]) -> list[Member]:
    """The members of an interleaved sample, of whose images these, from 0, are not there."""
    held = dict(members)
    value = json.loads(held["json"])
    names = [name for name in value["images"] if name is not None]
    left = [name for at, name in enumerate(names) if at not in gone]
    renamed = {old: f"{key}.{_renumbered(old, at)}" for at, old in enumerate(left)}
    rows = zip(value["texts"], value["images"], value["image_metadata"], strict=True)
    kept = [(text, name, about) for text, name, about in rows if name is None or name in renamed]
    value["texts"] = [text for text, _, _ in kept]
    value["images"] = [name and renamed[name] for _, name, _ in kept]
    value["image_metadata"] = [about for _, _, about in kept]
    pictures = [
        (renamed[name].removeprefix(f"{key}."), held[name.removeprefix(f"{key}.")]) for name in left
    ]
    others = [
        (suffix, data)
        for suffix, data in members
        if suffix != "json" and f"{key}.{suffix}" not in names
    ]
    return [("json", dump(value)), *others, *pictures]


def _renumbered(name: str, number: int) -> str:
    return f"{number:03d}.{name.rpartition('.')[2]}"


def rewrite_beside(
    old: Path, new: Path, edits: Sequence[Edit], covers: Covers, *, whole: bool
) -> list[Path]:
    """Commits img2dataset's table and statistics of a shard without what goes; their paths.

    A row may be of a pair that never came to the shard: its address goes all the same. `whole`: of
    the shard nothing is left, and the rows of other pairs go with it.

    Raises:
        ShardError: the table is damaged.
        OutputError: the folder cannot be written.
    """
    table, statistics = beside(old)
    if whole or not table.is_file():
        return []
    gone = {edit.key for edit in edits}
    try:
        rows = pq.read_table(table)
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{table}: the table is damaged: {error}") from error
    kept = [not _goes(row, gone, covers) for row in _told(rows)]
    left = rows.filter(pa.array(kept, pa.bool_()))
    written = [new_table := beside(new)[0]]
    with commit.committed(new_table) as file:
        pq.write_table(left, file)
    if (before := commit.read_json(statistics)) is not None:
        written.append(beside(new)[1])
        commit.write_json(written[-1], _counted(before, left), indent=4)
    return written


def covered_beside(table: Path, covers: Covers) -> bool:
    """Whether a table beside a shard names what is meant, though the shard may not have it."""
    if not table.is_file():
        return False
    return any(_goes(row, frozenset(), covers) for row in _told(pq.read_table(table)))


def beside(tar: Path) -> tuple[Path, Path]:
    """Where table and statistics of a shard stand."""
    stem = tar.name.removesuffix(".tar")
    return tar.with_name(f"{stem}.parquet"), tar.with_name(f"{stem}_stats.json")


def _told(rows: pa.Table) -> Iterator[dict[str, Any]]:
    texts = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    return iter(rows.select(texts).to_pylist())


def _goes(row: Mapping[str, Any], gone: set[str] | frozenset[str], covers: Covers) -> bool:
    key, digits = row.get("key"), row.get("sha256")
    return bool(
        key in gone
        or (key and covers.covers_document(key))
        or (digits and covers.covers_content(digits))
        # The page's address stands in a column of the input's own.
        or any("://" in cell and covers.covers(cell) for cell in row.values() if cell)
    )


def _counted(before: Mapping[str, Any], rows: pa.Table) -> dict[str, Any]:
    """The statistics as they are of these rows; times stay."""
    if not {"status", "error_message"} <= set(rows.column_names):
        return dict(before)
    told = rows.select(["status", "error_message"]).to_pylist()
    messages = [row["error_message"] or row["status"] for row in told]
    of = {
        "count": len(told),
        "successes": sum(row["status"] == "success" for row in told),
        "failed_to_download": sum(row["status"] == "failed_to_download" for row in told),
        "failed_to_resize": sum(row["status"] == "failed_to_resize" for row in told),
        "status_dict": {name: messages.count(name) for name in sorted(set(messages))},
    }
    return {**before, **{name: of[name] for name in before if name in of}}
