"""Asks `clip-retrieval back` about a folder that m3w index wrote: `make interop-search`.

A small dataset of coloured pictures is indexed with a tiny open_clip model of random weights, by
the functions of `m3w index`; then clip-retrieval's own server is started on that folder, on
loopback, and asked by words, by a picture and by an embedding. Its answers must be those of
`m3w search`. Exit code 1 where they are not.
"""

import argparse
import base64
import functools
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from openm3w.pipeline.searching import building
from openm3w.pipeline.searching.serving import open_searcher
from openm3w.shards import manifest
from openm3w.shards.document import Document, Image, ImageContent, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.search.questions import Hit
from openm3w.shards.terminal import tell
from openm3w.shards.writer import write_shard
from openm3w.trainer.encoders import load_similarity
from openm3w.trainer.encoders.specs import similarity_id

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {
        "context_length": 20,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}
"""An architecture that is loaded in no time."""

NUM_PICTURES = 40
WANTED = 5
_START_SECONDS = 300
_TOLERANCE = 2e-3
"""Of scores: the embeddings are float16."""


def main() -> None:
    """Indexes, serves, asks and compares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", nargs=3, metavar=("CONFIG", "CHECKPOINT", "PORT"))
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.exit(check())


def serve(config: str, checkpoint: str, port: str) -> None:
    """clip-retrieval's server on the index of this folder, on loopback and without downloads."""
    import flask
    import open_clip

    open_clip.add_model_config(Path(config))
    # It listens on all addresses and has no option for another.
    run = flask.Flask.run
    flask.Flask.run = lambda app, **more: run(app, **more | {"host": "127.0.0.1"})  # type: ignore[method-assign]
    from clip_retrieval.clip_back import clip_back

    clip_back(
        indices_paths="indices_paths.json",
        port=int(port),
        clip_model=f"open_clip:openm3w-tiny/{checkpoint}",
        columns_to_return=["url", "caption", "image_path", "key", "picture"],
        use_jit=False,
        enable_mclip_option=False,
        provide_aesthetic_embeddings=False,
    )


def check() -> int:
    """0 where the server answers as `m3w search` does."""
    checkpoint = random_weights()
    dataset = coloured()
    model = f"openclip:openm3w-tiny/{checkpoint}"
    building.build(
        [dataset],
        Path("out.index"),
        model=building.Model(
            name="",
            model_id=similarity_id(model),
            load=functools.cache(lambda: load_similarity(model)),
        ),
        what="both",
        say=tell,
    )
    Path("indices_paths.json").write_text(json.dumps({"out": "out.index"}), encoding="utf-8")
    searcher = open_searcher(Path("out.index"), [dataset], model=model)
    picture = picture_bytes(7)
    words = "a photograph of a red tram"
    expected = {
        "words": (searcher.search_text(words, WANTED), {"text": words}),
        "picture": (
            searcher.search_image(picture, WANTED),
            {"image": base64.b64encode(picture).decode()},
        ),
        "embedding": (
            searcher.search_image(picture, WANTED),
            {
                "embedding_input": load_similarity(model)
                .encode_images([opened(picture)])[0]
                .tolist()
            },
        ),
    }
    port = free_port()
    line = [sys.executable, __file__, "--serve", "openm3w-tiny.json", str(checkpoint), str(port)]
    with Path("back.log").open("wb") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log)
        try:
            wait(server, port)
            return max(compare(name, port, *asked) for name, asked in expected.items())
        finally:
            server.kill()
            server.wait()


def compare(name: str, port: int, hits: Sequence[Hit], question: dict[str, Any]) -> int:
    """Prints one line; 1 where the answers differ."""
    asked = {"modality": "image", "num_images": WANTED, "indice_name": "out", **question}
    answers = post(port, asked)
    theirs = [(row["key"], row["picture"], row["url"]) for row in answers]
    ours = [(hit.key, hit.picture, hit.url) for hit in hits]
    near = all(
        abs(row["similarity"] - hit.score) < _TOLERANCE
        for row, hit in zip(answers, hits, strict=False)
    )
    good = len(theirs) == WANTED and theirs == ours and near
    tell(f"{name}: {'the same answers' if good else f'{theirs} and not {ours}'}")
    return 0 if good else 1


def post(port: int, question: dict[str, Any]) -> list[dict[str, Any]]:
    """What the server answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/knn-service", json.dumps(question).encode()
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)
    return found


def wait(server: subprocess.Popen[bytes], port: int) -> None:
    """Until the server answers."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/indices-list", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"clip-retrieval back did not start:\n{Path('back.log').read_text(encoding='utf-8')}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
    return port


def random_weights() -> Path:
    """A checkpoint of the tiny architecture, which open_clip then knows."""
    import open_clip
    import torch

    Path("openm3w-tiny.json").write_text(json.dumps(TINY), encoding="utf-8")
    open_clip.add_model_config(Path("openm3w-tiny.json"))
    torch.manual_seed(0)
    model = open_clip.create_model("openm3w-tiny")
    path = Path("tiny.pt").resolve()
    torch.save(model.state_dict(), path)
    return path


def coloured() -> Manifest:
    """Two shards of documents with two pictures each."""
    samples = [document(number) for number in range(NUM_PICTURES // 2)]
    half = len(samples) // 2
    shards = [
        write_shard(
            Path("out"), f"data/train-{at:06d}.tar", part, kind="interleaved", split="train"
        )
        for at, part in enumerate((samples[:half], samples[half:]))
    ]
    made = Manifest(name="out", kind="interleaved", shards=tuple(shards), root=Path("out"))
    manifest.write(made)
    return made


def document(number: int) -> Sample:
    """A document with two pictures."""
    encoded = (picture_bytes(2 * number), picture_bytes(2 * number + 1))
    images = tuple(
        Image(
            url=f"https://img.example/{number}/{at}.png",
            alt=f"picture {at}",
            content=ImageContent(
                sha256="", width=48, height=48, original_width=48, original_height=48,
                num_bytes=len(data),
            ),
        )
        for at, data in enumerate(encoded)
    )  # fmt: skip
    key = make_doc_id(f"<urn:{number}>")
    return Sample(key=key, document=Document(doc_id=key, spans=images), images=encoded)


def picture_bytes(seed: int) -> bytes:
    """A PNG of noise over a colour."""
    import numpy as np

    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, 3) * 0.7 + rng.integers(0, 76, (48, 48, 3))
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def opened(data: bytes) -> PillowImage.Image:
    """The picture in RGB."""
    return PillowImage.open(io.BytesIO(data)).convert("RGB")


if __name__ == "__main__":
    main()
