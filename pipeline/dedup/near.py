"""Near duplicates: documents that share a band of their MinHash signatures with a smaller id.

One shuffle by band finds candidate pairs: each document with the least id of each of its bands.
`verify` then compares the signatures of those pairs alone; a Bloom filter of the candidates' ids
keeps all other signatures out of that second shuffle.
"""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import AsSingleton, PCollection
from numpy.typing import NDArray

from openm3w.filters.dedup.components import Edge
from openm3w.filters.dedup.minhash import MinHash, estimated_jaccard
from openm3w.pipeline.dedup.bloom import MakeBloom, is_perhaps_in
from openm3w.pipeline.dedup.components import Components
from openm3w.pipeline.dedup.hot import LookUp, PairWithFirst
from openm3w.pipeline.dedup.settings import Near


class NearDuplicates(beam.PTransform[Any, Any]):
    """(id, signature)... to (id, first id) for each document that has a near duplicate before it.

    Signatures are bytes: little-endian uint32[bands*rows]. The first id is the least that shares a
    band, of the component with rounds.
    """

    def __init__(self, near: Near) -> None:
        super().__init__()
        self._near = near

    def expand(self, signatures: PCollection[Any]) -> PCollection[Any]:
        near = self._near
        pairs = (
            signatures
            | "Bands" >> beam.FlatMap(_banded, near.minhash)
            | "Candidates" >> PairWithFirst()
            | "Pairs" >> beam.Map(lambda found: (found[2], found[1]))
        )
        if near.verify:
            pairs = pairs | "Verify" >> Verify(signatures, near.verify)
        if near.rounds:
            pairs = pairs | "Components" >> Components(near.rounds)
        return pairs | "Least" >> beam.CombinePerKey(min)


class Verify(beam.PTransform[Any, Any]):
    """Pairs of ids to those whose signatures are alike, from (id, signature)..."""

    def __init__(self, signatures: PCollection[tuple[str, bytes]], least: float) -> None:
        super().__init__()
        self._signatures, self._least = signatures, least

    def expand(self, pairs: PCollection[Edge]) -> PCollection[Edge]:
        pairs = pairs | "Distinct" >> beam.Distinct()
        bloom = pairs | "Ids" >> beam.FlatMap(iter) | "Bloom" >> MakeBloom()
        signatures = self._signatures | "Of candidates" >> beam.Filter(
            lambda signed, bits: is_perhaps_in(bits, signed[0]), AsSingleton(bloom)
        )
        return (
            pairs
            | "By one" >> beam.Map(lambda pair: (pair[0], pair))
            | "One" >> LookUp(signatures)
            # The other is the first of a band, and many may be compared with it.
            | "By other" >> beam.Map(lambda found: (found[0][1], found))
            | "Other" >> LookUp(signatures)
            | "Alike" >> beam.FlatMap(_alike, self._least)
        )


def _alike(found: tuple[tuple[Edge, bytes], bytes], least: float) -> Iterator[Edge]:
    (pair, one), other = found
    if estimated_jaccard(unpacked(one), unpacked(other)) >= least:
        yield pair


def packed(signature: NDArray[np.uint32]) -> bytes:
    """A signature as bytes."""
    return signature.astype("<u4").tobytes()


def unpacked(signature: bytes) -> NDArray[np.uint32]:
    """uint32[bands*rows]."""
    return np.frombuffer(signature, dtype="<u4")


def _banded(signed: tuple[str, bytes], minhash: MinHash) -> Iterator[tuple[bytes, str]]:
    doc_id, signature = signed
    for key in minhash.band_keys(unpacked(signature)):
        yield key, doc_id
