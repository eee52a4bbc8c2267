"""A Parquet table of interleaved documents as OBELICS or MINT-1T publish them, to look at as it is.

Its images are addresses; nothing is fetched, and each is shown by what the table says of it.
"""

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

from openm3w.errors import InputError, ShardError
from openm3w.shards.catalog.numbered import Numbered, Part, Shown
from openm3w.shards.document import Document
from openm3w.shards.interop import mint1t, obelics, tables
from openm3w.shards.interop.rows import Found, Left
from openm3w.shards.sample import Sample

ENDING = ".parquet"

_BLOCK = 256
"""Rows that are kept decoded together: a few screens of a list."""

Convert = Callable[[tables.Rows], Iterator[Found]]

_FORMS: tuple[tuple[frozenset[str], Sequence[str], Convert], ...] = (
    (frozenset({"texts", "images", "general_metadata"}), obelics.COLUMNS, obelics.convert),
    (frozenset({"texts", "images"}), mint1t.HTML_COLUMNS, mint1t.convert_html),
)
"""Columns by which a table is known, those that are read of it, and what makes documents of rows;
the first that fits counts."""


class Table(Numbered):
    """The rows of a table. One that comes to no document keeps its number, and says why."""

    def __init__(self, path: Path) -> None:
        self._path = path
        names, self._sizes = tables.groups(path)
        form = next((form for form in _FORMS if form[0] <= set(names)), None)
        if form is None:
            raise InputError(
                f"{path}: has no columns texts and images, as OBELICS and MINT-1T have; it has "
                f"{', '.join(names[:20])}; m3w shards import reads other tables"
            )
        _, self._columns, self._convert = form
        self._ends = list(itertools.accumulate(self._sizes))
        if not self._ends or not self._ends[-1]:
            raise InputError(f"{path}: has no rows")
        self._block = lru_cache(maxsize=8)(self._read_block)

    def __len__(self) -> int:
        return self._ends[-1]

    def read(self, number: int) -> Shown:
        """Row `number`; its document has no bytes of images."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        group = bisect.bisect_right(self._ends, number)
        index = number - self._ends[group] + self._sizes[group]
        document = self._block(group, index // _BLOCK)[index % _BLOCK]
        return Shown(
            sample=Sample(key=_key(number), document=document),
            kind="interleaved",
            dataset=self._path.name,
            split="train",
            number=number + 1,
            total=len(self),
        )

    def keys(self) -> Iterator[str]:
        """Numbers of rows: what a row is called the formats do not say."""
        return map(_key, range(len(self)))

    def parts(self) -> Sequence[Part]:
        """One for each row group."""
        return [
            Part(
                first=end - size,
                size=size,
                kind="interleaved",
                dataset=self._path.name,
                split="train",
                documents=partial(self._documents, group, end - size),
            )
            for group, (end, size) in enumerate(zip(self._ends, self._sizes, strict=True))
        ]

    @property
    def roots(self) -> Sequence[str]:
        """The file."""
        return [str(self._path.resolve())]

    @property
    def state(self) -> Sequence[str]:
        """Its size, and when it was written."""
        about = self._path.stat()
        return [f"{about.st_size} {about.st_mtime_ns}"]

    def _documents(self, group: int, first: int) -> Iterator[tuple[str, Document]]:
        for number, document in enumerate(self._rows(group), first):
            yield _key(number), document

    def _read_block(self, group: int, block: int) -> list[Document]:
        return list(itertools.islice(self._rows(group), block * _BLOCK, (block + 1) * _BLOCK))

    def _rows(self, group: int) -> Iterator[Document]:
        try:
            rows = tables.group_rows(self._path, group, self._columns)
            yield from map(_document, self._convert(rows))
        except InputError as error:
            raise ShardError(str(error)) from error


def _key(number: int) -> str:
    return f"row-{number + 1:09d}"


def _document(found: Found) -> Document:
    if isinstance(found, Left):
        return Document(doc_id="", dropped=f"import: {found.reason}")
    return replace(found.document, doc_id=found.document.doc_id or found.own_id)
