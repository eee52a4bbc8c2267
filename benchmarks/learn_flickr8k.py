"""Does the trainer learn to look? Captions of Flickr8k, with the right image and with another.

    python benchmarks/learn_flickr8k.py --realdata ../shared/realdata --output /tmp/learn

A model that ignores its image has the same dev loss with any image. The difference is printed in
nats for each text token, with a few captions of dev images. About ten minutes on two idle cores,
half of them for encoding the photographs once.
"""

import argparse
import hashlib
import io
import json
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image as PillowImage

from openm3w.shards import manifest
from openm3w.shards.document import Image, ImageContent, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample, caption_document
from openm3w.shards.writer import write_shard
from openm3w.trainer.encoders import VisionEncoder, load_vision_encoder
from openm3w.trainer.evaluate import DevLoss, evaluate
from openm3w.trainer.generate import Captioner
from openm3w.trainer.log import RunLog
from openm3w.trainer.loop import train
from openm3w.trainer.recipe import load
from openm3w.trainer.run import Run, open_run

SAMPLES_PER_SHARD = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a run came to."""

    dev: DevLoss
    captions: tuple[tuple[str, str, str], ...]
    """Image name, what the model wrote, what a person wrote."""
    minutes: float
    run: Run


class KeptEncoder:
    """An encoder that looks pixels up in a file before it computes, so that a second run is short.

    Rounded to fp16 as in the trainer's own cache: the numbers are the same with and without.
    """

    def __init__(self, inner: VisionEncoder, path: Path) -> None:
        self.name, self.dim = inner.name, inner.dim
        self.num_tokens, self.image_size = inner.num_tokens, inner.image_size
        self._inner, self._path = inner, path
        self._known: dict[bytes, torch.Tensor] = torch.load(path) if path.is_file() else {}

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """float32[B, P, D]."""
        return torch.stack([self._one(image) for image in pixels])

    def save(self) -> None:
        """Writes what was computed."""
        torch.save(self._known, self._path)

    def _one(self, image: torch.Tensor) -> torch.Tensor:
        key = hashlib.sha256(image.numpy().tobytes()).digest()
        if key not in self._known:
            self._known[key] = self._inner.features(image[None])[0].half()
        return self._known[key].float()


def build_shards(flickr: Path, folder: Path, *, train_images: int, dev_images: int) -> Manifest:
    """Caption shards: all five captions of each training image, one of each dev image."""
    splits = (
        ("train", "train", list(captioned(flickr, "train", train_images, captions=5))),
        ("dev", "val", list(captioned(flickr, "dev", dev_images, captions=1))),
    )
    entries = []
    for _, split, samples in splits:
        samples.sort(key=lambda sample: sample.key)
        for start in range(0, len(samples), SAMPLES_PER_SHARD):
            url = f"data/{split}-{start // SAMPLES_PER_SHARD:06d}.tar"
            part = samples[start : start + SAMPLES_PER_SHARD]
            entries.append(write_shard(folder, url, part, kind="caption", split=split))
    built = Manifest(name="flickr8k", kind="caption", shards=tuple(entries), root=folder)
    manifest.write(built)
    return built


def captioned(flickr: Path, part: str, images: int, *, captions: int) -> Iterator[Sample]:
    """The first `images` images of a part, each with its first `captions` captions."""
    rows = [json.loads(line) for line in (flickr / f"{part}.jsonl").read_text().splitlines()]
    with tarfile.open(flickr / f"{part}.tar") as tar:
        for row in rows[:images]:
            file = tar.extractfile(row["image"])
            if file is None:
                raise FileNotFoundError(row["image"])
            data = file.read()
            for number, caption in enumerate(row["captions"][:captions]):
                key = make_doc_id("", row["image"], number)
                yield Sample(
                    key=key,
                    document=caption_document(key, described(data), caption),
                    images=(data,),
                )


def described(data: bytes) -> Image:
    """The image as a document names it."""
    with PillowImage.open(io.BytesIO(data)) as image:
        width, height = image.size
    content = ImageContent(
        sha256=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        original_width=width,
        original_height=height,
        num_bytes=len(data),
    )
    return Image(url="", content=content)


def learn(
    flickr: Path,
    folder: Path,
    *,
    train_images: int,
    dev_images: int,
    overrides: Sequence[str],
    show: int = 6,
    kept: Path | None = None,
) -> Learned:
    """Trains the tiny recipe on captions and measures it on the dev images."""
    start = time.perf_counter()
    data = build_shards(flickr, folder / "shards", train_images=train_images, dev_images=dev_images)
    recipe = load("kosmos1-tiny", [f"run.eval_documents={dev_images}", *overrides])
    encoder: VisionEncoder = load_vision_encoder(recipe.model.vision_encoder)
    if kept is not None:
        encoder = KeptEncoder(encoder, kept)
    run = open_run(recipe, [data], folder / "run", say=_say, encoder=encoder)
    log = RunLog(run.folder, _say, tensorboard=False, resume_step=run.step)
    train(run, log)
    log.close()
    if isinstance(encoder, KeptEncoder):
        encoder.save()
    captioner = Captioner(
        model=run.task.model.eval(),
        tokenizer=run.tokenizer,
        encoder=encoder,
        length=recipe.data.sequence_length,
        device=run.device,
    )
    return Learned(
        dev=evaluate(run)["flickr8k"],
        captions=tuple(examples(captioner, flickr, show)),
        minutes=(time.perf_counter() - start) / 60,
        run=run,
    )


def examples(captioner: Captioner, flickr: Path, number: int) -> Iterator[tuple[str, str, str]]:
    """Greedy captions of the first dev images, beside a person's."""
    captioner.model.eval()
    rows = [json.loads(line) for line in (flickr / "dev.jsonl").read_text().splitlines()]
    with tarfile.open(flickr / "dev.tar") as tar:
        for row in rows[:number]:
            file = tar.extractfile(row["image"])
            if file is not None:
                yield row["image"], captioner.caption(file.read()), row["captions"][0]


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Runs the full size and prints the figures of docs/training.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--realdata", type=Path, default=Path("../shared/realdata"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--train-images", type=int, default=3000)
    parser.add_argument("--dev-images", type=int, default=500)
    parser.add_argument("--features", type=Path, help="keep the encoder's answers in this file")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    found = learn(
        options.realdata / "flickr8k",
        options.output,
        train_images=options.train_images,
        dev_images=options.dev_images,
        kept=options.features,
        overrides=["schedule.steps=600", *options.overrides],
    )
    dev = found.dev
    if dev.shuffled is None:
        raise SystemExit("no dev images")
    print(f"\n{found.minutes:.1f} minutes on {torch.get_num_threads()} threads")
    print(f"dev loss, nats for each of {dev.tokens} text tokens")
    print(f"  with the right image     {dev.loss:.3f}")
    print(f"  with a shuffled image    {dev.shuffled:.3f}  ({dev.shuffled - dev.loss:+.3f})")
    for name, written, reference in found.captions:
        print(f"{name}\n  model   {written}\n  person  {reference}")


if __name__ == "__main__":
    main()
