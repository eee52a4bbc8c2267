"""Which files are tables, of which form, and how each form is read."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Literal

from openm3w.errors import InputError
from openm3w.pipeline.remote import File, Found, RemoteFile, first_bytes
from openm3w.pipeline.tables.columns import TEXT, TWICE, types_of
from openm3w.pipeline.tables.delimited import read_delimited, read_head
from openm3w.pipeline.tables.lines import read_lines
from openm3w.pipeline.tables.parquet import column_types, read_parquet
from openm3w.pipeline.tables.rows import Cells

Form = Literal["parquet", "lines", "csv", "tsv"]

WHAT = "Parquet, JSONL, CSV or TSV table"

_PACKED = ("", ".gz", ".zst")
_ENDINGS: dict[str, Form] = {
    **{f".{name}": "parquet" for name in ("parquet", "parq", "pq")},
    **{f".{name}{packed}": "lines" for name in ("jsonl", "ndjson") for packed in _PACKED},
    # Dolma's and C4's names; a .json that is not packed is most often one object and no table.
    **{f".json{packed}": "lines" for packed in _PACKED if packed},
    **{f".csv{packed}": "csv" for packed in _PACKED},
    **{f".tsv{packed}": "tsv" for packed in _PACKED},
}
_PARQUET = b"PAR1"
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_AT_ONCE = 16
"""Tables whose columns are asked at once (ours)."""
_LOOKED_AT = 100
"""Lines of a JSONL table whose keys are its columns."""


def form_of(file: File) -> Form | None:
    """What a table is, Parquet by its first bytes and the rest by name; None for other files.

    Elsewhere each look is a request: there a name that says it is believed.

    Raises:
        OSError: the file cannot be read.
        InputError: it is elsewhere and cannot be read.
    """
    by_name = _form_by_name(file)
    if isinstance(file, RemoteFile) and by_name:
        return by_name
    if first_bytes(file, len(_PARQUET)) == _PARQUET:
        return "parquet"
    return by_name if by_name != "parquet" else None


def is_table(file: File) -> bool:
    """Whether a file is a table, by its first bytes or its name."""
    return form_of(file) is not None


def is_remote_table(found: Found) -> bool:
    """Whether a file elsewhere is a table; of a folder's files by name, for not each is asked."""
    return _form_by_name(found.file) is not None or (found.alone and is_table(found.file))


def columns_of_all(files: Iterable[File]) -> list[dict[str, str]]:
    """The columns of each table, asked at once: elsewhere each is a wait.

    Raises:
        InputError: one is no table, or damaged where its columns are told.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(columns_of, files))


def columns_of(file: File) -> dict[str, str]:
    """The columns of a table and their types in Arrow; of JSON lines those of the first hundred.

    Raises:
        InputError: it is no table, or damaged where its columns are told.
    """
    form = form_of(file)
    if form == "parquet":
        return column_types(file)
    if form == "lines":
        return _keys(file)
    if form is None:
        raise InputError(f"{file}: not a {WHAT} (by name and first bytes)")
    count = Counter(read_head(file, _DELIMITERS[form]).columns)
    return {name: TEXT if times == 1 else TWICE for name, times in count.items()}


def keys_of(file: File) -> dict[str, str]:
    """The columns of a table of JSON lines by the first hundred, none where no object is in them.

    Raises:
        InputError: it is elsewhere and cannot be read, or in another charset than UTF-8.
    """
    return types_of(line.values for line in islice(read_lines(file), _LOOKED_AT))


def keys_of_all(files: Iterable[File]) -> list[dict[str, str]]:
    """`keys_of` of each table, asked at once.

    Raises:
        InputError: as of `keys_of`.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(keys_of, files))


def read_table(file: File, columns: Sequence[str], texts: Collection[str] = ()) -> Iterator[Cells]:
    """All rows of a table, with those of these columns that it has, and with others or not.

    What is bytes in the columns `texts` is read as UTF-8.

    Raises:
        InputError: it is no table, or is elsewhere and cannot be read.
    """
    form = form_of(file)
    if form == "parquet":
        have = column_types(file)
        return read_parquet(file, [name for name in columns if name in have], texts)
    if form == "lines":
        return read_lines(file)
    if form is None:
        raise InputError(f"{file}: not a {WHAT} (by name and first bytes)")
    delimiter = _DELIMITERS[form]
    return read_delimited(file, delimiter, read_head(file, delimiter))


def _form_by_name(file: File) -> Form | None:
    name = file.name.lower()
    return next((form for ending, form in _ENDINGS.items() if name.endswith(ending)), None)


def _keys(file: File) -> dict[str, str]:
    why = "it has no lines"

    def values() -> Iterator[Mapping[str, Any]]:  # one after the other: a hundred may be long
        nonlocal why
        for line in islice(read_lines(file), _LOOKED_AT):
            why = line.detail or why
            yield line.values

    found = types_of(values())
    if not found:
        raise InputError(f"{file}: no JSON object in its first lines: {why}")
    return found
