"""How often a caption occurs among all pairs, and which of equal pairs is the first.

Only pairs' rows are shuffled. Counts and first ids are combined before, so that a caption that
millions have is no more work than any other.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.transforms.combiners import Count

Row = dict[str, Any]
OCCURRENCES, IS_FIRST = "occurrences", "is_first"
"""What is put into a pair's row."""


def count_captions(pairs: PCollection[tuple[str, tuple[str, Row]]]) -> PCollection[Any]:
    """Pairs (image, (block, row)) with how many have the same caption in their rows."""
    keyed = pairs | "By caption" >> beam.Map(lambda pair: (_digest(pair[1][1]["caption"]), pair))
    counts = keyed | "Captions" >> Count.PerKey()
    return (
        {"pairs": keyed, "found": counts}
        | "Count captions" >> beam.CoGroupByKey()
        | "Counted" >> beam.FlatMap(_counted)
    )


def mark_first(joined: PCollection[tuple[str, tuple[Row, Row]]]) -> PCollection[Any]:
    """Pairs (block, (row, image's row)), each told whether no equal one has a smaller id."""
    keyed = joined | "By content" >> beam.Map(lambda pair: (_content(*pair[1]), pair))
    firsts = (
        keyed
        | "Ids" >> beam.MapTuple(lambda key, pair: (key, pair[1][0]["doc_id"]))
        | "Smallest id" >> beam.CombinePerKey(min)
    )
    return (
        {"pairs": keyed, "found": firsts}
        | "Compare ids" >> beam.CoGroupByKey()
        | "Marked" >> beam.FlatMap(_marked)
    )


def _counted(joined: tuple[str, Any]) -> Iterator[tuple[str, tuple[str, Row]]]:
    (count,) = joined[1]["found"]
    for image, (block, row) in joined[1]["pairs"]:
        yield image, (block, {**row, OCCURRENCES: count})


def _marked(joined: tuple[str, Any]) -> Iterator[tuple[str, tuple[Row, Row]]]:
    (first,) = joined[1]["found"]
    for block, (row, image) in joined[1]["pairs"]:
        yield block, ({**row, IS_FIRST: row["doc_id"] == first}, image)


def _content(row: Row, image: Row) -> str:
    """A key of picture and caption; an image that is not there is equal to itself alone."""
    picture = image.get("phash") or image["sha256"] or f"{row['doc_id']} "
    return _digest(f"{picture} {row['caption']}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
