"""What a deletion request names: values, and files that list them."""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from openm3w.errors import InputError
from openm3w.pipeline.fetch.store import forgotten
from openm3w.pipeline.fetch.store.forgotten import Sort
from openm3w.pipeline.fetch.store.opening import entries_of
from openm3w.pipeline.fetch.store.tombstones import (
    Tombstones,
    check_suffixes,
    read_list,
    spelled,
)

_LISTS = (".txt", ".csv", ".tsv", ".lst", ".list", ".json", ".jsonl")
"""Endings of files: what has one and is not there is a mistyped name, and no domain."""

Entry = tuple[Sort, str]
"""Sort, and the one spelling that is compared."""


def entries(named: Mapping[Sort, Sequence[str]], files: Sequence[str]) -> list[Entry]:
    """Everything that a request names.

    A value of an option is a file where one of that name is on this machine, and else what the
    option says. A line of a file is of the option's sort; of `files`, which may be URIs, it may be
    of any, told apart by its form.

    Raises:
        InputError: a value or a line is of another sort, or a file cannot be read.
    """
    found: list[Entry] = []
    for sort, values in named.items():
        for value in values:
            lines = _lines(value) if _is_file(value, sort) else [value]
            found += _of_sort(sort, lines, value)
    found += (spelled(line) for line in Tombstones.of(entries_of({}, files)).lines)
    check_suffixes(spelling for sort, spelling in found if sort == "domain")
    return list(dict.fromkeys(found))


def lines_of(some: Iterable[Entry], salt: str) -> list[str]:
    """Tombstones of the entries, as hashes under this salt."""
    return sorted(forgotten.forgotten(sort, spelling, salt) for sort, spelling in some)


def _is_file(value: str, sort: Sort) -> bool:
    if os.path.isfile(value):  # noqa: PTH113 - a value may be longer than a file's name
        return True
    if sort != "url" and value.lower().endswith(_LISTS):
        raise InputError(f"--{sort} {value}: there is no such file")
    return False


def _lines(name: str) -> list[str]:
    return [line for line in read_list(name) if line.strip() and not line.lstrip().startswith("#")]


def _of_sort(sort: Sort, lines: Iterable[str], where: str) -> Iterator[Entry]:
    for line in lines:
        if sort == "doc-id":  # keys that others wrote are of any letters, and ours are digits
            text = line.partition(" #")[0].strip()
            if not text or any(unicodedata.category(letter) == "Cc" for letter in text):
                raise InputError(f"--doc-id {text[:80]!r}: is no document's id")
            yield "doc-id", text
            continue
        try:
            (entry,) = Tombstones.of(entries_of({sort: [line]}, ())).lines
        except ValueError:
            raise InputError(f"--{sort} {where}: a line of it names nothing") from None
        yield spelled(entry)
