"""Which files are sources of text, and of which form."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from openm3w.errors import NotBuiltError
from openm3w.pipeline.remote import File, Found
from openm3w.pipeline.sources import ARCHIVE_SUFFIXES, Sources, find_sources, looks_like_archive
from openm3w.pipeline.tables import forms
from openm3w.pipeline.text.fields import find_text

Form = Literal["archive", "table"]


def find_texts(inputs: Iterable[str], text_column: str = "") -> Sources:
    """Archives (WARC, ARC, WET) and tables behind files, folders, globs and URIs.

    Raises:
        InputError: nothing is there, a named file is neither, or a table has no column of texts
            (of JSON lines by the first hundred).
        NotBuiltError: an archive is not on this machine.
        MissingError: the package for the protocol of a URI is not installed.
    """
    found = find_sources(
        inputs,
        accepts=lambda path: form_of(path) is not None,
        remote=_is_remote_table,
        what=f"WARC, WET or ARC file, or {forms.WHAT}",
        option="",
    )
    of_form = {source.file: forms.form_of(source.file) for source in found.archives}
    fixed = [file for file, form in of_form.items() if form in ("parquet", "csv", "tsv")]
    for file, have in zip(fixed, forms.columns_of_all(fixed), strict=True):
        find_text(have, text_column, file)
    # What damage there is in lines is counted when they are read.
    lines = [file for file, form in of_form.items() if form == "lines"]
    for file, have in zip(lines, forms.keys_of_all(lines), strict=True):
        if have:
            find_text(have, text_column, file)
    return found


def form_of(file: File) -> Form | None:
    """What a file is, by its name or its first bytes; None for anything else.

    Raises:
        OSError: it cannot be read.
        InputError: it is elsewhere and cannot be read.
    """
    if forms.is_table(file):
        return "table"
    return "archive" if isinstance(file, Path) and looks_like_archive(file) else None


def _is_remote_table(found: Found) -> bool:
    if found.file.name.lower().endswith(ARCHIVE_SUFFIXES):
        raise NotBuiltError(f"{found.file}: reading remote archives is not built yet; copy it here")
    return forms.is_remote_table(found)
