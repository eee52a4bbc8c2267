"""Shards that repeat others: the same bytes, the same samples, or some samples key and all."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from openm3w.pipeline.captions.adopt_memory import Facts
from openm3w.pipeline.captions.adopt_tar import UnfitShardError

_AT_ONCE = 10_000_000
"""Hashes that are sorted at once: some 400 MB."""

_REMOVE = "remove one of the two"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """What of a folder comes twice."""

    faults: Mapping[Path, UnfitShardError] = field(default_factory=dict)
    """By the later shard of two."""
    keys_repeat: bool = False
    """Whether different samples have the same key, in different shards."""


def find_repeats(found: Mapping[Path, Facts]) -> Repeats:
    """Looks at all shards in their order; of two that are the same the first is kept."""
    faults: dict[Path, UnfitShardError] = {}
    for what, name in (("bytes are those", "sha256"), ("samples are those", "samples_sha256")):
        first: dict[str, Path] = {}
        for tar, facts in found.items():
            if facts.nsamples == 0 or tar in faults:
                continue
            other = first.setdefault(getattr(facts, name), tar)
            if other is not tar:
                faults[tar] = UnfitShardError(
                    "duplicate", f"{tar}: its {what} of {other.name}", _REMOVE
                )
    left = [(tar, facts) for tar, facts in found.items() if tar not in faults]
    for later, earlier, count in _shared([facts for _, facts in left], column=1):
        (tar, facts), (other, _) = left[later], left[earlier]
        if not {tar, other} & faults.keys():
            message = f"{tar}: {count} of its {facts.nsamples} samples are in {other.name}, too"
            faults[tar] = UnfitShardError("duplicate", message, _REMOVE)
    left = [(tar, facts) for tar, facts in left if tar not in faults]
    keys_repeat = any(True for _ in _shared([facts for _, facts in left], column=0))
    return Repeats(faults=faults, keys_repeat=keys_repeat)


def _shared(found: Sequence[Facts], *, column: int) -> Iterator[tuple[int, int, int]]:
    """A later shard, an earlier one, and how many hashes they share; in order of the later."""
    parts = 1 + sum(facts.nsamples for facts in found) // _AT_ONCE
    pairs: Counter[tuple[int, int]] = Counter()
    for part in range(parts):
        chosen = [facts.load_hashes()[:, column] for facts in found]
        chosen = [hashes[hashes % parts == part] for hashes in chosen]
        pairs.update(_meetings(chosen))
    for (later, earlier), count in sorted(pairs.items(), key=lambda item: (item[0][0], -item[1])):
        yield later, earlier, count


def _meetings(shards: Sequence[Any]) -> Counter[tuple[int, int]]:
    """How often a shard has a hash whose first holder is another."""
    if not any(len(hashes) for hashes in shards):
        return Counter()
    values = np.concatenate(shards)
    owners = np.repeat(np.arange(len(shards)), [len(hashes) for hashes in shards])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    lengths = np.diff(np.append(starts, len(values)))
    first = np.repeat(owners[starts], lengths)
    pairs = np.stack([owners, first], axis=1)[owners != first]
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    return Counter({(int(a), int(b)): int(n) for (a, b), n in zip(found, counts, strict=True)})
