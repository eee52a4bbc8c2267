"""A tar without a manifest, as somebody else's or a lone shard, as a dataset to look at."""

import json
import tarfile
from pathlib import Path

from openm3w.errors import ShardError
from openm3w.shards import reader
from openm3w.shards.captioned import IMAGE_SUFFIXES
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind
from openm3w.shards.writer import ShardEntry

ENDING = ".tar"
_MAX_JSON = 16 << 20
"""Bytes of a JSON that is looked at to tell what a tar holds."""


def bare(path: Path) -> Manifest:
    """The samples of one tar, as a dataset of which nothing is known but what is there.

    Raises:
        ShardError: it is no tar, is damaged, or holds no samples that we know.
    """
    kind = _kind_of(path)
    indexed = path.with_name(f"{path.name}.idx").is_file()
    offsets = reader.read_index(path) if indexed else reader.scan_offsets(path)
    shard = ShardEntry(
        url=path.name,
        split="train",
        nsamples=len(offsets) - 1,
        filesize=path.stat().st_size,
        sha256="",
        images=0,
        characters=0,
        max_images=0,
    )
    return Manifest(
        name=path.name, kind=kind, shards=(shard,), root=path.resolve().parent, keys="foreign"
    )


def is_bare(dataset: Manifest) -> bool:
    """Whether a dataset is such a tar: those that have a manifest have digests."""
    return (
        len(dataset.shards) == 1
        and not dataset.shards[0].sha256
        and dataset.name == dataset.shards[0].url
    )


def _kind_of(path: Path) -> Kind:
    names, text = _first_sample(path)
    if "json" in names and _is_interleaved(text):
        return "interleaved"
    if names & set(IMAGE_SUFFIXES) and names & {"txt", "json"}:
        return "caption"
    if {"txt", "json"} <= names:
        return "text"
    has = ", ".join(sorted(f".{name}" for name in names)) or "nothing"
    raise ShardError(
        f"{path}: its first sample has {has}: neither an image with .txt or .json, nor .txt "
        "with .json, nor a .json with texts and images; m3w shards import reads other formats"
    )


def _first_sample(path: Path) -> tuple[set[str], bytes]:
    """Suffixes of its members, and its JSON."""
    names: set[str] = set()
    key, text = None, b""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                if not member.isreg():
                    continue
                stem, _, suffix = member.name.partition(".")
                if key not in (None, stem):
                    break
                key = stem
                names.add(suffix.lower())
                if suffix == "json" and member.size <= _MAX_JSON:
                    found = tar.extractfile(member)
                    text = found.read() if found else b""
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ShardError(f"{path}: no tar that can be read: {error}") from error
    return names, text


def _is_interleaved(text: bytes) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and {"texts", "images", "image_metadata"} <= value.keys()
