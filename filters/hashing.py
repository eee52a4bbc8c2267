"""Chance that depends on nothing but a seed and a document's id."""

import hashlib


def unit_interval(seed: int, purpose: str, doc_id: str) -> float:
    """A number in [0, 1), the same on every machine.

    `purpose` keeps two draws about one document independent of each other.
    """
    digest = hashlib.blake2b(f"{seed}\n{purpose}\n{doc_id}".encode(), digest_size=8).digest()
    # 53 bits are what a float holds exactly, so the result never rounds up to 1.
    return (int.from_bytes(digest) >> 11) / (1 << 53)
