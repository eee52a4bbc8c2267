"""What the writers of other formats share: one shard of ours at a time, and its images in a tar."""

import contextlib
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w.shards import commit
from openm3w.shards.document import Image
from openm3w.shards.members import dump
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.writer import add_member, index_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A shard that is to be written in another format."""

    numbered: Iterator[tuple[int, Sample]]
    """Samples with their place in our shard, from 0."""
    root: Path
    kind: Kind
    split: str
    number: int
    """In its split, from 0."""
    url: str
    """Of our shard."""
    with_images: bool = True
    """Whether a format that names images by address only gets a tar with them beside."""

    @property
    def samples(self) -> Iterator[Sample]:
        return (sample for _, sample in self.numbered)

    @property
    def stem(self) -> str:
        return f"{self.split}-{self.number:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was written of a shard."""

    split: str
    url: str
    """Of its file."""
    kept: int
    dropped: Mapping[str, int]
    """By reason."""


Write = Callable[[Part], Done]
Finish = Callable[[Path, Sequence[Done]], None]
"""Writes what stands once in a folder."""

AddImage = Callable[[str, Image, bytes], None]


def image_name(sample: Sample, index: int) -> str:
    """Name of an image in the tar beside a table, without its suffix."""
    return f"{sample.key}-{index:03d}"


@contextlib.contextmanager
def image_tar(part: Part) -> Iterator[AddImage]:
    """`images/<stem>.tar` in the form of img2dataset, by which an import finds the images again."""
    if not part.with_images:
        yield lambda *_: None
        return
    with committed_tar(part.root / "images" / f"{part.stem}.tar") as tar:

        def add_image(name: str, image: Image, data: bytes) -> None:
            content = image.content
            about: dict[str, Any] = {"url": image.url, "key": name, "status": "success"}
            if content is not None:
                about |= {
                    "width": content.width,
                    "height": content.height,
                    "original_width": content.original_width,
                    "original_height": content.original_height,
                    "sha256": content.sha256,
                }
            tar.add(f"{name}.json", dump(about))
            tar.add(f"{name}.jpg", data)

        yield add_image


class Tar:
    """A tar that is written, its bytes those of its members alone."""

    def __init__(self, file: tarfile.TarFile) -> None:
        self._file = file

    @property
    def offset(self) -> int:
        """Where the next member begins."""
        return self._file.offset

    def add(self, name: str, data: bytes) -> None:
        add_member(self._file, name, data)
        # tarfile keeps every header that it wrote.
        self._file.members.clear()  # type: ignore[attr-defined]


@contextlib.contextmanager
def committed_tar(path: Path) -> Iterator[Tar]:
    """A tar that appears whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    with (
        commit.committed(path) as file,
        # Keys of others may be longer than a plain header takes.
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        yield Tar(tar)


def write_index(path: Path, offsets: Sequence[int]) -> None:
    """Commits the `.idx` beside a tar: where each sample begins, and where the last one ends."""
    commit.write_bytes(path, index_bytes(offsets))
