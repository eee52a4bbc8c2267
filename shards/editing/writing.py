"""The one way in which an edit writes: shard by shard, then card, manifest, last `_SUCCESS`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openm3w.errors import InputError
from openm3w.shards import card, commit, manifest, published
from openm3w.shards.captioned import img2dataset_fields
from openm3w.shards.editing.claim import Output, claimed
from openm3w.shards.editing.cutting import Cut
from openm3w.shards.editing.keeping import Kept
from openm3w.shards.editing.provenance import Command, about
from openm3w.shards.editing.sources import Sources
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import counted
from openm3w.shards.writer import Packed, ShardEntry, write_packed

if TYPE_CHECKING:
    from openm3w.shards.editing.tables import Tables

Say = Callable[[str], None]

_TOLD = 20
"""Lines about how far it is, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What an edit ended with."""

    manifest: Manifest
    already_done: bool
    """Everything was there before, and nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What comes where."""

    kept: Kept
    cuts: Sequence[Cut]


def edit(
    command: Command,
    parts: Sequence[Manifest],
    output: Path,
    planned: Callable[[Sources], Plan],
    say: Say,
) -> Edited:
    """Writes what `planned` says; what an interrupted run has committed is not written again.

    Shards of the sources are held against their digests first, so that no damage is copied.

    Raises:
        OutputError: the output holds something else, is in use, or cannot be written.
        InputError: nothing is left, or keys come twice.
        ShardError: a shard of the sources is missing or damaged.
    """
    with claimed(output, command.digest(parts), parts) as ours:
        if ours.done is not None:
            return Edited(manifest=ours.done, already_done=True)
        sources = Sources(parts)
        sources.check()
        plan = planned(sources)
        if not plan.cuts:
            raise InputError(f"{parts[0].name}: no sample is left to write")
        shards = list(_written(sources, plan, ours, say))
        languages: Counter[str] = Counter()
        for _, spoken in shards:
            languages.update(spoken)
        result = Manifest(
            name=command.dataset,
            kind=parts[0].kind,
            shards=tuple(entry for entry, _ in shards),
            root=output,
            keys="foreign" if any(part.keys == "foreign" for part in parts) else "own",
            build=ours.build,
            **about(command, parts, plan.kept.left_out, languages),
        )
        card.write_extras(result)
        published.remove_left(output)
        manifest.write(result)
        ours.end()
        return Edited(manifest=result, already_done=False)


def _written(
    sources: Sources, plan: Plan, ours: Output, say: Say
) -> Iterator[tuple[ShardEntry, Mapping[str, int]]]:
    """The row of each shard, and the languages of its samples."""
    tables = None
    if sources.parts[0].kind == "caption":
        from openm3w.shards.editing.tables import gather  # pyarrow, which others do without

        tables = gather(sources, plan.kept, plan.cuts, ours.notes / "rows")
    every = max(1, len(plan.cuts) // _TOLD)
    for at, cut in enumerate(plan.cuts, 1):
        note = ours.notes / f"{cut.split}-{cut.index:06d}.json"
        found = _noted(ours.root, note)
        if found is None:
            found = _write(sources, cut, ours.root, tables)
            commit.write_json(note, found)
        yield ShardEntry(**found["entry"]), found["languages"]
        if at % every == 0 and len(plan.cuts) > 1:
            say(f"{at} of {counted(len(plan.cuts), 'shard')}")


def _write(sources: Sources, cut: Cut, root: Path, tables: "Tables | None") -> dict[str, Any]:
    """Commits a shard and what stands beside it, and returns what is noted of it."""
    rows: dict[int, Any] = {}
    languages: Counter[str] = Counter()

    def taken() -> Iterator[Packed]:
        for number in cut.numbers:
            copied = sources.read(number)
            if tables is not None:
                sample = copied.sample
                rows[number] = img2dataset_fields(sample.key, sample.document, sample.extra)
            if language := copied.sample.document.signals.language:
                languages[language] += 1
            yield copied.packed

    entry = write_packed(root, cut.url, taken(), split=cut.split)
    files = tables.write(root, cut, rows) if tables is not None else {}
    return {"entry": asdict(entry), "languages": dict(languages), "beside": files}


def _noted(root: Path, note: Path) -> dict[str, Any] | None:
    """What was noted of a shard that is written, where all its files are still whole."""
    found = commit.read_json(note)
    if found is None:
        return None
    entry = ShardEntry(**found["entry"])
    sizes = {entry.url: entry.filesize, f"{entry.url}.idx": 8 * (entry.nsamples + 1)}
    files = {root / url: size for url, size in {**sizes, **found["beside"]}.items()}
    whole = all(path.is_file() and path.stat().st_size == size for path, size in files.items())
    return found if whole else None
