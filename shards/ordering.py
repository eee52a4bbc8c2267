"""The order of a corpus: which split and which shard a document is of, by hashes alone.

The same on every runner, after every crash and in every folder.
"""

import hashlib
import re

HASH_RANGE = 1 << 64
_SPLIT = re.compile(r"\w[\w.-]{0,63}", re.ASCII)


def order_hash(doc_id: str, seed: int) -> int:
    """The place of a document in the corpus' order: 0 <= hash < 2^64."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {doc_id}".encode(), digest_size=8).digest())


def shard_of(doc_id: str, seed: int, num_shards: int) -> int:
    """floor(hash * N / 2^64): a document more or less changes one shard."""
    return order_hash(doc_id, seed) * num_shards // HASH_RANGE


def split_by(group: str, val_share: float, seed: int) -> str:
    """`val` or `train` by a hash: what has the same `group` is never in both."""
    return "val" if order_hash(group, seed) < val_share * HASH_RANGE else "train"


def is_split(name: str) -> bool:
    """Whether a split may be called so: it is part of files' names, and data may be anybody's."""
    return _SPLIT.fullmatch(name) is not None


def shard_url(split: str, index: int) -> str:
    """Where a shard stands, seen from its manifest."""
    return f"data/{split}-{index:06d}.tar"
