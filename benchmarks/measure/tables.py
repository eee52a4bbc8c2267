"""What every benchmark prints: rows of Markdown, and versions."""

from collections.abc import Iterable
from importlib import metadata


def version(distribution: str) -> str:
    """Of an installed distribution, or "missing"."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "missing"


def print_row(cells: Iterable[str]) -> None:
    """One row of a table."""
    print("|", " | ".join(cells), "|", flush=True)
