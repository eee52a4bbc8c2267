"""`m3w index`: a dataset to an index folder, shard by shard; the same command again goes on."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openm3w.errors import OutputError
from openm3w.pipeline.searching import neighbours, parts
from openm3w.pipeline.searching.embedding import embed_shard
from openm3w.shards.locking import is_lock, only_writer
from openm3w.shards.manifest import Manifest
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Index, Part, What
from openm3w.shards.terminal import counted
from openm3w.shards.writer import ShardEntry
from openm3w.trainer.encoders import Similarity

Say = Callable[[str], None]
Shards = Sequence[tuple[Manifest, ShardEntry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model by name, loaded where it is needed."""

    name: str
    """As a user names it; "" where that is the path of a file, which is no name elsewhere."""
    model_id: str
    load: Callable[[], Similarity]
    """Gives the same object each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    index: Index
    embedded: int
    """Shards."""
    counts: Mapping[str, int]
    """Outcome -> pictures (documents, where they have none), of the whole index."""


def build(
    manifests: Sequence[Manifest], output: Path, *, model: Model, what: What, say: Say
) -> Report:
    """Brings the index in `output` up to the datasets; what it has of them already stays.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
        ShardError: a shard is missing or damaged.
    """
    shards = [(manifest, shard) for manifest in manifests for shard in manifest.shards]
    fingerprints = tuple(manifest.fingerprint for manifest in manifests)
    with only_writer(output):
        before = _owned(output, model.model_id, what)
        parts.clear(output)
        if before is not None and before.fingerprints != fingerprints:
            say("the dataset has changed since it was indexed: what is new or changed is embedded")
        found = [
            parts.current(output, at, *shard, layout.SIDES_OF[what])
            for at, shard in enumerate(shards)
        ]
        surplus = [at for at in parts.numbers(output) if at >= len(shards)]
        missing = [at for at, part in enumerate(found) if part is None]
        index = before or _described(model, what)
        if missing or surplus or not _has_neighbours(output, index):
            index = replace(index, finished=False, indexed=False)
        index = replace(index, fingerprints=fingerprints, parts=())
        if not index.finished:  # nobody searches it from here on
            layout.write(output, index)
        if missing or surplus:
            neighbours.remove(output)
        for at in surplus:
            parts.remove(output, at)
        _embed(shards, missing, found, output, model, what, say)
        index = replace(index, parts=tuple(part for part in found if part is not None))
        index = replace(_with_neighbours(output, index, say), finished=True)
        if index != before:
            layout.write(output, index)
    counts: Counter[str] = Counter()
    for part in index.parts:
        counts.update(part.counts)
    return Report(index=index, embedded=len(missing), counts=counts)


def _owned(output: Path, model_id: str, what: What) -> Index | None:
    """What is in `output` already.

    Raises:
        OutputError: something else, or an index of another model or of other things.
    """
    before = layout.find(output)
    if before is None:
        if any(not is_lock(path) for path in output.iterdir()):
            raise OutputError(f"{output}: something else is there; choose another --output")
        return None
    if before.model_id != model_id:
        raise OutputError(
            f"{output}: holds embeddings of {before.model_id}, not of {model_id}; "
            "choose another --output"
        )
    if before.what != what:
        raise OutputError(f"{output}: made with --what {before.what}; choose another --output")
    return before


def _described(model: Model, what: What) -> Index:
    encoder = model.load()
    return Index(
        model=model.name,
        model_id=model.model_id,
        preprocessing=encoder.preprocessing,
        dim=encoder.dim,
        what=what,
        fingerprints=(),
    )


def _has_neighbours(output: Path, index: Index) -> bool:
    """Whether the index says the truth about what stands beside it."""
    files = (layout.nearest_path(output, side) for side in index.sides)
    return not index.indexed or all(file.is_file() for file in files)


def _embed(
    shards: Shards,
    missing: Sequence[int],
    found: list[Part | None],
    output: Path,
    model: Model,
    what: What,
    say: Say,
) -> None:
    for done, at in enumerate(missing, 1):
        manifest, shard = shards[at]
        embedded = embed_shard(manifest, shard, number=at, model=model.load(), what=what)
        parts.write(output, embedded)
        found[at] = embedded.part
        say(f"shard {done:,} of {len(missing):,}: {counted(embedded.part.rows, 'embedding')}")


def _with_neighbours(output: Path, index: Index, say: Say) -> Index:
    if index.indexed or not index.rows or not neighbours.is_installed():
        return index
    say(f"clip-retrieval indexes {counted(index.rows, 'embedding')}")
    neighbours.build(output, index.sides)
    return replace(index, indexed=True)
