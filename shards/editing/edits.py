"""Datasets made of datasets: `merge`, `split` and `shuffle`.

Each gives the same bytes for the same data, options and name, in any folder. Samples are copied
member by member as they are; what is made anew are indexes, manifest, card and, of captions, the
tables beside the shards.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from openm3w.errors import InputError, RecipeError
from openm3w.shards.editing import cutting
from openm3w.shards.editing.cutting import Size
from openm3w.shards.editing.keeping import OnDuplicate, choose
from openm3w.shards.editing.provenance import Command
from openm3w.shards.editing.sources import Sources
from openm3w.shards.editing.writing import Edited, Plan, Say, edit
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample


def merge(
    parts: Sequence[Manifest],
    output: Path,
    *,
    name: str = "",
    on_duplicate: OnDuplicate = "fail",
    say: Say,
) -> Edited:
    """One dataset of several of one kind: their shards as they are cut, with new numbers.

    Raises:
        InputError: parts are of different kinds, or one comes twice, or keys do.
        OutputError: see `edit`.
        ShardError: see `edit`.
    """
    _check_parts(parts)
    named = name or " + ".join(dict.fromkeys(part.name for part in parts))
    command = Command(name="merge", options={"on_duplicate": on_duplicate}, dataset=named)

    def planned(sources: Sources) -> Plan:
        kept = choose(sources, on_duplicate=on_duplicate, across=False)
        return Plan(kept=kept, cuts=cutting.as_cut(sources, kept))

    return edit(command, parts, output, planned, say)


def _check_parts(parts: Sequence[Manifest]) -> None:
    kinds = sorted({part.kind for part in parts})
    if len(kinds) > 1:
        raise InputError(
            f"datasets of {' and '.join(kinds)} cannot be one; join them to a mixture with "
            "`m3w shards join`"
        )
    roots = [part.root.resolve() for part in parts]
    if twice := next((root for root in roots if roots.count(root) > 1), None):
        raise InputError(f"{twice}: named twice; name each dataset once")


def split(
    dataset: Manifest,
    output: Path,
    *,
    size: Size,
    val_share: float | None = None,
    group: Callable[[Sample], str],
    seed: int = 0,
    say: Say,
) -> Edited:
    """The same samples in shards of another size, or with another hold-out.

    Args:
        dataset: What is read.
        output: Folder that is written.
        size: Of the shards; without one they have at most as many samples as the largest now.
        val_share: Share of the groups whose samples become `val`; None leaves splits as they are.
        group: What of a sample decides its split.
        seed: Of the hashes that choose the groups.
        say: Is told how far it is.

    Raises:
        RecipeError: neither a size nor a share is given.
        InputError: see `edit`.
        OutputError: see `edit`.
        ShardError: see `edit`.
    """
    if not size.samples and not size.tar_bytes and val_share is None:
        raise RecipeError("nothing to do: name a size of the shards, or a share to hold out")
    options: dict[str, float] = {
        "samples_per_shard": size.samples,
        "max_bytes": size.tar_bytes,
    }
    if val_share is not None:
        options |= {"val_share": val_share, "seed": seed}
    if not size.samples and not size.tar_bytes:
        size = Size(samples=max((shard.nsamples for shard in dataset.shards), default=0))
    command = Command(name="split", options=options, dataset=dataset.name)

    def planned(sources: Sources) -> Plan:
        kept = choose(sources, across=True)
        if val_share is None:
            splits = cutting.splits_as_are(sources, kept)
        else:
            splits = cutting.held_out(sources, kept, group, val_share, seed)
        return Plan(kept=kept, cuts=cutting.recut(sources, size, splits))

    return edit(command, [dataset], output, planned, say)


def shuffle(
    dataset: Manifest, output: Path, *, seed: int, samples_per_shard: int = 0, say: Say
) -> Edited:
    """The same samples in another order, over all shards of a split.

    Reads every shard once in order, for its digest; of every sample one header; and every sample
    once more by a ranged read of its own, in the order in which they are written.

    Raises:
        InputError: see `edit`.
        OutputError: see `edit`.
        ShardError: see `edit`.
    """
    options = {"seed": seed, "samples_per_shard": samples_per_shard}
    command = Command(name="shuffle", options=options, dataset=dataset.name)

    def planned(sources: Sources) -> Plan:
        kept = choose(sources, across=True)
        return Plan(kept=kept, cuts=cutting.shuffled(sources, kept, seed, samples_per_shard))

    return edit(command, [dataset], output, planned, say)
