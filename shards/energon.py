"""`.nv-meta/`: what Megatron-Energon 7.4 looks for, so that nobody has to run `energon prepare`.

Its names and forms are those of `energon prepare` (flavors/webdataset/structs.py of 7.4.1); it also
reads the `.tar.idx` beside each shard. See docs/interop.md.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from openm3w.shards import commit, reader
from openm3w.shards.manifest import Manifest
from openm3w.shards.yaml_text import quoted, yaml_list

ENERGON_FOLDER = ".nv-meta"
_CRUDE = "__module__: megatron.energon\n__class__: CrudeWebdataset\n"


class Listed(NamedTuple):
    """A shard as Energon has it."""

    split: str
    url: str
    """Relative to the folder that holds `.nv-meta`."""
    nsamples: int


def write_energon(manifest: Manifest) -> None:
    """Commits `.info.json`, `split.yaml` and `dataset.yaml`.

    Raises:
        OutputError: the folder cannot be written, or is a link.
        ShardError: something is excluded, and a shard is missing or differs from the manifest.
    """
    folder = manifest.folder / ENERGON_FOLDER
    commit.check_folder(folder)
    write_meta(folder, _listed(manifest), _CRUDE, exclude=_excluded(manifest))


def write_meta(
    folder: Path, shards: Sequence[Listed], dataset: str, *, exclude: Iterable[str] = ()
) -> None:
    """Commits the three files for any shards that Energon reads.

    Args:
        folder: `.nv-meta`.
        shards: In order.
        dataset: Text of `dataset.yaml`, which says as what they are read.
        exclude: Samples, as `shard/key`.

    Raises:
        OutputError: the folder cannot be written.
    """
    split = _split(shards, exclude)
    counts = {shard.url: shard.nsamples for shard in shards}
    commit.write_json(folder / ".info.json", {"shard_counts": counts})
    commit.write_bytes(folder / "split.yaml", split.encode())
    commit.write_bytes(folder / "dataset.yaml", dataset.encode())


def energon_split(manifest: Manifest) -> str:
    """Energon's split.yaml: the shards of each split, and what the manifest excludes.

    Energon wants an excluded sample as `shard/key`. Where a key stands is looked up in the headers
    of the shards: to name each key in each shard would be a hundred million lines where ten
    thousand keys are excluded of ten thousand shards.

    Raises:
        ShardError: something is excluded, and a shard is missing or differs from the manifest.
    """
    return _split(_listed(manifest), _excluded(manifest))


def with_braces(name: str) -> str:
    """A name of `split.yaml` as it is on disk; see `_without_braces`."""
    return re.sub(r"\\([\\{}])", r"\1", name)


def _listed(manifest: Manifest) -> list[Listed]:
    return [Listed(shard.split, shard.url, shard.nsamples) for shard in manifest.shards]


def _split(shards: Iterable[Listed], exclude: Iterable[str]) -> str:
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for shard in shards:
        parts.setdefault(shard.split, []).append(shard.url)
    lines = ["split_parts:"]
    for name, urls in parts.items():
        lines += yaml_list(f"  {quoted(name)}", map(_without_braces, urls))
    return "\n".join([*lines, *yaml_list("exclude", map(_without_braces, exclude))]) + "\n"


def _excluded(manifest: Manifest) -> Iterator[str]:
    keys: Collection[str] = frozenset(manifest.exclude)
    for shard in manifest.shards if keys else ():
        for key in reader.read_keys(manifest, shard):
            if key in keys:
                yield f"{shard.url}/{key}"


def _without_braces(name: str) -> str:
    # Energon expands what stands in braces; others' names may have some.
    return re.sub(r"([\\{}])", r"\\\1", name)
