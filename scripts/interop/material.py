"""Three small datasets, one of each kind, with what has broken loaders before.

They are written by OpenM3W's own writer from photographs that scikit-image carries, as those of
`m3w demo`, and hold

- five documents without images at the head of the first shard: HF `datasets` takes its columns from
  the first five samples where the card names none;
- from no image to `MOST_IMAGES` in a document, images side by side, one picture twice;
- text in scripts of both directions, beyond the basic plane, with controls and quotes, and none;
- lists that are empty and numbers that are null at first and not later, integers of over 53 bits;
- pairs with columns of their table: truth values, numbers that are whole at first, nulls, a name
  with a dot and a space;
- several shards, a `val` split, and an excluded sample in each kind.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

import openm3w
from openm3w.pipeline.demo import photos
from openm3w.pipeline.demo.content import Picture
from openm3w.shards import card, manifest, reader
from openm3w.shards.document import (
    Document,
    Image,
    ImageContent,
    Provenance,
    Signals,
    Text,
    make_doc_id,
)
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import KINDS, Kind, Sample, encode_sample
from openm3w.shards.writer import write_shard

MOST_IMAGES = 7
"""Ours: more than HF's first five samples, few enough to read in a blink."""

SHARDS = (("train", 9), ("train", 7), ("train", 1), ("val", 3))
"""Split and samples of each shard."""

EXCLUDED = 10
"""The number of the sample on the exclude list: the second of the second shard."""

_PHOTOS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")
_TEXTS = (
    "Plain words of a first document.",
    "שלום עולם, مرحبا بالعالم, and left to right again",
    "日本語のテキスト — 😀 𠮷𠀋 e\u0301",
    "quotes \" and ' , braces {a,b} [c] ${d}, a backslash \\ and a tab \t",
    "a line\n\nand another\r\n\u2028 with U+2028, \u0000 with U+0000, \u200f and a mark",
    "",
    "long " * 4000,
)


def build(root: Path) -> list[Manifest]:
    """Writes a dataset of each kind below `root`, each in a folder of its name."""
    return [_dataset(root / kind, kind) for kind in KINDS]


def expectation(dataset: Manifest, images: Path) -> dict[str, Any]:
    """What OpenM3W's reader finds, as JSON, in the manifest's order; images become files.

    Args:
        dataset: The dataset.
        images: Folder that takes the bytes of every image under their SHA-256.
    """
    splits: dict[str, list[dict[str, Any]]] = {}
    for shard in dataset.shards:
        for sample in reader.read_shard(dataset, shard, verify="full"):
            row = _expected_row(sample, dataset.kind, images)
            row["excluded"] = sample.key in dataset.exclude
            splits.setdefault(shard.split, []).append(row)
    return {"kind": dataset.kind, "max_images": dataset.max_images, "splits": splits}


def _expected_row(sample: Sample, kind: Kind, images: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"key": sample.key, "document": None, "text": None, "images": {}}
    for name, data in encode_sample(sample, kind):
        suffix = name.removeprefix(f"{sample.key}.")
        if suffix == "json":
            row["document"] = json.loads(data)
        elif suffix == "txt":
            row["text"] = data.decode()
        else:
            row["images"][suffix] = digest = hashlib.sha256(data).hexdigest()
            images.mkdir(parents=True, exist_ok=True)
            (images / digest).write_bytes(data)
    return row


def _dataset(root: Path, kind: Kind) -> Manifest:
    make = {"interleaved": _interleaved, "caption": _caption, "text": _text}[kind]
    samples = [make(number) for number in range(sum(size for _, size in SHARDS))]
    result = Manifest(
        name=f"interop {kind}",
        kind=kind,
        shards=tuple(_shards(root, kind, samples)),
        root=root,
        exclude=(samples[EXCLUDED].key,),
        versions={"openm3w": openm3w.__version__},
        counts={"languages": {"en": 1}},
    )
    card.write_extras(result)
    manifest.write(result)
    return result


def _shards(root: Path, kind: Kind, samples: Sequence[Sample]) -> Iterator[Any]:
    start, in_split = 0, {"train": 0, "val": 0}
    for split, size in SHARDS:
        url = f"data/{split}-{in_split[split]:06d}.tar"
        yield write_shard(root, url, samples[start : start + size], kind=kind, split=split)
        start, in_split[split] = start + size, in_split[split] + 1


def _interleaved(number: int) -> Sample:
    # None in the first five; from one to seven then, and two of one picture in the seventh.
    files = [_jpeg(number + at) for at in range(0 if number < 5 else number % MOST_IMAGES + 1)]
    if number == 6:
        files[-1] = files[0]
    pictures = [_image(number, at, data) for at, data in enumerate(files)]
    texts = [Text(text=_text_of(number + at)) for at in range(1 + number % 3)]
    # Two images side by side, or an image before any text.
    spans = [*pictures[:2], *texts[:1], *pictures[2:], *texts[1:]]
    document = replace(_about(number), spans=tuple(spans), title=_text_of(number)[:40])
    return Sample(key=document.doc_id, document=document, images=tuple(files))


def _caption(number: int) -> Sample:
    data = _jpeg(number)
    extra = {
        "aesthetic": float(number) if number < 6 else number + 0.25,
        "watermark": None if number < 6 else number % 2 == 0,
        "rows of.the table": 2**53 + number,
        "note": None if number < 6 else _text_of(number),
        "sha256": hashlib.sha256(b"as fetched, %d" % number).hexdigest(),
    }
    spans = (_image(number, 0, data), Text(text=_text_of(number)))
    document = replace(_about(number), spans=spans, title="", scores={})
    return Sample(key=document.doc_id, document=document, images=(data,), extra=extra)


def _text(number: int) -> Sample:
    text = _text_of(number)
    document = replace(_about(number), spans=(Text(text=text),) if text else ())
    return Sample(key=document.doc_id, document=document)


def _about(number: int) -> Document:
    late = number >= 6  # after the samples from which a loader may guess
    return Document(
        doc_id=make_doc_id(f"<urn:interop:{number}>"),
        url=f"https://example.org/{number}?q=ä&r={{x}}" if late else "",
        provenance=Provenance(source="a.warc.gz", offset=2**31 * number, length=number),
        signals=Signals(
            language="en" if late else "",
            language_score=0.5 if late else 0.0,
            opt_out=("x-robots-tag: noai",) if late else (),
        ),
        scores={"quality": 1.0, "perplexity": 12.5} if late else {},
    )


def _image(number: int, at: int, data: bytes) -> Image:
    late = number >= 6
    width, height = PillowImage.open(io.BytesIO(data)).size
    return Image(
        url=f"https://example.org/{number}/{at}.jpg" if late else "",
        candidates=(f"https://example.org/{number}/{at}.jpg",) if late else (),
        alt=_text_of(number + at)[:80],
        declared_width=width if late else None,
        content=ImageContent(
            sha256=hashlib.sha256(data).hexdigest(),
            width=width,
            height=height,
            original_width=2 * width,
            original_height=2 * height,
            num_bytes=len(data),
            original_format="png",
        ),
        scores={"similarity": 0.25} if late else {},
    )


def _text_of(number: int) -> str:
    return _TEXTS[number % len(_TEXTS)]


def _jpeg(number: int) -> bytes:
    photo = _PHOTOS[number % len(_PHOTOS)]
    picture = Picture(photo=photo, alt="", caption="", box=(0.1, 0.0, 0.9, 1.0))
    return photos.render(picture, 24 + 13 * number)
