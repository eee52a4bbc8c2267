"""Shards to samples, checked against the manifest.

Tar readers stop without a word at a flipped header byte or a cut at a member boundary, so half a
shard can vanish unnoticed; size, digest and sample count of the manifest are what protects. Only
JSON, text and image members are read, never a pickle, and nothing is extracted to disk.

With `verify="full"` a shard is hashed before its first sample is given, not while they are: a
trainer cannot take back a step on a damaged sample, and an error at the shard's end would come
after it. `opened.OpenShard` says why that costs no second reading.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from openm3w.errors import ShardError
from openm3w.shards import files
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import SUFFIXES, VERIFY, OpenShard, Verify, find_index, scan
from openm3w.shards.sample import Sample
from openm3w.shards.skipping import ON_BAD, OnBad, Skipped
from openm3w.shards.storage import Location
from openm3w.shards.strangers import DATA_FOLDER, check_strangers
from openm3w.shards.writer import ShardEntry

__all__ = [
    "DATA_FOLDER",
    "ON_BAD",
    "SUFFIXES",
    "VERIFY",
    "OnBad",
    "OpenShard",
    "Skipped",
    "Verify",
    "check_shard",
    "check_strangers",
    "file_sha256",
    "open_though_cut",
    "read_index",
    "read_keys",
    "read_members_at",
    "read_offsets",
    "read_sample_at",
    "read_samples",
    "read_shard",
    "scan_offsets",
]


def read_samples(
    manifest: Manifest,
    *,
    split: str | None = None,
    verify: Verify = "quick",
    shuffle_seed: int | None = None,
    on_bad: OnBad = "raise",
    skipped: Skipped | None = None,
) -> Iterator[Sample]:
    """All samples of a split (of all splits where None), shard by shard.

    `shuffle_seed` orders the shards; samples inside a shard keep their order. What `on_bad` leaves
    out is counted in `skipped`. With `full` a key that comes twice over the shards is noticed as
    well, for about 60 bytes of memory a sample.

    Raises:
        ShardError: a shard is missing, damaged, short or not in the manifest, with `raise`.
        InputError: a store or server does not give a shard, whatever the policy: what cannot be
            read today is not damaged.
    """
    skipped = Skipped() if skipped is None else skipped
    if verify != "off":
        check_strangers(manifest, on_bad, skipped)
    shards = list(manifest.shards if split is None else manifest.split(split))
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(shards)
    excluded = frozenset(manifest.exclude)
    keys: set[int] | None = set() if verify == "full" and manifest.keys == "own" else None
    for shard in shards:
        for sample in read_shard(manifest, shard, verify=verify, on_bad=on_bad, skipped=skipped):
            if keys is not None and not _is_new(sample, shard, keys, on_bad, skipped):
                continue
            if sample.key not in excluded:
                yield sample


def read_shard(
    manifest: Manifest,
    shard: ShardEntry,
    *,
    verify: Verify = "quick",
    on_bad: OnBad = "raise",
    skipped: Skipped | None = None,
) -> Iterator[Sample]:
    """The samples of one shard, the excluded ones too.

    Raises:
        ShardError: with `raise`: see `OpenShard`; also where the tar ends before its last sample.
        InputError: a store or server does not give it.
    """
    skipped = Skipped() if skipped is None else skipped
    given = 0
    try:
        if on_bad == "skip-sample":
            yield from _singly(manifest, shard, verify, skipped)
            return
        opened = OpenShard(manifest, shard, verify=verify)
        if on_bad == "skip-shard":
            opened.offsets  # noqa: B018 - whose number is wrong in a short shard
        for key, members in opened.samples():
            yield opened.decode(key, members)
            given += 1
    except ShardError as fault:
        if on_bad == "raise":
            raise
        skipped.shard(fault, samples=shard.nsamples - given)


def _singly(
    manifest: Manifest, shard: ShardEntry, verify: Verify, skipped: Skipped
) -> Iterator[Sample]:
    """Whatever samples are whole, found through the index, whatever stands between them.

    With `full` a shard of another digest is left out altogether: which sample differs is unknown.
    """
    opened, cut = open_though_cut(manifest, shard, verify)
    opened.offsets  # noqa: B018 - without them no sample is found behind a damage
    lost, keys = 0, set[str]()
    for index in range(shard.nsamples):
        try:
            key, members = opened.read(index)
            if key in keys:
                raise opened.key_twice(key)
            sample = opened.decode(key, members)
        except ShardError as fault:
            lost += 1
            if cut is None:
                skipped.sample(fault)
            continue
        keys.add(key)
        yield sample
    if cut is not None:
        skipped.shard(cut, samples=lost)


def open_though_cut(
    manifest: Manifest, shard: ShardEntry, verify: Verify
) -> tuple[OpenShard, ShardError | None]:
    """An open shard, and what is wrong with its size, where it may have whole samples all the same.

    Raises:
        ShardError: it is missing, or has another digest; so too another size, with `full`.
    """
    try:
        return OpenShard(manifest, shard, verify=verify), None
    except ShardError as fault:
        if fault.reason != "wrong_size" or verify == "full":
            raise
        return OpenShard(manifest, shard, verify="off"), fault


def _is_new(
    sample: Sample, shard: ShardEntry, keys: set[int], on_bad: OnBad, skipped: Skipped
) -> bool:
    """Notes a key by 64 bits of hash, by which two of 10^8 keys collide with odds of 1 to 3,700."""
    if (known := hash(sample.key)) not in keys:
        keys.add(known)
        return True
    fault = ShardError(
        f"{shard.url}: key {sample.key} occurs a second time; keys are unique in the whole dataset",
        reason="key_twice",
    )
    if on_bad == "raise":
        raise fault
    skipped.sample(fault)
    return False


def read_sample_at(
    manifest: Manifest, shard: ShardEntry, index: int, *, offsets: Sequence[int] | None = None
) -> Sample:
    """One sample by its place in the shard; `offsets` saves reading the index again.

    Whoever reads several of one shard keeps an `OpenShard`.

    Raises:
        ShardError: the index does not point at a sample.
        IndexError: `index` is outside 0 <= index < nsamples.
    """
    opened = _opened(manifest, shard, offsets)
    return opened.decode(*opened.read(index))


def read_members_at(
    manifest: Manifest, shard: ShardEntry, index: int, *, offsets: Sequence[int] | None = None
) -> tuple[str, dict[str, bytes]]:
    """Key and members of one sample as they stand in the tar, as `read_sample_at`."""
    return _opened(manifest, shard, offsets).read(index)


def _opened(manifest: Manifest, shard: ShardEntry, offsets: Sequence[int] | None) -> OpenShard:
    opened = OpenShard(manifest, shard)
    if offsets is not None:
        opened.offsets = offsets
    return opened


def read_offsets(manifest: Manifest, shard: ShardEntry) -> Sequence[int]:
    """Where each sample of a shard begins, and where the last one ends: see `OpenShard.offsets`."""
    return OpenShard(manifest, shard).offsets


def read_keys(manifest: Manifest, shard: ShardEntry) -> Iterator[str]:
    """The keys of a shard in order: see `OpenShard.keys`."""
    return OpenShard(manifest, shard).keys()


def scan_offsets(path: Path) -> tuple[int, ...]:
    """What the index of the tar `path` holds, from the headers of its members.

    Raises:
        ShardError: it is no tar, or it is damaged.
    """
    file = files.open_file(path)
    if file is None:
        raise ShardError(f"{path}: missing", reason="missing")
    return scan(file, plain=False)


def read_index(location: Location) -> tuple[int, ...]:
    """Byte offsets of the samples of a tar, and of its end, as the index beside it has them.

    Raises:
        ShardError: there is no index, or it is damaged.
    """
    if (offsets := find_index(location)) is None:
        raise ShardError(f"{location}.idx: missing; build the shards again", reason="damaged_index")
    return offsets


def check_shard(manifest: Manifest, shard: ShardEntry, *, verify: Verify) -> Location:
    """The shard's place, once it was found right: see `OpenShard`."""
    return OpenShard(manifest, shard, verify=verify).location


def file_sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
