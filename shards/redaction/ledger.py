"""`redactions.jsonl`: what was taken out and when, in hashes; beside the store, never published.

A later request is matched by making the same hashes of it: see
`openm3w.pipeline.fetch.store.forgotten`. The file is appended to by writing it anew, so that it is
whole whenever it is read.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openm3w.errors import OutputError
from openm3w.shards import commit

NAME = "redactions.jsonl"


def read(store: Path) -> list[dict[str, Any]]:
    """All entries, the oldest first.

    Raises:
        OutputError: the file is damaged.
    """
    path = store / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise OutputError(f"{path}: damaged ({error}); mend or move it away") from error


def append(store: Path, entry: Mapping[str, Any]) -> None:
    """Adds an entry.

    Raises:
        OutputError: the file is damaged or cannot be written.
    """
    entries: Sequence[Mapping[str, Any]] = [*read(store), entry]
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in entries)
    commit.write_bytes(store / NAME, lines.encode())
