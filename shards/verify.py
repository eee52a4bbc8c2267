"""Does a dataset hold what its manifest says, byte by byte and sample by sample?"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from openm3w.errors import ShardError
from openm3w.shards import decoding, storage
from openm3w.shards.document import Image
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard, find_index
from openm3w.shards.reader import DATA_FOLDER
from openm3w.shards.sample import KEY, Sample
from openm3w.shards.writer import ShardEntry

Depth = Literal["images", "full", "quick", "off"]
"""`images`: as `full`, and every sample is decoded as a document and every image opened; `full`:
every byte is hashed; `quick`: names, sizes and indexes; `off`: that all is there, by its index."""

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


def verify(manifests: Sequence[Manifest], *, depth: Depth = "images") -> Verification:
    """Checks every shard of every dataset; a fault in one does not hide those of the next."""
    result = Verification()
    seen: set[str] = set()
    for manifest in manifests:
        for shard in manifest.shards:
            result.shards += 1
            try:
                if depth == "images":
                    _verify_shard(manifest, shard, seen, result)
                else:
                    opened = OpenShard(manifest, shard, verify=depth)
                    result.samples += len(opened.offsets) - 1
                    result.images += shard.images
            except ShardError as error:
                result.faults.append(str(error))
        result.faults += _strangers(manifest)
    return result


def _verify_shard(
    manifest: Manifest, shard: ShardEntry, seen: set[str], result: Verification
) -> None:
    opened = OpenShard(manifest, shard, verify="full")
    path = opened.location
    if manifest.keys == "foreign":
        seen = set()
    result.faults += _index_faults(opened)
    images = characters = most = 0
    for key, members in opened.samples():
        sample = opened.decode(key, members)
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


def _index_faults(opened: OpenShard) -> Iterator[str]:
    try:
        offsets = find_index(opened.location)
        is_right = offsets is None or offsets == opened.scan()
    except ShardError as error:
        yield str(error)
    else:
        if not is_right:
            yield f"{opened.location}.idx: does not point at the samples of its tar"


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
    for name in storage.names_below(manifest.root / DATA_FOLDER):
        url = f"{DATA_FOLDER}/{name}"
        if url not in known:
            why = "left by an interrupted write" if url.endswith(".tmp") else "not in the manifest"
            yield f"{manifest.root / url}: {why}; remove it"
