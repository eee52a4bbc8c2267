"""What goes with buried pages and images in a store of interleaved builds."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from openm3w.filters.url import url_key
from openm3w.pipeline.buried import covers_page
from openm3w.pipeline.captions.buried import is_buried
from openm3w.pipeline.redacting import tables
from openm3w.pipeline.redacting.meant import Meant
from openm3w.shards.document import Document, Image
from openm3w.shards.sample import document_from_json


def document_tables(store: Path) -> Iterator[Path]:
    """The pages' tables of all units of all builds."""
    for table in sorted((store / "documents").glob("*/*.parquet")):
        if not table.name.endswith(".records.parquet"):
            yield table


def pictures(store: Path, meant: Meant) -> set[str]:
    """Canonical URLs of pictures that go with what is meant.

    The other sizes of an image that is meant, as its element names them; and of a page that is
    meant those images that no page names which stays.
    """
    sizes: set[str] = set()
    alone: set[str] = set()
    for page, document in _documents(store, meant):
        for image in document.images:
            if page or meant.image(image):
                (alone if page else sizes).update(_keys(image))
    for page, document in _documents(store, meant) if alone else ():
        for image in () if page else document.images:
            if alone and not meant.image(image):
                alone.difference_update(_keys(image))
    return sizes | alone


def holders(store: Path, meant: Meant) -> set[str]:
    """Ids of the documents that have an image that is meant, whether or not they were chosen."""
    return {
        document.doc_id
        for page, document in _documents(store, meant)
        if not page and any(map(meant.image, document.images))
    }


def addresses(store: Path, meant: Meant) -> Iterator[str]:
    """Canonical URLs of the pages that are meant, by whatever they are."""
    return (url_key(document.url) for page, document in _documents(store, meant) if page)


def _documents(store: Path, meant: Meant) -> Iterator[tuple[bool, Document]]:
    """All documents of a store, and whether the page is meant."""
    for table in document_tables(store):
        for row in tables.read(table, ["url", "doc_id", "document"]):
            if row["document"]:
                page = covers_page(meant.tombstones, row["url"], row["doc_id"])
                yield page, document_from_json(tables.loads(row["document"]))


def _keys(image: Image) -> Iterator[str]:
    return (url_key(url) for url in (image.url, *image.candidates) if url)


def pair_pictures(store: Path, meant: Meant) -> set[str]:
    """Keys of pictures of caption builds that only pairs name which are meant."""
    blocks = sorted((store / "rows").glob("*/*.parquet"))
    alone: set[str] = set()
    for row in (row for block in blocks for row in tables.read(block, PAIR)):
        if is_meant_pair(row, meant):
            alone.add(row["image"])
    for row in (row for block in blocks if alone for row in tables.read(block, PAIR)):
        if not is_meant_pair(row, meant):
            alone.discard(row["image"])
    return alone


PAIR = ("doc_id", "image", "url", "page")
"""Columns of a caption build's pairs that say whether one is meant."""


def is_meant_pair(row: tables.Row, meant: Meant) -> bool:
    """Whether a pair is meant: by its picture, its page or its id."""
    return row["image"] in meant.keys or is_buried(row, meant.tombstones)


def references(keys: Iterable[str]) -> Iterator[str]:
    """The URLs in keys of caption builds, by which what was fetched is known."""
    for key in keys:
        scope, _, reference = key.partition("|")
        if "://" in reference and "://" not in scope:
            yield reference
