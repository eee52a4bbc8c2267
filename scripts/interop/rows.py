"""What a loader read, and where it differs from what was written; the standard library alone.

Every environment of a loader imports this module, so nothing of OpenM3W is needed there.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SHOWN = 5
"""Differences that are told of one reading. Ours: the first says what is wrong."""

_WIDTH = 160
"""Characters of a value that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sample as a loader gives it."""

    key: str
    document: Any
    """The sample's JSON."""
    text: str | None = None
    """The sample's `.txt`, where it has one."""
    images: Mapping[str, Any] = field(default_factory=dict)
    """By what follows key and dot: bytes as stored, or a decoded Pillow image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One pass of a loader over one split."""

    way: str
    """How it was read, as "map"; "" where there is one way only."""
    split: str
    """A split's name, or `all` for the manifest's order."""
    rows: Iterable[Row]
    ordered: bool = True
    """Whether the loader promises the order of the shards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What OpenM3W's reader found, see `material.expectation`."""

    kind: str
    splits: Mapping[str, list[dict[str, Any]]]
    images: Path
    """Folder with the bytes of every image under their SHA-256."""

    def rows(self, split: str, *, without_excluded: bool) -> list[dict[str, Any]]:
        """The rows of a split, or of all in the manifest's order."""
        names = list(self.splits) if split == "all" else [split]
        found = [row for name in names for row in self.splits[name]]
        return [row for row in found if not (without_excluded and row["excluded"])]


def load_expected(path: Path) -> Expected:
    """Reads what `material.expectation` gave; images lie beside it."""
    value = json.loads(path.read_text(encoding="utf-8"))
    return Expected(kind=value["kind"], splits=value["splits"], images=path.parent / "images")


def differences(
    reading: Reading, expected: Expected, *, without_excluded: bool
) -> tuple[dict[str, int], list[str]]:
    """Counts of what was read, and a line for each of the first differences."""
    wanted = expected.rows(reading.split, without_excluded=without_excluded)
    rows = list(reading.rows)
    if not reading.ordered:
        rows.sort(key=lambda row: row.key)
        wanted.sort(key=lambda row: row["key"])
    counts = {"samples": len(rows), "images": sum(len(row.images) for row in rows)}
    found = list(_compared(rows, wanted, expected.images))
    return counts, [f"{reading.way} {reading.split}: {line}".lstrip() for line in found[:_SHOWN]]


def _compared(rows: list[Row], wanted: list[dict[str, Any]], images: Path) -> Iterator[str]:
    if len(rows) != len(wanted):
        yield f"{len(rows)} samples, expected {len(wanted)}"
    for at, (row, want) in enumerate(zip(rows, wanted, strict=False)):
        if row.key != want["key"]:
            yield f"sample {at} is {row.key}, expected {want['key']}"
            return  # what follows is shifted
        for name in ("document", "text"):
            if not _same(got := getattr(row, name), want[name]):
                yield f"{row.key}: {name} is {_short(got)}, expected {_short(want[name])}"
        yield from _compared_images(row, want["images"], images)


def _compared_images(row: Row, wanted: Mapping[str, str], images: Path) -> Iterator[str]:
    if list(row.images) != list(wanted):
        yield f"{row.key}: images {list(row.images)}, expected {list(wanted)}"
        return
    for name, got in row.images.items():
        stored = (images / wanted[name]).read_bytes()
        if _digest(got) != _digest(stored if isinstance(got, bytes) else _decoded(stored)):
            yield f"{row.key}.{name}: other {'bytes' if isinstance(got, bytes) else 'pixels'}"


def _same(got: Any, want: Any) -> bool:
    # 1 and 1.0 and True are equal to Python; to a trainer they are not.
    return json.dumps(got, sort_keys=True) == json.dumps(want, sort_keys=True)


def _decoded(data: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("RGB")


def _digest(image: Any) -> str:
    if isinstance(image, bytes):
        return hashlib.sha256(image).hexdigest()
    head = f"{image.mode} {image.size} ".encode()
    return hashlib.sha256(head + image.tobytes()).hexdigest()


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=repr)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."
