"""Small shards of all three kinds, and a recipe that trains on them in a second."""

import hashlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from openm3w.shards import manifest
from openm3w.shards.document import Document, Image, ImageContent, Span, Text, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.writer import write_shard

WORDS = (
    *("the", "a", "dog", "cat", "runs", "sits", "red", "blue"),
    *("house", "on", "near", "big", "small", "tree", "and", "water"),
)

# A decoder of some 30,000 weights, and an encoder that needs no weights.
TINY = """
[model]
layers = 2
width = 32
ffn_width = 64
heads = 2
image_slots = 4
resampler_heads = 2
dropout = 0.1
vision_encoder = "random-tiny"
[data]
sequence_length = 96
rows_per_step = 6
rows_per_batch = 4
max_images_per_row = 4
pack_buffer = 8
holdout_share = 0.1
feature_cache_gb = 0.1
[tokenizer]
kind = "bytes"
[optimizer]
lr = 1e-2
[schedule]
steps = 12
warmup = 2
[run]
device = "cpu"
log_every = 2
eval_every = 6
eval_documents = 8
checkpoint_every = 4
"""


@pytest.fixture(scope="session")
def sample_of(image_bytes) -> Callable[..., Sample]:
    """`sample_of(name, "a text", 3, ...)`: a document whose numbers are images of that seed."""

    def make(name: str, *spans: str | int) -> Sample:
        built: list[Span] = []
        images: list[bytes] = []
        for span in spans:
            if isinstance(span, str):
                built.append(Text(text=span))
            else:
                images.append(image_bytes(32, 32, "JPEG", seed=span))
                built.append(Image(url=f"https://a.org/{span}.jpg", content=_content(images[-1])))
        doc_id = make_doc_id(name)
        document = Document(doc_id=doc_id, spans=tuple(built))
        return Sample(key=doc_id, document=document, images=tuple(images))

    return make


@pytest.fixture(scope="session")
def make_dataset(sample_of) -> Callable[..., Manifest]:
    """`make_dataset(folder, kind, size=24)`: two shards of made-up documents and their manifest."""

    def make(folder: Path, kind: Kind, *, size: int = 24, name: str = "") -> Manifest:
        samples = [_made_up(sample_of, kind, i) for i in range(size)]
        return write_dataset(folder, kind, samples, name=name)

    return make


def write_dataset(folder: Path, kind: Kind, samples: Sequence[Sample], name: str = "") -> Manifest:
    half = (len(samples) + 1) // 2
    entries = [
        write_shard(folder, f"data/train-{i:06d}.tar", part, kind=kind, split="train")
        for i, part in enumerate((samples[:half], samples[half:]))
    ]
    built = Manifest(name=name or kind, kind=kind, shards=tuple(entries), root=folder)
    manifest.write(built)
    return built


@pytest.fixture(scope="session")
def mixture(make_dataset, tmp_path_factory) -> tuple[Manifest, ...]:
    """One small manifest of each kind; not to be changed."""
    root = tmp_path_factory.mktemp("mixture")
    kinds: tuple[Kind, ...] = ("text", "caption", "interleaved")
    return tuple(make_dataset(root / kind, kind) for kind in kinds)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Tests run side by side; threads that spin for each other cost a hundredfold there.

    Set again for each module: tests of other folders that ran in this process may have set
    another number, and with it the last bits of every sum.
    """
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """The recipe as TOML."""
    return TINY


@pytest.fixture
def tiny_recipe(tmp_path, tiny_text) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_text)
    return path


def _made_up(sample_of: Callable[..., Sample], kind: Kind, number: int) -> Sample:
    rng = random.Random(f"{kind} {number}")

    def words(least: int, most: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, most)))

    name = f"{kind} {number}"
    if kind == "text":
        return sample_of(name, words(3, 60))
    if kind == "caption":
        return sample_of(name, number, words(3, 8))
    return sample_of(name, words(2, 9), 100 + number, words(2, 9), 200 + number, words(1, 5))


def _content(data: bytes) -> ImageContent:
    return ImageContent(
        sha256=hashlib.sha256(data).hexdigest(),
        width=32,
        height=32,
        original_width=32,
        original_height=32,
        num_bytes=len(data),
    )
