"""Which files are sources of text, and of which form."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from openm3w.pipeline.lines import SUFFIXES
from openm3w.pipeline.sources import Sources, find_sources, looks_like_archive

Form = Literal["archive", "lines"]


def find_texts(inputs: Iterable[str]) -> Sources:
    """Archives (WARC, ARC, WET) and JSON lines behind files, folders and globs.

    Raises:
        InputError: nothing is there, or a named file is neither.
    """
    accepts: Callable[[Path], bool] = lambda path: form_of(path) is not None  # noqa: E731
    return find_sources(inputs, accepts=accepts, what="WARC, WET, ARC or JSONL file", option="")


def form_of(path: Path) -> Form | None:
    """What a file is, by its name or its first bytes; None for anything else."""
    if path.name.lower().endswith(SUFFIXES):
        return "lines"
    return "archive" if looks_like_archive(path) else None
