"""Megatron-Energon: WebDataset shards with `.nv-meta/`, interleaved or captioned.

By megatron-energon 7.4.1 (flavors/interleaved.py, flavors/captioning.py) and its documentation
(docs/source/basic/data_prep.md, docs/source/advanced/custom_sample_loader.md): of interleaved
samples a JSON with parallel `images` and `texts`, an image named by what follows the sample's key
and a dot; of captions an image and a text, by the `field_map` of `dataset.yaml`. `split.yaml` names
the shards of each split, and what is excluded. Our own shards are read by Energon as they are, as
crude samples; an export writes the forms that need no code of a user's.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openm3w.errors import InputError, MissingError
from openm3w.shards import commit
from openm3w.shards.captioned import caption_fields, caption_of
from openm3w.shards.document import Image, Text
from openm3w.shards.energon import ENERGON_FOLDER, Listed, with_braces, write_meta
from openm3w.shards.interop import carried
from openm3w.shards.interop.archives import Members
from openm3w.shards.interop.interleaved_tar import carried_row, read_tar
from openm3w.shards.interop.pairs import Fields, read_pairs
from openm3w.shards.interop.rows import Found, Left, Row, mapping, text
from openm3w.shards.interop.sources import Source
from openm3w.shards.interop.writing import Done, Part, committed_tar, write_index
from openm3w.shards.members import dump, utf8
from openm3w.shards.sample import Sample

_TYPE = "sample_type:\n  __module__: megatron.energon\n  __class__: {}\n"
_INTERLEAVED = _TYPE.format("InterleavedSample") + (
    "part_filter: sample_loader.py:part_filter\nsample_loader: sample_loader.py:sample_loader\n"
)
_CAPTIONING = _TYPE.format("CaptioningSample") + "field_map:\n  image: jpg\n  caption: txt\n"
_LOADER = '''\
"""Samples of this dataset as megatron.energon.InterleavedSample; written by OpenM3W."""


def sample_loader(raw: dict) -> dict:
    about = raw["json"]
    pairs = zip(about["texts"], about["images"])
    sequence = [raw[image] if text is None else text for text, image in pairs]
    return {"__key__": raw["__key__"], "sequence": sequence}


def part_filter(part: str) -> bool:
    return True
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What `.nv-meta` says of a dataset."""

    root: Path
    splits: Mapping[str, str] = field(default_factory=dict)
    """Shards, relative to `root` -> split."""
    excluded: frozenset[str] = frozenset()
    """Shards, and samples as `shard/key`."""
    fields: Fields = field(default_factory=Fields)

    def url(self, path: Path) -> str:
        """A shard's name in these lists."""
        return path.resolve().relative_to(self.root.resolve()).as_posix()


def split_of(path: Path) -> str | None:
    """The split that `split.yaml` has a shard in; None where it is in none."""
    meta = _meta(path)
    return meta.splits.get(meta.url(path))


def read(source: Source) -> Iterator[Found]:
    """The interleaved samples of a shard."""
    meta = _meta(source.path)
    url = meta.url(source.path)
    for found in () if url in meta.excluded else read_tar(source.path, carried_row):
        is_excluded = isinstance(found, Row) and f"{url}/{found.own_id}" in meta.excluded
        yield Left(reason="excluded", outcome="dropped") if is_excluded else found


def write(part: Part) -> Done:
    """`<stem>.tar` and its `.idx`."""
    return _write(part, _interleaved_members)


def read_captions(source: Source) -> Iterator[Found]:
    """The pairs of a shard."""
    meta = _meta(source.path)
    url = meta.url(source.path)
    if url in meta.excluded:
        return
    prefix = f"{url}/"
    keys = (name.removeprefix(prefix) for name in meta.excluded if name.startswith(prefix))
    with Members(source.path) as members:
        yield from read_pairs(members, meta.fields, is_unique=True, excluded=frozenset(keys))


def write_captions(part: Part) -> Done:
    """`<stem>.tar` and its `.idx`."""
    return _write(part, _caption_members)


def finish(root: Path, done: Sequence[Done]) -> None:
    """`.nv-meta/` of interleaved shards."""
    commit.write_bytes(root / ENERGON_FOLDER / "sample_loader.py", _LOADER.encode())
    _finish(root, done, _INTERLEAVED)


def finish_captions(root: Path, done: Sequence[Done]) -> None:
    """`.nv-meta/` of captioned shards."""
    _finish(root, done, _CAPTIONING)


def _finish(root: Path, done: Sequence[Done], dataset: str) -> None:
    shards = [Listed(each.split, each.url, each.kept) for each in done]
    write_meta(root / ENERGON_FOLDER, shards, dataset)


def _write(part: Part, members: Any) -> Done:
    url, offsets = f"{part.stem}.tar", list[int]()
    with committed_tar(part.root / url) as tar:
        for sample in part.samples:
            offsets.append(tar.offset)
            for name, data in members(sample):
                tar.add(name, data)
        end = tar.offset
    write_index(part.root / f"{url}.idx", [*offsets, end])
    return Done(split=part.split, url=url, kept=len(offsets), dropped={})


def _interleaved_members(sample: Sample) -> Iterator[tuple[str, bytes]]:
    document = sample.document
    names: list[str | None] = []
    for span in document.spans:
        is_image = isinstance(span, Image)
        names.append(f"{len(names) - names.count(None):03d}.jpg" if is_image else None)
    about = {
        "images": names,
        "texts": [span.text if isinstance(span, Text) else None for span in document.spans],
        "url": document.url,
        carried.IMAGES: carried.of_images(document),
        carried.FIELD: carried.of_document(document),
    }
    yield f"{sample.key}.json", dump(about)
    for index, data in enumerate(sample.images):
        yield f"{sample.key}.{index:03d}.jpg", data


def _caption_members(sample: Sample) -> Iterator[tuple[str, bytes]]:
    about = caption_fields(sample.key, sample.document, sample.extra)
    yield f"{sample.key}.json", dump(about)
    yield f"{sample.key}.jpg", sample.images[0]
    yield f"{sample.key}.txt", utf8(caption_of(sample.document))


def _meta(path: Path) -> Meta:
    """What the `.nv-meta` of the dataset says that a shard is of: the nearest above it."""
    for root in path.absolute().parents:
        if (folder := root / ENERGON_FOLDER).is_dir():
            return _read_meta(root, folder.stat().st_mtime_ns)
    return Meta(root=path.absolute().parent)


@functools.lru_cache(maxsize=4)
def _read_meta(root: Path, _changed: int) -> Meta:
    split = _yaml(root / ENERGON_FOLDER / "split.yaml")
    parts = mapping(split.get("split_parts"))
    fields = mapping(_yaml(root / ENERGON_FOLDER / "dataset.yaml").get("field_map"))
    excluded = split.get("exclude")
    return Meta(
        root=root,
        splits={
            with_braces(name): part
            for part, names in parts.items()
            for name in (names if isinstance(names, list) else ())
            if isinstance(name, str) and isinstance(part, str)
        },
        excluded=(
            frozenset(with_braces(str(name)) for name in excluded)
            if isinstance(excluded, list)
            else frozenset()
        ),
        fields=Fields(image=text(fields.get("image")), caption=text(fields.get("caption"))),
    )


def _yaml(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        import yaml
    except ImportError as error:
        raise MissingError(
            "Energon's .nv-meta needs the pyyaml package; pip install 'openm3w[formats]'"
        ) from error
    try:
        return mapping(yaml.safe_load(path.read_bytes()))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no YAML: {str(error).splitlines()[0]}") from error
