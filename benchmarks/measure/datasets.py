"""Samples as a build writes them, of pictures and words that are made here."""

import hashlib
import io

import numpy as np
from PIL import Image as PillowImage

from openm3w.shards.document import Document, Image, ImageContent, Provenance, Signals, Text
from openm3w.shards.sample import Sample

FIRST_WORDS = "The first words of a document"
_WORDS = ("image", "street", "tram", "river", "red", "light", "market", "window", "morning", "hill")
_QUALITY = 85


def dataset_samples(
    count: int, *, size_of_image: tuple[int, int] = (640, 480), images: int = 2, words: int = 300
) -> list[Sample]:
    """`count` distinct documents with `images` images and about `words` words each."""
    rng = np.random.default_rng(0)
    return [_sample(rng, number, size_of_image, images, words) for number in range(count)]


def _sample(
    rng: np.random.Generator, number: int, size: tuple[int, int], images: int, words: int
) -> Sample:
    pictures = tuple(_jpeg(rng, size) for _ in range(images))
    spans: list[Text | Image] = []
    for data in pictures:
        said = " ".join(rng.choice(_WORDS, words // images))
        spans += [Text(text=f"{FIRST_WORDS} {number}: {said}."), _image(data, size, rng)]
    document = Document(
        doc_id=f"{number:032x}",
        url=f"https://www.site{number % 97}.example/page/{number}",
        title=f"Document {number}",
        spans=tuple(spans),
        provenance=Provenance(source="a.warc.gz", offset=1000 * number, length=999, crawl="C-1"),
        signals=Signals(language="en", language_score=0.9),
        scores={"perplexity": float(rng.uniform(20, 900))},
    )
    return Sample(key=document.doc_id, document=document, images=pictures)


def _image(data: bytes, size: tuple[int, int], rng: np.random.Generator) -> Image:
    content = ImageContent(
        sha256=hashlib.sha256(data).hexdigest(),
        width=size[0],
        height=size[1],
        original_width=2 * size[0],
        original_height=2 * size[1],
        num_bytes=len(data),
        original_format="jpeg",
    )
    scores = {
        "similarity": float(rng.uniform(0, 0.5)),
        "text_similarity": float(rng.uniform(0, 0.5)),
        "nsfw_opennsfw": float(rng.uniform(0, 0.2)),
        "entropy": float(rng.uniform(5, 8)),
        "sharpness": float(rng.uniform(10, 999)),
    }
    url = f"https://img.example/{content.sha256[:12]}.jpg"
    return Image(url=url, alt="A picture", content=content, scores=scores)


def _jpeg(rng: np.random.Generator, size: tuple[int, int]) -> bytes:
    """A picture of coarse shapes and some grain, of the size in bytes of a photograph."""
    width, height = size
    coarse = rng.integers(0, 256, (height // 32 + 1, width // 32 + 1, 3), dtype=np.uint8)
    smooth = PillowImage.fromarray(coarse).resize(size, PillowImage.Resampling.BICUBIC)
    grain = rng.normal(0, 6, (height, width, 1))
    pixels = (np.asarray(smooth) + grain).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
