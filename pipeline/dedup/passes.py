"""The passes in their order: the same URL, the same text, nearly the same text.

Each goes over what the one before left unmarked, so that of any group one document stays. What is
the first does not depend on the order of the elements or on how they are cut into bundles.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.filters.dedup.exact import id_of, latest_first
from openm3w.pipeline.dedup.hot import PairWithFirst
from openm3w.pipeline.dedup.near import Near, NearDuplicates


class Entry(NamedTuple):
    """A document as the passes see it; "" and b"" take it out of the pass that asks."""

    doc_id: str
    url_key: str
    text_key: str
    fetched: str
    signature: bytes


class Mark(NamedTuple):
    """A document that another one makes superfluous."""

    doc_id: str
    reason: str
    first: str
    """Id of the document that stays before this one; a later pass may mark it too."""


class MarkDuplicates(beam.PTransform[Any, Any]):
    """Entries with distinct ids to marks, one at most for each.

    Raises:
        RecipeError: on a worker, where the rounds for components were too few.
    """

    def __init__(self, near: Near | None) -> None:
        super().__init__()
        self._near = near

    def expand(self, entries: PCollection[Any]) -> PCollection[Any]:
        light = entries | "Light" >> beam.Map(_without_signature)
        of_url = light | "URL" >> KeepFirst("duplicate_url", _by_url)
        light = light | "Not of URL" >> Unmarked(of_url)
        of_text = light | "Text" >> KeepFirst("duplicate_text", _by_text)
        if self._near is None:
            return (of_url, of_text) | beam.Flatten()
        light = light | "Not of text" >> Unmarked(of_text)
        near = (
            {"left": light | "Left" >> beam.Map(_by_id), "all": entries | "All" >> beam.Map(_by_id)}
            | "With signatures" >> beam.CoGroupByKey()
            | "Signatures" >> beam.FlatMap(_signed)
            | "Near" >> NearDuplicates(self._near)
            | "Near marks" >> beam.Map(lambda pair: Mark(pair[0], "near_duplicate", pair[1]))
        )
        return (of_url, of_text, near) | beam.Flatten()


class KeepFirst(beam.PTransform[Any, Any]):
    """Entries to marks on all but the first of each key.

    `keys` yields an entry's key and a string that sorts it; the id follows its last space.
    """

    def __init__(self, reason: str, keys: Callable[[Entry], Iterable[tuple[str, str]]]) -> None:
        super().__init__()
        self._reason, self._keys = reason, keys

    def expand(self, entries: PCollection[Any]) -> PCollection[Any]:
        reason = self._reason
        return (
            entries
            | "Key" >> beam.FlatMap(self._keys)
            | "First" >> PairWithFirst()
            | "Mark" >> beam.Map(lambda found: Mark(id_of(found[2]), reason, id_of(found[1])))
        )


class Unmarked(beam.PTransform[Any, Any]):
    """Entries to those without one of these marks."""

    def __init__(self, marks: PCollection[Mark]) -> None:
        super().__init__()
        self._marks = marks

    def expand(self, entries: PCollection[Entry]) -> PCollection[Entry]:
        return (
            {
                "entries": entries | "Entries" >> beam.Map(_by_id),
                "marks": self._marks | "Marks" >> beam.Map(lambda mark: (mark.doc_id, 1)),
            }
            | "Join" >> beam.CoGroupByKey()
            | "Unmarked" >> beam.FlatMap(lambda kv: [] if any(kv[1]["marks"]) else kv[1]["entries"])
        )


def _without_signature(entry: Entry) -> Entry:
    return entry._replace(signature=b"")


def _by_id(entry: Entry) -> tuple[str, Entry]:
    return entry.doc_id, entry


def _by_url(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.url_key:
        yield entry.url_key, latest_first(entry.fetched, entry.doc_id)


def _by_text(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.text_key:
        yield entry.text_key, f" {entry.doc_id}"


def _signed(joined: tuple[str, Mapping[str, Iterable[Entry]]]) -> Iterator[tuple[str, bytes]]:
    doc_id, sides = joined
    if any(True for _ in sides["left"]):
        for entry in sides["all"]:
            if entry.signature:
                yield doc_id, entry.signature
