"""A Bloom filter (Bloom 1970) of ids, small enough to be sent to every worker.

It lets through all ids that were put in and a share of the others: with more ids than it was made
for that share grows and the result stays right.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import PCollection

_BITS = 1 << 26  # 8 MiB; lets 0.5 % of other ids through after 5 million, 24 % after 20 million
_HASHES = 4


class MakeBloom(beam.PTransform[Any, Any]):
    """Ids to one filter, as bytes."""

    def expand(self, ids: PCollection[Any]) -> PCollection[Any]:
        return ids | "Fill" >> beam.CombineGlobally(_Fill())


def is_perhaps_in(bloom: bytes, name: str) -> bool:
    """False says surely not."""
    return all(bloom[bit >> 3] >> (bit & 7) & 1 for bit in _bits(name))


class _Fill(beam.CombineFn):
    def create_accumulator(self) -> bytearray:
        return bytearray()  # as long as nothing is in, for bundles without an id

    def add_input(self, accumulator: bytearray, element: str) -> bytearray:
        if not accumulator:
            accumulator = bytearray(_BITS // 8)
        for bit in _bits(element):
            accumulator[bit >> 3] |= 1 << (bit & 7)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[bytearray]) -> bytearray:
        merged = np.zeros(_BITS // 8, dtype=np.uint8)
        for accumulator in accumulators:
            if accumulator:
                merged |= np.frombuffer(accumulator, dtype=np.uint8)
        return bytearray(merged.tobytes())

    def extract_output(self, accumulator: bytearray) -> bytes:
        return bytes(accumulator) or bytes(_BITS // 8)


def _bits(name: str) -> list[int]:
    digest = hashlib.blake2b(name.encode(), digest_size=4 * _HASHES).digest()
    return [
        int.from_bytes(digest[at : at + 4], "little") % _BITS for at in range(0, 4 * _HASHES, 4)
    ]
