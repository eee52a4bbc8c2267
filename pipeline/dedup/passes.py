"""The passes in their order: the same record, URL and text, and nearly the same text.

Each goes over what the one before left unmarked, so that of any group one document stays. What is
the first does not depend on the order of the elements or on how they are cut into bundles.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.filters.dedup.exact import latest_first, name_of
from openm3w.pipeline.dedup.hot import PairWithFirst
from openm3w.pipeline.dedup.near import NearDuplicates
from openm3w.pipeline.dedup.settings import Near


class Entry(NamedTuple):
    """A document as the passes see it; "" and b"" take it out of the pass that asks."""

    name: str
    """Different for each entry, and beginning with the document's id: see `Place`."""
    url_key: str
    text_key: str
    fetched: str
    signature: bytes
    image_set: bytes = b""
    """Key of the set of its images, b"" where it has none: no pass asks for it, ranks do."""


class Mark(NamedTuple):
    """A document that another one makes superfluous."""

    name: str
    reason: str
    first: str
    """Name of the document that stays before this one; a later pass may mark it too."""


class Place(NamedTuple):
    """What a name says: a document's id and where in this run's store it is."""

    doc_id: str
    unit: str = ""
    """"" for a document of an earlier crawl, whose name is its id alone: it comes first."""
    row: int = -1

    @classmethod
    def of(cls, name: str) -> "Place":
        """The inverse of `name`."""
        doc_id, *rest = name.split(" ")
        return cls(doc_id, rest[0], int(rest[1])) if rest else cls(doc_id)

    @property
    def name(self) -> str:
        """Sorts by id, then unit, then row."""
        return f"{self.doc_id} {self.unit} {self.row:09d}" if self.unit else self.doc_id


class MarkDuplicates(beam.PTransform[Any, Any]):
    """Entries with distinct names to marks, one at most for each.

    Raises:
        RecipeError: on a worker, where the rounds for components were too few.
    """

    def __init__(self, near: Near | None) -> None:
        super().__init__()
        self._near = near

    def expand(self, entries: PCollection[Any]) -> PCollection[Any]:
        light = entries | "Light" >> beam.Map(_without_signature)
        of_record = light | "Record" >> KeepFirst("duplicate_record", _by_record)
        light = light | "Not of record" >> Unmarked(of_record)
        of_url = light | "URL" >> KeepFirst("duplicate_url", _by_url)
        light = light | "Not of URL" >> Unmarked(of_url)
        of_text = light | "Text" >> KeepFirst("duplicate_text", _by_text)
        if self._near is None:
            return (of_record, of_url, of_text) | beam.Flatten()
        light = light | "Not of text" >> Unmarked(of_text)
        near = (
            {
                "left": light | "Left" >> beam.Map(_by_name),
                "all": entries | "All" >> beam.Map(_by_name),
            }
            | "With signatures" >> beam.CoGroupByKey()
            | "Signatures" >> beam.FlatMap(_signed)
            | "Near" >> NearDuplicates(self._near)
            | "Near marks" >> beam.Map(lambda pair: Mark(pair[0], "near_duplicate", pair[1]))
        )
        return (of_record, of_url, of_text, near) | beam.Flatten()


class KeepFirst(beam.PTransform[Any, Any]):
    """Entries to marks on all but the first of each key.

    `keys` yields an entry's key and a string that sorts it; the name follows its first space.
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
            | "Mark" >> beam.Map(lambda found: Mark(name_of(found[2]), reason, name_of(found[1])))
        )


class Unmarked(beam.PTransform[Any, Any]):
    """Entries to those without one of these marks."""

    def __init__(self, marks: PCollection[Mark]) -> None:
        super().__init__()
        self._marks = marks

    def expand(self, entries: PCollection[Entry]) -> PCollection[Entry]:
        return (
            {
                "entries": entries | "Entries" >> beam.Map(_by_name),
                "marks": self._marks | "Marks" >> beam.Map(lambda mark: (mark.name, 1)),
            }
            | "Join" >> beam.CoGroupByKey()
            | "Unmarked" >> beam.FlatMap(lambda kv: [] if any(kv[1]["marks"]) else kv[1]["entries"])
        )


def _without_signature(entry: Entry) -> Entry:
    return entry._replace(signature=b"")


def _by_name(entry: Entry) -> tuple[str, Entry]:
    return entry.name, entry


def _by_record(entry: Entry) -> Iterator[tuple[str, str]]:
    yield Place.of(entry.name).doc_id, f" {entry.name}"


def _by_url(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.url_key:
        yield entry.url_key, latest_first(entry.fetched, entry.name)


def _by_text(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.text_key:
        yield entry.text_key, f" {entry.name}"


def _signed(joined: tuple[str, Mapping[str, Iterable[Entry]]]) -> Iterator[tuple[str, bytes]]:
    name, sides = joined
    if any(True for _ in sides["left"]):
        for entry in sides["all"]:
            if entry.signature:
                yield name, entry.signature
