"""Pictures of one colour, datasets of them, and a model that sees colours and knows their names."""

import functools
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from openm3w.pipeline.searching import building, neighbours
from openm3w.shards import decoding, manifest
from openm3w.shards.document import Document, Image, ImageContent, Text, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.search.searching import IndexSearcher
from openm3w.shards.writer import write_shard

COLOURS = {
    "red": (220, 20, 20),
    "green": (20, 200, 20),
    "blue": (20, 20, 220),
    "yellow": (220, 210, 20),
    "white": (250, 250, 250),
    "black": (5, 5, 5),
}
BROKEN = "broken"


class Colours:
    """A `Similarity`: the mean colour of a picture, the colour that a text names."""

    model_id = "colours-1"
    preprocessing = "mean colour"
    dim = 4

    def encode_images(self, images):
        means = [np.asarray(image.convert("RGB"), float).reshape(-1, 3).mean(0) for image in images]
        return self._unit(means)

    def encode_texts(self, texts):
        named = [
            next((rgb for name, rgb in COLOURS.items() if name in text), None) for text in texts
        ]
        return self._unit([rgb or (128, 128, 128) for rgb in named])

    def _unit(self, colours):
        rows = np.c_[np.array(colours, float) / 255 - 0.5, np.full(len(colours), 0.1)]
        return torch.from_numpy((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4"))

    def encode_text(self, text):
        return self.encode_texts([text])[0].numpy()

    def encode_image(self, data):
        return self.encode_images([decoding.decode(data)])[0].numpy()


def picture(colour: str) -> bytes:
    if colour == BROKEN:
        return b"\xff\xd8\xff\xe0 no picture"
    buffer = io.BytesIO()
    PillowImage.new("RGB", (16, 12), COLOURS[colour]).save(buffer, "PNG")
    return buffer.getvalue()


def page(name: str, *spans: str | tuple[str, dict]) -> Sample:
    """A document of texts, and of pictures: (colour, fields of the image)."""
    parts, datas = [], []
    for span in spans:
        if isinstance(span, str):
            parts.append(Text(text=span))
            continue
        colour, about = span
        data = picture(colour)
        digest = hashlib.sha256(data).hexdigest()
        content = ImageContent(
            sha256=digest, width=16, height=12, original_width=16, original_height=12,
            num_bytes=len(data),
        )  # fmt: skip
        url = f"https://img.example/{name}/{len(datas)}"
        parts.append(Image(**{"url": url, "content": content, **about}))
        datas.append(data)
    key = make_doc_id(f"<urn:{name}>")
    title = "" if len(parts) == 0 else f"Page {name}"
    about = {"doc_id": key, "url": f"https://example.org/{name}", "title": title}
    return Sample(key=key, document=Document(**about, spans=tuple(parts)), images=tuple(datas))


PAGES = [
    [
        page("a", "Words.", ("red", {"caption": "a red tram"}), ("blue", {"alt": "the blue sea"})),
        page("b", ("green", {}), "A green field is what follows.", (BROKEN, {"alt": "black hole"})),
    ],
    [page("c", "No picture, but white words."), page("d", ("yellow", {"title": "yellow sun"}))],
    [page("e", ("white", {"caption": "white snow"}), ("black", {}))],
]


def write_pages(root: Path, pages=PAGES, **about) -> Manifest:
    shards = [
        write_shard(root, f"data/train-{at:06d}.tar", samples, kind="interleaved", split="train")
        for at, samples in enumerate(pages)
    ]
    result = Manifest(name="pages", kind="interleaved", shards=tuple(shards), root=root, **about)
    manifest.write(result)
    return result


class Indexer:
    """`index(datasets, output, what=...)` by the model of colours, and searchers over it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, *datasets, output, what="images", model_id=Colours.model_id, load=None):
        self.said.clear()
        model = building.Model(name="", model_id=model_id, load=load or functools.cache(Colours))
        return building.build(datasets, output, model=model, what=what, say=self.said.append)

    def searcher(self, output, *datasets, side="image", exact=True):
        from openm3w.shards.search import folder

        index = folder.read(output, "m3w index")
        return IndexSearcher(output, index, datasets, Colours(), side=side, exact=exact)


@pytest.fixture
def index(monkeypatch) -> Indexer:
    """Without clip-retrieval, whose import takes seconds; `test_neighbours` has it."""
    monkeypatch.setattr(neighbours, "is_installed", lambda: False)
    return Indexer()


@pytest.fixture
def pages(tmp_path) -> Manifest:
    return write_pages(tmp_path / "out")


@pytest.fixture
def without(pages):
    """`without("a")`: the dataset with these pages on its exclude list."""

    def exclude(*names):
        changed = replace(pages, exclude=tuple(make_doc_id(f"<urn:{name}>") for name in names))
        manifest.write(changed)
        return changed

    return exclude


@pytest.fixture
def made() -> SimpleNamespace:
    """The builders above."""
    return SimpleNamespace(
        page=page, write=write_pages, picture=picture, pages=PAGES, model=Colours, broken=BROKEN
    )
