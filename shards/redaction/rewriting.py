"""A shard once more without some samples and images; all others keep their bytes.

Members are copied as they stand, so that what others wrote, or another version did, is not made
into something else on the way. Where an image goes, its entry in the lists of the `.json` goes too,
and the images behind it take the names before theirs: loaders know the first so many slots.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import ShardError
from openm3w.shards import commit, reader
from openm3w.shards.editing.sources import Sources
from openm3w.shards.manifest import Manifest
from openm3w.shards.members import dump
from openm3w.shards.redaction.matching import Covers, Edit
from openm3w.shards.writer import Packed, ShardEntry, write_packed


def rewrite(
    dataset: Manifest, shard: ShardEntry, edits: Sequence[Edit], root: Path, url: str
) -> ShardEntry:
    """Commits the shard without what `edits` name to `root/url`, with its index, and its row.

    Of a shard of which nothing is left, nothing is written.

    Raises:
        ShardError: the shard is missing or damaged: damage is not to get a digest of its own. Or a
            name in it is longer than a tar's header takes.
        OutputError: the folder cannot be written.
    """
    reader.check_shard(dataset, shard, verify="full")
    if shard.nsamples == sum(edit.whole for edit in edits):
        gone = replace(shard, url=url, nsamples=0, filesize=0, sha256="")
        return replace(gone, images=0, characters=0, max_images=0)
    left = _left(Sources([replace(dataset, shards=(shard,))]), edits)
    return write_packed(root, url, left, split=shard.split)


def _left(sources: Sources, edits: Sequence[Edit]) -> Iterator[Packed]:
    by_key = {edit.key: edit for edit in edits}
    for number in range(len(sources)):
        sample = sources.read(number).packed
        edit = by_key.get(sample.key)
        if edit is None:
            yield sample
        elif not edit.whole:
            yield without_images(sample, edit.images)


def without_images(sample: Packed, gone: Sequence[int]) -> Packed:
    """An interleaved sample of whose images these, from 0, are not there."""
    held, about = dict(sample.members), f"{sample.key}.json"
    value = json.loads(held[about])
    names = [name for name in value["images"] if name is not None]
    left = [name for at, name in enumerate(names) if at not in gone]
    renamed = {old: f"{sample.key}.{_renumbered(old, at)}" for at, old in enumerate(left)}
    rows = zip(value["texts"], value["images"], value["image_metadata"], strict=True)
    kept = [(text, name, told) for text, name, told in rows if name is None or name in renamed]
    value["texts"] = [text for text, _, _ in kept]
    value["images"] = [name and renamed[name] for _, name, _ in kept]
    value["image_metadata"] = [told for _, _, told in kept]
    pictures = [(renamed[name], held[name]) for name in left]
    others = [(name, data) for name, data in sample.members if name not in {about, *names}]
    members = [(about, dump(value)), *others, *pictures]
    return replace(sample, members=members, images=len(left))


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
