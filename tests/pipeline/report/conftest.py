"""Datasets, a build's report and a browser for the tests of reports."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from openm3w.shards import card
from openm3w.shards import manifest as manifests
from openm3w.shards.document import Document, Image, ImageContent, Signals, Text, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.writer import write_shard


def jpeg(seed: int) -> bytes:
    buffer = io.BytesIO()
    PillowImage.new("RGB", (320, 240), (40 * seed % 256, 90, 200)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_sample(
    number: int,
    *,
    title: str = "",
    words: str = "Words of it.",
    num_images: int = 2,
    dropped: str = "",
) -> Sample:
    key = make_doc_id(f"<urn:{number}>")
    datas = tuple(jpeg(number + at) for at in range(num_images))
    pictures = [
        Image(
            url=f"https://img.example/{number}-{at}.jpg",
            alt=words,
            scores={"similarity": 0.2 + at / 10},
            content=ImageContent(
                sha256="0" * 64,
                width=320,
                height=240,
                original_width=640,
                original_height=480,
                num_bytes=len(data),
            ),
        )
        for at, data in enumerate(datas)
    ]
    document = Document(
        doc_id=key,
        url=f"https://site{number % 3}.example/{number}",
        title=title or f"Title {number}",
        spans=(Text(text=words), *pictures),
        signals=Signals(language=("en", "de")[number % 2]),
        dropped=dropped,
    )
    return Sample(key=key, document=document, images=datas)


def make_dataset(root: Path, samples: Sequence[Sample], **about: object) -> Manifest:
    entry = write_shard(root, "data/train-000000.tar", samples, kind="interleaved", split="train")
    fields = {"name": "a set", "kind": "interleaved", "shards": (entry,), "root": root} | about
    made = Manifest(**fields)
    card.write_extras(made)
    manifests.write(made)
    return made


@pytest.fixture
def sample():
    return make_sample


@pytest.fixture
def dataset(tmp_path):
    """Maker of a dataset in `tmp_path / name` out of samples."""

    def make(samples: Sequence[Sample], name: str = "set", **about: object) -> Manifest:
        return make_dataset(tmp_path / name, samples, **about)

    return make
