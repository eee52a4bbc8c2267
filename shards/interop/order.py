"""What an import is told to do, and the digits by which it finds its own output."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w import __version__
from openm3w.errors import InputError
from openm3w.shards.interop.formats import Format
from openm3w.shards.interop.rows import Found
from openm3w.shards.interop.sources import Source
from openm3w.shards.sample import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is imported, and how."""

    format: Format
    sources: Sequence[Source]
    output: Path
    name: str
    kind: Kind
    images: Sequence[Path] = ()
    """Folders and tar files with the images that rows name."""
    min_images: int = 0
    """Documents with fewer images in the end are left out."""
    samples_per_shard: int = 1000

    def __post_init__(self) -> None:
        if self.kind not in self.format.kinds or self.format.read is None:
            raise ValueError(f"{self.format.name} has no {self.kind} samples that can be read")

    def read(self, source: Source) -> Iterator[Found]:
        """The rows of a source."""
        return self.format.read(source) if self.format.read else iter(())


def recipe_of(order: Order) -> dict[str, Any]:
    """What the manifest says of an import; folders of images are of one machine, and not in it."""
    return {
        "import": {
            "format": order.format.name,
            "sources": len(order.sources),
            "min_images": order.min_images,
            "samples_per_shard": order.samples_per_shard,
        }
    }


def digest(order: Order) -> str:
    """Digits over all that decides what is written; images by the sizes of their files."""
    seen = hashlib.sha256(f"{__version__}\n{order.name}\n{order.kind}\n".encode())
    seen.update(repr(recipe_of(order)).encode())
    for source in order.sources:
        seen.update(source.digest.encode())
    for place in order.images:
        files = sorted(path for path in place.rglob("*") if path.is_file()) or [place]
        for path in files:
            if not path.is_file():
                raise InputError(f"{place}: no such folder or tar file")
            seen.update(f"{path.name}\n{path.stat().st_size}\n".encode("utf-8", "surrogateescape"))
    return seen.hexdigest()[:32]
