"""Groups and joins that stay small where one key has a large share of all elements.

A page that a crawl holds a million times is one key with a million values. Hot keys are found by
counting a fixed sample of the elements; what concerns them goes out as a side input, so that their
elements are dealt with one by one where they are. Everything else is grouped, and no group has
more than some ten thousand elements. The sample decides the way alone and never the result.
Elements are sampled by their values, so that the values of one key should be distinct, as ids are.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import AsDict, PCollection, TaggedOutput
from apache_beam.transforms.combiners import Count

SAMPLE = 64
"""One element of this many is counted."""
HOT = 64
"""Counted elements beyond which a key is hot: some 4,096 elements."""


class PairWithFirst(beam.PTransform[Any, Any]):
    """(key, value)... to (key, first, value) for every value that is not its key's least.

    Values are strings and compared as such.
    """

    def expand(self, keyed: PCollection[tuple[Any, str]]) -> PCollection[tuple[Any, str, str]]:
        hot = hot_keys(keyed)
        firsts = (
            keyed
            | "Of hot keys" >> beam.Filter(_is_in, AsDict(hot))
            | "First of hot keys" >> beam.CombinePerKey(min)
        )
        split = keyed | "Split" >> beam.ParDo(_PairHot(), AsDict(firsts)).with_outputs(
            "cold", main="pairs"
        )
        grouped = split.cold | "Group" >> beam.GroupByKey() | "Pair" >> beam.ParDo(_PairGroup())
        return (split.pairs, grouped) | beam.Flatten()


class LookUp(beam.PTransform[Any, Any]):
    """(key, value)... to (value, record)..., from (key, record)...

    A key has at most one record; what wants a key without one is left out.
    """

    def __init__(self, records: PCollection[tuple[Any, Any]]) -> None:
        super().__init__()
        self._records = records

    def expand(self, wanted: PCollection[tuple[Any, Any]]) -> PCollection[tuple[Any, Any]]:
        hot = hot_keys(wanted)
        hot_records = self._records | "Hot records" >> beam.Filter(_is_in, AsDict(hot))
        split = wanted | "Split" >> beam.ParDo(
            _LookUpHot(), AsDict(hot), AsDict(hot_records)
        ).with_outputs("cold", main="found")
        joined = (
            {"wanted": split.cold, "records": self._records}
            | "Join" >> beam.CoGroupByKey()
            | "Found" >> beam.FlatMap(_found)
        )
        return (split.found, joined) | beam.Flatten()


def hot_keys(keyed: PCollection[tuple[Any, Any]]) -> PCollection[tuple[Any, bool]]:
    """(key, True) for each key that very many elements have."""
    return (
        keyed
        | "Sample" >> beam.Filter(_is_sampled)
        | "Sampled keys" >> beam.Keys()
        | "Count sample" >> Count.PerElement()
        | "Hot" >> beam.FlatMap(lambda counted: [(counted[0], True)] if counted[1] > HOT else [])
    )


class _PairHot(beam.DoFn):
    """Pairs the elements of hot keys, and hands on the others."""

    def process(self, element: tuple[Any, str], firsts: Mapping[Any, str]) -> Iterator[Any]:
        key, value = element
        first = firsts.get(key)
        if first is None:
            yield TaggedOutput("cold", element)
        elif value != first:
            yield key, first, value


class _PairGroup(beam.DoFn):
    def __init__(self) -> None:
        self._sizes = Metrics.distribution("dedup", "group_size")

    def process(self, group: tuple[Any, Iterable[str]]) -> Iterator[tuple[Any, str, str]]:
        key, values = group[0], list(group[1])
        self._sizes.update(len(values))
        first = min(values)
        for value in values:
            if value != first:
                yield key, first, value


class _LookUpHot(beam.DoFn):
    """Answers what wants hot keys, and hands on the others."""

    def process(
        self, element: tuple[Any, Any], hot: Mapping[Any, bool], records: Mapping[Any, Any]
    ) -> Iterator[Any]:
        key, value = element
        if key not in hot:
            yield TaggedOutput("cold", element)
        elif key in records:
            yield value, records[key]


def _found(joined: tuple[Any, Mapping[str, Iterable[Any]]]) -> Iterator[tuple[Any, Any]]:
    _, sides = joined
    for record in sides["records"]:
        for value in sides["wanted"]:
            yield value, record


def _is_in(element: tuple[Any, Any], hot: Mapping[Any, bool]) -> bool:
    return element[0] in hot


def _is_sampled(element: tuple[Any, Any]) -> bool:
    # By what the element is and not by chance: a bundle that is tried again must agree.
    return zlib.crc32(repr(element[1]).encode()) % SAMPLE == 0
