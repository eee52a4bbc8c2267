"""Kept samples to shards, whatever their kind.

A unit's table of kept samples has at least the columns `doc_id` and `split`. Its rows are
shuffled once, to the shard that a hash of the id names. Membership and order depend on ids, seed
and the number of kept samples alone: not on the runner, and not on what was done before a crash.
What has its place beside the shards, as tables of what came to no sample, goes the same way.
"""

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import apache_beam as beam

from openm3w.errors import OutputError
from openm3w.pipeline import runners
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.shards.ordering import order_hash, shard_of, shard_url
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.writer import ShardEntry, write_shard

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class ShardName:
    """A shard of a split."""

    split: str
    index: int

    @property
    def unit(self) -> str:
        return f"{self.split}-{self.index:06d}"

    @property
    def url(self) -> str:
        return shard_url(self.split, self.index)


class Beside(Protocol):
    """Files beside each shard with a row for each sample, and for what came to none; picklable."""

    def missed(self, unit: str) -> Iterator[Row]:
        """What of a unit came to no sample, with at least the columns `doc_id` and `split`."""

    def missed_row(self, missed: Row) -> Mapping[str, Any]:
        """Its row in the file."""

    def row(self, sample: Sample) -> Mapping[str, Any]:
        """The row of a sample."""

    def write(self, root: Path, url: str, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
        """Commits the files beside the shard `url`; their sizes in bytes by URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is written where; small and picklable."""

    output: Path
    kind: Kind
    selected: Folder
    """Tables of kept samples; their sidecars count them by split in `counts.splits`."""
    units: tuple[str, ...]
    """Units of `selected`."""
    written: Folder
    """Sidecars of the shards that are done."""
    samples: Callable[[Iterable[Row]], Iterator[Sample]]
    """Rows of `selected` to samples, in the same order."""
    samples_per_shard: int
    seed: int
    beside: Beside | None = None


def write_shards(writing: Writing, runner: Runner) -> tuple[ShardEntry, ...]:
    """Writes what is not written yet, and returns all shards in order of their names.

    Raises:
        OutputError: the output or the store cannot be written.
    """
    counts = split_counts(writing.selected, writing.units)
    names = shard_names(counts, writing.samples_per_shard)
    used = _used_names(writing, counts)
    if any(_entry(writing, name) is None for name in used):
        runners.run(runner, lambda p: _graph(p, writing, counts, tuple(sorted(used))))
    entries = (_entry(writing, name) for name in names)
    return tuple(entry for entry in entries if entry is not None)


def split_counts(selected: Folder, units: Iterable[str]) -> dict[str, int]:
    """Kept samples by split.

    Raises:
        OutputError: a unit is not committed any more.
    """
    counts: dict[str, int] = {}
    for unit in units:
        sidecar = selected.sidecar(unit)
        if sidecar is None:
            raise OutputError(
                f"{selected.path(unit, 'json')}: is gone, since images were got once more by "
                "another build of this store, or somebody removed it; run the same command again"
            )
        for split, count in sidecar["counts"]["splits"].items():
            counts[split] = counts.get(split, 0) + count
    return counts


def shard_names(counts: Mapping[str, int], samples_per_shard: int) -> list[ShardName]:
    """The shards of each split: as many as hold the kept samples at the size asked for."""
    return [
        ShardName(split, index)
        for split, count in sorted(counts.items())
        for index in range(_num_shards(count, samples_per_shard))
    ]


def shard_for(
    row: Row, counts: Mapping[str, int], used: Sequence[ShardName], seed: int, per_shard: int
) -> ShardName:
    """The shard beside which a row stands that came to no sample.

    The one that its id names; where that has no sample and is not written, the next that is, and
    where its split has none, one of the first split.

    Args:
        row: Its `doc_id` and `split`.
        counts: Kept samples by split.
        used: The shards that are written, in order.
        seed: Of the recipe.
        per_shard: Samples of a shard.
    """
    first = _at(used, ShardName(row["split"], 0)) or used[0]
    index = shard_of(row["doc_id"], seed, _num_shards(counts[first.split], per_shard))
    return _at(used, ShardName(first.split, index)) or first


def _at(used: Sequence[ShardName], name: ShardName) -> ShardName | None:
    """The first shard of the same split from this one on."""
    at = bisect.bisect_left(used, name)
    return used[at] if at < len(used) and used[at].split == name.split else None


def _graph(
    pipeline: beam.Pipeline,
    writing: Writing,
    counts: Mapping[str, int],
    used: Sequence[ShardName],
) -> None:
    _ = (
        pipeline
        | "Units" >> beam.Create(list(writing.units))
        | "Selected" >> beam.FlatMap(lambda unit: _placed(writing, unit, counts, used))
        | "Group by shard" >> beam.GroupByKey()
        | "Shards" >> beam.MapTuple(lambda name, rows: _write(writing, name, rows))
    )


def _placed(
    writing: Writing, unit: str, counts: Mapping[str, int], used: Sequence[ShardName]
) -> Iterator[tuple[tuple[str, int], tuple[bool, Row]]]:
    """Rows with their shard, and whether they are samples."""
    for row in writing.selected.rows(unit):
        name = _name(writing, row, counts)
        yield (name.split, name.index), (True, row)
    for lost in writing.beside.missed(unit) if writing.beside else ():
        name = shard_for(lost, counts, used, writing.seed, writing.samples_per_shard)
        yield (name.split, name.index), (False, lost)


def _name(writing: Writing, row: Row, counts: Mapping[str, int]) -> ShardName:
    num_shards = _num_shards(counts[row["split"]], writing.samples_per_shard)
    return ShardName(row["split"], shard_of(row["doc_id"], writing.seed, num_shards))


def _write(writing: Writing, name: tuple[str, int], rows: Iterable[tuple[bool, Row]]) -> None:
    shard, seed, beside = ShardName(*name), writing.seed, writing.beside
    if _entry(writing, shard) is not None:
        return
    ordered = sorted(
        rows, key=lambda each: (order_hash(each[1]["doc_id"], seed), each[1]["doc_id"])
    )
    noted: dict[str, Mapping[str, Any]] = {}

    def samples() -> Iterator[Sample]:
        for sample in writing.samples(row for is_sample, row in ordered if is_sample):
            if beside:
                noted[sample.key] = beside.row(sample)
            yield sample

    entry = write_shard(writing.output, shard.url, samples(), kind=writing.kind, split=shard.split)
    files: Mapping[str, int] = {}
    if beside:
        table = [
            noted[row["doc_id"]] if is_sample else beside.missed_row(row)
            for is_sample, row in ordered
        ]
        files = beside.write(writing.output, shard.url, table)
    done = {"entry": asdict(entry), "beside": dict(files)}
    writing.written.commit_sidecar(shard.unit, counts=done, seconds={})


def _entry(writing: Writing, name: ShardName) -> ShardEntry | None:
    """The row of a shard that is written, and whose files are still whole; else None."""
    sidecar = writing.written.sidecar(name.unit)
    if sidecar is None:
        return None
    entry = ShardEntry(**sidecar["counts"]["entry"])
    # The index holds an offset for each sample and one for the end: see `shards.writer`.
    sizes = {entry.url: entry.filesize, f"{entry.url}.idx": 8 * (entry.nsamples + 1)}
    sizes |= sidecar["counts"].get("beside", {})
    paths = {writing.output / url: size for url, size in sizes.items()}
    whole = all(path.is_file() and path.stat().st_size == size for path, size in paths.items())
    return entry if whole else None


def _used_names(writing: Writing, counts: Mapping[str, int]) -> set[ShardName]:
    """Shards that get a sample at all: with few samples a hash may leave one empty."""
    return {
        _name(writing, row, counts)
        for unit in writing.units
        for row in writing.selected.rows(unit, ["doc_id", "split"])
    }


def _num_shards(count: int, samples_per_shard: int) -> int:
    return -(-count // samples_per_shard)
