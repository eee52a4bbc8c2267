"""Does a dataset hold what its manifest says, byte by byte and sample by sample?"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openm3w.errors import ShardError
from openm3w.shards import decoding, reader
from openm3w.shards.document import Image
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import KEY, Sample
from openm3w.shards.writer import ShardEntry

DATA_FOLDER = "data"
_BESIDE = (".idx", ".lengths")
"""What may stand beside a shard, after its name."""
_BESIDE_CAPTIONS = (".parquet", "_stats.json")
"""What img2dataset writes beside a shard of captions, after its name without `.tar`."""


@dataclass(slots=True, kw_only=True)
class Verification:
    """What was looked at, and one line for each fault."""

    shards: int = 0
    samples: int = 0
    images: int = 0
    faults: list[str] = field(default_factory=list)


def verify(manifests: Sequence[Manifest], *, quick: bool = False) -> Verification:
    """Checks every shard of every dataset; a fault in one does not hide those of the next.

    `quick` looks at names, sizes and indexes only; otherwise every byte is read, every sample
    decoded as a document and every image opened.
    """
    result = Verification()
    seen: set[str] = set()
    for manifest in manifests:
        for shard in manifest.shards:
            result.shards += 1
            try:
                if quick:
                    result.samples += len(reader.read_offsets(manifest, shard)) - 1
                    result.images += shard.images
                else:
                    _verify_shard(manifest, shard, seen, result)
            except ShardError as error:
                result.faults.append(str(error))
        result.faults += _strangers(manifest)
    return result


def _verify_shard(
    manifest: Manifest, shard: ShardEntry, seen: set[str], result: Verification
) -> None:
    path = reader.check_shard(manifest, shard, verify="full")
    if manifest.keys == "foreign":
        seen = set()
    result.faults += _index_faults(path)
    images = characters = most = 0
    for sample in reader.read_shard(manifest, shard, verify="off"):
        result.samples += 1
        result.faults += [f"{path}: {fault}" for fault in _sample_faults(sample, manifest, seen)]
        seen.add(sample.key)
        images += len(sample.images)
        characters += sample.document.num_characters
        most = max(most, len(sample.images))
    result.images += images
    for name, found, said in (
        ("images", images, shard.images),
        ("characters", characters, shard.characters),
        ("images in one sample at most", most, shard.max_images),
    ):
        if found != said:
            result.faults.append(f"{path}: {found} {name}, the manifest says {said}")


def _index_faults(path: Path) -> Iterator[str]:
    if path.with_name(f"{path.name}.idx").is_file():
        try:
            right = reader.read_index(path) == reader.scan_offsets(path)
        except ShardError as error:
            yield str(error)
        else:
            if not right:
                yield f"{path}.idx: does not point at the samples of its tar"


def _sample_faults(sample: Sample, manifest: Manifest, seen: set[str]) -> Iterator[str]:
    if manifest.keys == "own" and not KEY.fullmatch(sample.key):
        yield f"key {sample.key!r} is not well formed (lower-case letters, digits, - and _)"
    if sample.key in seen:
        where = "in the whole dataset" if manifest.keys == "own" else "in their shard"
        yield f"key {sample.key} occurs a second time; keys are unique {where}"
    for number, (image, data) in enumerate(
        zip(sample.document.images, sample.images, strict=True), 1
    ):
        for fault in _image_faults(image, data, manifest):
            yield f"sample {sample.key}: image {number} {fault}"


def _image_faults(image: Image, data: bytes, manifest: Manifest) -> Iterator[str]:
    decoded = decoding.decode(data)
    if decoded is None:
        yield "does not decode"
        return
    content = image.content
    if content is None:
        yield "has no recorded size"
        return
    noted = (content.width, content.height)
    if manifest.kind == "caption":  # of others, who do not always note a size
        noted = (content.width or decoded.width, content.height or decoded.height)
    if decoded.size != noted:
        width, height = decoded.size
        yield f"is {width} x {height}, recorded as {content.width} x {content.height}"
    # Caption shards of img2dataset carry the digest of the file before it was resized.
    is_ours = manifest.kind == "interleaved"
    if is_ours and hashlib.sha256(data).hexdigest() != content.sha256:
        yield "does not have the recorded sha256"


def _strangers(manifest: Manifest) -> Iterator[str]:
    """Files of the data folder that no shard of the manifest accounts for."""
    known = {f"{shard.url}{ending}" for shard in manifest.shards for ending in ("", *_BESIDE)}
    if manifest.kind == "caption":
        stems = (shard.url.removesuffix(".tar") for shard in manifest.shards)
        known |= {f"{stem}{ending}" for stem in stems for ending in _BESIDE_CAPTIONS}
    folder = manifest.root / DATA_FOLDER
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.relative_to(manifest.root).as_posix() not in known:
            why = "left by an interrupted write" if path.suffix == ".tmp" else "not in the manifest"
            yield f"{path}: {why}; remove it"
