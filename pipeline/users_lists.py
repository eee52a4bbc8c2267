"""The bytes of a list that a user names: a file of short lines, and nothing without an end."""

from pathlib import Path

MAX_LINE = 64 << 10
"""Bytes; ours: eight of the longest URLs. A file of longer lines is no list, and is not held."""


def read_short_lines(path: Path) -> bytes:
    """A whole list.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a device or a pipe, or has a line longer than `MAX_LINE`.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError("is a device or a pipe; name a file")
    lines = list[bytes]()
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise ValueError(f"line {len(lines) + 1} is longer than {MAX_LINE} bytes: no list")
            lines.append(line)
    return b"".join(lines)
