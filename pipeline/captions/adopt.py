"""Registers shards that img2dataset wrote: counted, hashed and described where they lie.

img2dataset calls a shard done when its statistics exist, whole or not, and writes the tar in
place. So every sample is read once, and the count is held against statistics and table.
"""

import os
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w import __version__
from openm3w.errors import InputError, OutputError, ShardError
from openm3w.pipeline import publish
from openm3w.pipeline.publish import Published
from openm3w.shards import commit, funnel
from openm3w.shards.card import CARD_NAME
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import MANIFEST_NAME, Manifest
from openm3w.shards.reader import SUFFIXES, file_sha256
from openm3w.shards.sample import decode_sample
from openm3w.shards.writer import ShardEntry

SPLIT = "train"
"""Of every adopted shard: img2dataset mixes the domains, so none can be held out whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What one pass over a tar finds."""

    offsets: tuple[int, ...]
    """Of each sample, and of the end."""
    characters: int

    @property
    def nsamples(self) -> int:
        return len(self.offsets) - 1


def adopt(folder: Path, output: Path, *, name: str) -> Published:
    """Writes `output/manifest.json` for the shards in `folder`, and an index beside each tar.

    Raises:
        InputError: there are no such shards.
        ShardError: a shard is damaged, or its samples are not as many as were written.
        OutputError: the output holds something else, or cannot be written.
    """
    tars = _tars(folder)
    if (done := _adopted(folder, output, tars)) is not None:
        return Published(manifest=done, already_done=True)
    entries, stages = [], []
    for tar in tars:
        contents = read_contents(tar)
        stages.append(check_counts(tar, contents.nsamples))
        if contents.nsamples:
            _write_index(tar, contents)
            entries.append(_entry(tar, contents, output))
    if not entries:
        raise InputError(f"{folder}: {len(tars)} shards without a single sample")
    result = Manifest(
        name=name,
        kind="caption",
        shards=tuple(entries),
        root=output,
        recipe={"adopted": folder.resolve().name},
        versions={"openm3w": __version__},
        counts={"stages": [funnel.to_json(stage) for stage in funnel.merge(stages)]},
    )
    report = {"name": name, "stages": result.counts["stages"], "versions": result.versions}
    return Published(manifest=publish.publish(result, report), already_done=False)


def read_contents(path: Path) -> Contents:
    """Reads every sample of a tar once.

    Raises:
        ShardError: the tar or a sample is damaged, or a sample is no captioned image.
    """
    offsets: list[int] = []
    characters = end = 0
    keys: set[str] = set()
    for key, members, start, stop in _samples(path):
        if key in keys:
            raise ShardError(f"{path}: the members of sample {key} are not together")
        keys.add(key)
        if "txt" not in members:
            raise ShardError(f"{path}: sample {key} has no caption; was --caption_col given?")
        try:
            sample = decode_sample(key, members, "caption")
        except ShardError as error:
            raise ShardError(f"{path}: {error}") from error
        offsets.append(start)
        end, characters = stop, characters + sample.document.num_characters
    return Contents(offsets=(*offsets, end), characters=characters)


def check_counts(tar: Path, nsamples: int) -> Stage:
    """Holds the number of samples against `_stats.json` and the table beside the tar.

    Raises:
        ShardError: they differ, or neither is there.
    """
    stats = _stats(tar)
    statuses = _statuses(tar.with_suffix(".parquet"))
    if stats is None and statuses is None:
        raise ShardError(
            f"{tar}: neither {tar.stem}_stats.json nor {tar.stem}.parquet is beside it, so its "
            "count cannot be checked; img2dataset writes both when a shard is done"
        )
    if stats is not None and stats["successes"] != nsamples:
        raise ShardError(
            f"{tar}: {nsamples} samples, {tar.stem}_stats.json says {stats['successes']}: damaged"
        )
    if statuses is not None and statuses.get("success", 0) != nsamples:
        raise ShardError(
            f"{tar}: {nsamples} samples, {tar.stem}.parquet says {statuses.get('success', 0)}: "
            "damaged"
        )
    return _stage(stats, statuses, nsamples)


def _tars(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    tars = sorted(path for path in folder.glob("*.tar") if path.is_file())
    if not tars:
        raise InputError(
            f"{folder}: no .tar files; img2dataset writes them with --output_format webdataset"
        )
    return tars


def _adopted(folder: Path, output: Path, tars: list[Path]) -> Manifest | None:
    """The manifest of an earlier adoption of the same tars, in full size; None where none is."""
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output}: is a file; choose another --output")
    own = output.resolve() == folder.resolve()
    if not (output / MANIFEST_NAME).exists():
        if own and (output / CARD_NAME).exists():
            raise OutputError(
                f"{output}: has a {CARD_NAME} already, which would be overwritten; "
                "choose another --output"
            )
        if not own and output.is_dir() and any(output.iterdir()):
            raise OutputError(f"{output}: holds files of something else; choose another --output")
        return None
    known = publish.finished(output)
    if known is None:
        return None
    if known.recipe.get("adopted") != folder.resolve().name:
        raise OutputError(f"{output}: holds another dataset; choose another --output")
    listed = {(output / shard.url).resolve() for shard in known.shards}
    return known if listed == {tar.resolve() for tar in tars} else None


def _samples(path: Path) -> Iterator[tuple[str, dict[str, bytes], int, int]]:
    """Key, members, and where the sample begins and ends, of neighbouring members."""
    key, members, start, stop = "", dict[str, bytes](), 0, 0
    for name, data, begin, end in _members(path):
        this, _, suffix = name.partition(".")
        if members and this != key:
            yield key, members, start, stop
            members = {}
        if not members:
            key, start = this, begin
        if suffix not in SUFFIXES or suffix in members:
            raise ShardError(f"{path}: unexpected member {name!r}; was it written by img2dataset?")
        members[suffix], stop = data, end
    if members:
        yield key, members, start, stop


def _members(path: Path) -> Iterator[tuple[str, bytes, int, int]]:
    try:
        size = path.stat().st_size
        with tarfile.open(path, mode="r:") as tar:
            while (member := tar.next()) is not None:
                end = member.offset_data + -(-member.size // 512) * 512
                content = tar.extractfile(member) if member.isreg() and end <= size else None
                if content is None:
                    raise ShardError(f"{path}: member {member.name!r} is cut off or no file")
                yield member.name, content.read(), member.offset, end
                # tarfile keeps every header it saw; a shard may have a million.
                tar.members.clear()  # type: ignore[attr-defined]
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ShardError(f"{path}: the tar is damaged: {error}") from error


def _stats(tar: Path) -> dict[str, Any] | None:
    path = tar.with_name(f"{tar.stem}_stats.json")
    if not path.exists():
        return None
    value = commit.read_json(path)
    if value is None or not isinstance(value.get("successes"), int):
        raise ShardError(f"{path}: does not parse, so its shard was not finished: damaged")
    return value


def _statuses(path: Path) -> dict[str, int] | None:
    """Rows of a shard's table by status."""
    if not path.is_file():
        return None
    try:
        with pq.ParquetFile(path) as file:
            if "status" not in file.schema_arrow.names:
                raise ShardError(f"{path}: has no column 'status'; was it written by img2dataset?")
            values = file.read(columns=["status"])["status"].value_counts().to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path}: not a readable Parquet file: damaged") from error
    return {str(value["values"]): value["counts"] for value in values}


def _stage(stats: dict[str, Any] | None, statuses: dict[str, int] | None, nsamples: int) -> Stage:
    if statuses is not None:
        failed = {name: count for name, count in statuses.items() if name != "success"}
    else:
        names = ("failed_to_download", "failed_to_resize")
        failed = {name: int((stats or {}).get(name, 0)) for name in names}
        # img2dataset's own sums do not always add up; what it lost is said rather than hidden.
        lost = int((stats or {}).get("count", 0)) - nsamples - sum(failed.values())
        failed["not_accounted_for"] = max(0, lost)
    failed = {name: count for name, count in failed.items() if count}
    entered = nsamples + sum(failed.values())
    return Stage(job="img2dataset", unit="rows", entered=entered, kept=nsamples, failed=failed)


def _write_index(tar: Path, contents: Contents) -> None:
    data = struct.pack(f"<{len(contents.offsets)}Q", *contents.offsets)
    commit.write_bytes(tar.with_name(f"{tar.name}.idx"), data)


def _entry(tar: Path, contents: Contents, output: Path) -> ShardEntry:
    return ShardEntry(
        url=Path(os.path.relpath(tar.resolve(), output.resolve())).as_posix(),
        split=SPLIT,
        nsamples=contents.nsamples,
        filesize=tar.stat().st_size,
        sha256=file_sha256(tar),
        images=contents.nsamples,
        characters=contents.characters,
        max_images=1,
    )
