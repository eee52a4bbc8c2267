"""`.nv-meta/`: what Megatron-Energon 7.4 looks for, so that nobody has to run `energon prepare`.

Its names and forms are those of `energon prepare` (flavors/webdataset/structs.py of 7.4.1); it also
reads the `.tar.idx` beside each shard. See docs/interop.md.
"""

import re
from collections.abc import Collection, Iterator

from openm3w.shards import commit, reader
from openm3w.shards.manifest import Manifest
from openm3w.shards.yaml_text import quoted, yaml_list

ENERGON_FOLDER = ".nv-meta"


def write_energon(manifest: Manifest) -> None:
    """Commits `.info.json`, `split.yaml` and `dataset.yaml`.

    Raises:
        OutputError: the folder cannot be written, or is a link.
        ShardError: something is excluded, and a shard is missing or differs from the manifest.
    """
    folder = manifest.folder / ENERGON_FOLDER
    commit.check_folder(folder)
    split = energon_split(manifest)
    counts = {shard.url: shard.nsamples for shard in manifest.shards}
    commit.write_json(folder / ".info.json", {"shard_counts": counts})
    commit.write_bytes(folder / "split.yaml", split.encode())
    commit.write_bytes(
        folder / "dataset.yaml", b"__module__: megatron.energon\n__class__: CrudeWebdataset\n"
    )


def energon_split(manifest: Manifest) -> str:
    """Energon's split.yaml: the shards of each split, and what the manifest excludes.

    Energon wants an excluded sample as `shard/key`. Where a key stands is looked up in the headers
    of the shards: to name each key in each shard would be a hundred million lines where ten
    thousand keys are excluded of ten thousand shards.

    Raises:
        ShardError: something is excluded, and a shard is missing or differs from the manifest.
    """
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for shard in manifest.shards:
        parts.setdefault(shard.split, []).append(shard.url)
    lines = ["split_parts:"]
    for name, urls in parts.items():
        lines += yaml_list(f"  {quoted(name)}", map(_without_braces, urls))
    excluded = map(_without_braces, _excluded(manifest))
    return "\n".join([*lines, *yaml_list("exclude", excluded)]) + "\n"


def _excluded(manifest: Manifest) -> Iterator[str]:
    keys: Collection[str] = frozenset(manifest.exclude)
    for shard in manifest.shards if keys else ():
        for key in reader.read_keys(manifest, shard):
            if key in keys:
                yield f"{shard.url}/{key}"


def _without_braces(name: str) -> str:
    # Energon expands what stands in braces; others' names may have some.
    return re.sub(r"([\\{}])", r"\\\1", name)
