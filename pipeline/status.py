"""What a running, stopped or finished build has committed, from its store and output alone.

Neither Beam nor a model nor the archives are needed: a build notes the folders of its jobs when it
begins, and each unit that is committed has a sidecar there.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openm3w.errors import InputError
from openm3w.pipeline import claims, job_results, progress
from openm3w.pipeline.progress import ALL, BLOCKS, Part
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import add_up
from openm3w.shards import published
from openm3w.shards.editing.claim import NOTES
from openm3w.shards.funnel import Stage
from openm3w.shards.locking import Holder, holder_of
from openm3w.shards.manifest import Manifest

RUNNING, STOPPED, FINISHED = "running", "stopped", "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one sort of units is."""

    part: Part
    done: int
    units: int | None
    """How many there are to be, where that is known by now."""
    stages: tuple[Stage, ...]
    """What became of records, pages, images and so on in the units that are done."""
    num_bytes: int
    """Of the files that are committed."""
    newest: float
    """When the last unit was committed, in seconds since 1970; 0 where none is."""

    @property
    def is_done(self) -> bool:
        return self.units is not None and self.done >= self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A build as it stands now."""

    output: Path
    store: Path
    name: str
    state: str
    """`running`, `stopped` or `finished`."""
    holder: Holder | None
    """The process that writes to the output."""
    parts: tuple[Progress, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Of wall clock by job, over all runs that came to its end."""
    manifest: Manifest | None = None
    """Where it is finished."""
    left: tuple[int, int] = (0, 0)
    """Temporary files in store and output, and their bytes: of the run that writes now, or of such
    as were killed."""

    @property
    def next(self) -> str:
        """What the same command would do now."""
        if self.state == FINISHED:
            return "nothing: the build is complete"
        for each in self.parts:
            if not each.is_done:
                of = f" of {each.units}" if each.units is not None else ""
                return f"go on with {each.part.name}: {each.done}{of} units are committed"
        return "write report, card, manifest and _SUCCESS"

    @property
    def last_commit(self) -> float:
        """Seconds since 1970; 0 where nothing was committed."""
        return max((each.newest for each in self.parts), default=0.0)


def find_builds(folder: Path, store: Path | None = None) -> list[tuple[Path, Path]]:
    """Output and store of each build that `folder` is of, which is either of them.

    Raises:
        InputError: it is of none.
    """
    if not folder.is_dir():
        # A build that has just begun, or was killed before it wrote, has a store and no output.
        place = store or claims.default_store(folder)
        if claims.claimed_build(folder, place):
            return [(folder, place)]
        raise InputError(f"{folder}: no such folder; name the OUTPUT of a build, or its .work")
    if store is None and (folder / claims.OUTPUTS).is_dir():
        if found := list(_outputs(folder)):
            return [(output, folder) for output in found]
        raise InputError(
            f"{folder}: none of the builds of this store stands beside it; name the OUTPUT of one"
        )
    place = store or claims.find_store(folder) or claims.default_store(folder)
    if claims.identity_of(folder, place) is None:
        if (folder / NOTES).is_dir():
            raise InputError(
                f"{folder}: no build, but a dataset that `m3w shards merge`, `split` or `shuffle` "
                "has begun; the same command goes on with it"
            )
        what = "a dataset, but no build of" if published.finished(folder) else "no build of"
        raise InputError(
            f"{folder}: {what} the store {place}; name the OUTPUT of a build, and its --store"
        )
    return [(folder, place)]


def _outputs(store: Path) -> Iterator[Path]:
    """Outputs beside a store that it has a note of; notes do not say where theirs is."""
    beside = store.resolve().parent
    usual = beside / store.resolve().name.removesuffix(".work")
    for output in sorted({usual, *(path for path in beside.iterdir() if path.is_dir())}):
        if claims.claimed_build(output, store):
            yield output


def look(output: Path, store: Path) -> Status:
    """How far a build is.

    Raises:
        InputError: the store has no note of it, or one of a version that did not note its jobs.
        ShardError: what stands in the output as its manifest is none.
    """
    identity = claims.identity_of(output, store)
    if identity is None:
        raise InputError(f"{output}: the store {store} has no note of a build there")
    parts = progress.read(identity.get(claims.BESIDE, {}))
    if not parts:
        raise InputError(
            f"{store}: made by a version that did not note its jobs, or no build but an export; "
            "the same command again notes them"
        )
    finished = published.finished(output)
    if finished is not None and finished.build != claims.claimed_build(output, store):
        finished = None
    holder = holder_of(output)
    known = tuple(_all_progress(parts, output, store, identity, finished))
    state = RUNNING if holder else FINISHED if finished else STOPPED
    return Status(
        output=output,
        store=store,
        name=str(identity.get("recipe", {}).get("name", "")),
        state=state,
        holder=holder,
        parts=known,
        seconds=job_results.seconds_by_job(store),
        manifest=finished,
        left=_left([output, output / published.DATA_FOLDER, *(store / p.place for p in parts)]),
    )


def _all_progress(
    parts: Sequence[Part],
    output: Path,
    store: Path,
    identity: Mapping[str, Any],
    finished: Manifest | None,
) -> Iterator[Progress]:
    """Each part's; what is committed of those before it tells how many units a later one has."""
    found: list[Progress] = []
    blocks: int | None = None
    before: Sequence[Mapping[str, Any]] = ()
    for part in parts:
        sidecars = dict(_sidecars(store / part.place))
        listed = sidecars.pop(ALL, None)
        counts = [sidecar["counts"] for sidecar in sidecars.values()]
        units: int | None = None
        if isinstance(part.units, int):
            units = part.units
        elif part.units == "listed" and listed is not None:
            units = len(listed["counts"]["units"])
        elif part.units == "blocks":
            units = blocks
        elif part.units == "shards":
            # Which stand in the output: a sidecar alone is no shard.
            counts = [each for each in counts if (output / each["entry"]["url"]).is_file()]
            per_shard = int(identity["recipe"]["shards"]["samples_per_shard"])
            units = _num_shards(before, per_shard) if found and found[-1].is_done else None
            units = len(finished.shards) if finished is not None else units
        num_bytes, newest = _weighed(store / part.place)
        found.append(
            Progress(
                part=part,
                done=len(counts),
                units=units,
                stages=add_up(counts),
                num_bytes=num_bytes,
                newest=newest,
            )
        )
        yield found[-1]
        if found[-1].is_done and any(BLOCKS in each for each in counts):
            blocks = sum(len(each[BLOCKS]) for each in counts)
        before = counts


def _sidecars(folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    units = Folder.of(folder.parent, folder.name)
    for path in sorted(folder.glob("*.json")):
        if (sidecar := units.sidecar(path.stem)) is not None:
            yield path.stem, sidecar


def _num_shards(selected: Sequence[Mapping[str, Any]], per_shard: int) -> int | None:
    """As many as hold the kept samples; of few samples a hash may leave one of them empty."""
    splits: dict[str, int] = {}
    for counts in selected:
        for split, number in counts.get("splits", {}).items():
            splits[split] = splits.get(split, 0) + number
    return sum(-(-number // per_shard) for number in splits.values()) if splits else None


def _weighed(folder: Path) -> tuple[int, float]:
    """Bytes of the files in a folder, and when the last of them was committed."""
    stats = [path.stat() for path in _files(folder) if path.suffix != ".tmp"]
    return sum(s.st_size for s in stats), max((s.st_mtime for s in stats), default=0.0)


def _left(folders: Sequence[Path]) -> tuple[int, int]:
    sizes = [
        path.stat().st_size
        for folder in folders
        for path in _files(folder)
        if path.suffix == ".tmp"
    ]
    return len(sizes), sum(sizes)


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:  # not there yet
        return []


def age(then: float) -> float:
    """Seconds since a moment."""
    return max(0.0, time.time() - then)
