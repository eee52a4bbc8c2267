"""Which samples of a dataset are trained on, and which ones its dev loss is measured on."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openm3w.errors import ShardError
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard, Verify
from openm3w.shards.reader import open_though_cut, read_samples
from openm3w.shards.sample import Sample
from openm3w.shards.skipping import OnBad, Skipped
from openm3w.shards.writer import ShardEntry

TRAIN, DEV = "train", "val"
"""The manifest's split that is trained on, and the one that dev loss is measured on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How shards are checked, and what is done about bad ones."""

    verify: Verify = "quick"
    on_bad: OnBad = "raise"


def dev_samples(
    manifest: Manifest, *, holdout: float, care: Care | None = None
) -> Iterator[Sample]:
    """The samples that are never trained on, in the order of the shards."""
    care = care or Care()
    if has_dev_split(manifest):
        yield from read_samples(manifest, split=DEV, verify=care.verify, on_bad=care.on_bad)
        return
    excluded = frozenset(manifest.exclude)
    for shard in manifest.split(TRAIN):
        # By place, so that a small dev set of large data is found without reading the rest.
        held_out = [i for i in range(shard.nsamples) if is_held_out(shard, i, holdout)]
        for sample in _at(manifest, shard, held_out, care):
            if sample.key not in excluded:
                yield sample


def train_texts(
    manifest: Manifest, *, seed: int, holdout: float, care: Care | None = None
) -> Iterator[str]:
    """The texts of the training samples, shards in seeded order: what a BPE is learned from."""
    care = care or Care()
    share = 0.0 if has_dev_split(manifest) else holdout
    excluded = frozenset(manifest.exclude)
    shards = list(manifest.split(TRAIN))
    random.Random(seed).shuffle(shards)
    for shard in shards:
        places = [i for i in range(shard.nsamples) if not is_held_out(shard, i, share)]
        for sample in _at(manifest, shard, places, care):
            if sample.key not in excluded:
                yield from sample.document.texts


def has_dev_split(manifest: Manifest) -> bool:
    """Whether the data brings a dev set of its own."""
    return bool(nonempty(manifest.split(DEV)))


def is_held_out(shard: ShardEntry, index: int, share: float) -> bool:
    """Whether a hash of a sample's place falls into the held-out share, whatever the seed."""
    digest = hashlib.blake2b(f"{shard.sha256}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def nonempty(shards: Sequence[ShardEntry]) -> list[ShardEntry]:
    """Those with samples."""
    return [shard for shard in shards if shard.nsamples]


def _at(
    manifest: Manifest, shard: ShardEntry, places: Sequence[int], care: Care
) -> Iterator[Sample]:
    """The samples at these places of a shard, but for bad ones, where these are left out."""
    if not places:
        return
    skipped = Skipped()  # is logged; the stream that trains counts
    left = len(places)
    try:
        if care.on_bad == "skip-sample":
            opened, _ = open_though_cut(manifest, shard, care.verify)
        else:
            opened = OpenShard(manifest, shard, verify=care.verify)
        for index in places:
            left -= 1
            try:
                sample = opened.decode(*opened.read(index))
            except ShardError as fault:
                if care.on_bad != "skip-sample":
                    raise
                skipped.sample(fault)
            else:
                yield sample
    except ShardError as fault:
        if care.on_bad == "raise":
            raise
        skipped.shard(fault, samples=left)
