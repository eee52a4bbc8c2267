"""Reading shards beside the peer: webdataset's loader, and sha256sum.

    python benchmarks/shards.py [--verify] [--read] [--megabytes N] [--rounds N]

Makes one dataset of interleaved samples (synthetic photographs, 512 x 384, JPEG) in a temporary
folder, reads it with both sides in turn, and prints Markdown for docs/performance.md: the median
of the rounds. Everything is in the system's memory of files then, for either side. webdataset and
sha256sum must be there.
"""

import argparse
import hashlib
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from openm3w.shards import manifest as manifests
from openm3w.shards import reader
from openm3w.shards.decoding import decode
from openm3w.shards.document import Document, Image, ImageContent, Text, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.verify import verify
from openm3w.shards.writer import write_shard

SHARD_SAMPLES = 500
WORDS = [
    "a",
    "photograph",
    "of",
    "the",
    "harbour",
    "at",
    "dusk",
    "with",
    "boats",
    "and",
    "one",
    "red",
    "light",
    "on",
    "the",
    "quay",
]


def main() -> None:
    """Makes the dataset, runs what was asked for (both, by default), and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--verify", action="store_true", help="sha256 of all shards")
    parser.add_argument("--read", action="store_true", help="samples, JSON and pictures decoded")
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    everything = not (options.verify or options.read)
    with tempfile.TemporaryDirectory() as folder:
        dataset = make_dataset(Path(folder), options.megabytes)
        size = sum(shard.filesize for shard in dataset.shards) / 1e6
        print(
            f"{size:,.0f} MB in {len(dataset.shards)} shards, {dataset.nsamples:,} samples, "
            f"{dataset.images:,} images; median of {options.rounds} rounds; "
            f"Python {platform.python_version()}, {os.cpu_count()} cores, no GPU\n"
        )
        if options.verify or everything:
            bench_verify(dataset, size, options.rounds)
        if options.read or everything:
            bench_read(dataset, size, options.rounds)


def bench_verify(dataset: Manifest, size: float, rounds: int) -> None:
    """Sizes, digests and indexes of all shards, against sha256sum of the same files."""
    paths = [str(dataset.folder / shard.url) for shard in dataset.shards]
    command = [sys.executable, "-m", "openm3w", "shards", "verify", str(dataset.root)]

    def ours() -> None:
        if verify([dataset], depth="full").faults:
            sys.exit("the dataset is damaged")

    seconds = in_turn(
        {
            "sha256sum": lambda: run(["sha256sum", *paths]),
            "verify full, in Python": ours,
            "m3w shards verify --verify full": lambda: run([*command, "--verify", "full"]),
        },
        rounds,
    )
    print_table(seconds, size, "sha256sum")


def bench_read(dataset: Manifest, size: float, rounds: int) -> None:
    """Every sample with JSON and pictures decoded to RGB, by both readers in one process."""
    import webdataset as wds

    urls = [str(dataset.folder / shard.url) for shard in dataset.shards]

    def ours(how: reader.Verify) -> int:
        pictures = (decode(data) for s in read(how) for data in s.images)
        return sum(picture.width * picture.height for picture in pictures if picture)

    def read(how: reader.Verify) -> Iterator[Sample]:
        return reader.read_samples(dataset, verify=how)

    def theirs() -> int:
        samples = wds.WebDataset(urls, shardshuffle=False, empty_check=False).decode("pil")
        pictures = (v for s in samples for name, v in s.items() if name.endswith(".jpg"))
        return sum(picture.width * picture.height for picture in pictures)

    pixels = {ours("off"), ours("full"), theirs()}
    if len(pixels) != 1:
        sys.exit(f"the readers saw different pictures: {pixels}")
    seconds = in_turn(
        {
            f"webdataset {wds.__version__}, decode('pil')": theirs,
            "openm3w, quick (default)": lambda: ours("quick"),
            "openm3w, full": lambda: ours("full"),
        },
        rounds,
    )
    print_table(seconds, size, next(iter(seconds)))
    bare = in_turn(
        {
            f"webdataset {wds.__version__}, bytes": lambda: sum(
                1 for _ in wds.WebDataset(urls, shardshuffle=False, empty_check=False)
            ),
            "openm3w, quick, documents": lambda: sum(1 for _ in read("quick")),
        },
        rounds,
    )
    print_table(bare, size, next(iter(bare)))


def in_turn(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each side; the sides take turns, so that a busy moment meets them all."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side()  # once for the caches
    for _ in range(rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def run(command: list[str]) -> None:
    """Runs a command to its end, its output unseen."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def print_table(seconds: dict[str, float], size: float, base: str) -> None:
    """Seconds, MB/s and speed in comparison, as Markdown."""
    print(f"| reader | seconds | MB/s | speed, {base.partition(',')[0]} = 1 |")
    print("|---|---|---|---|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.2f} | {size / value:,.0f} | {seconds[base] / value:.2f} |")
    print()


def make_dataset(folder: Path, megabytes: int) -> Manifest:
    """Interleaved samples of one to four pictures; 32 different ones, each many times."""
    pictures = [photograph(seed) for seed in range(32)]
    number, left, entries = 0, megabytes * 1e6, []
    while left > 0:
        samples = [make_sample(number + i, pictures) for i in range(SHARD_SAMPLES)]
        url = f"data/train-{len(entries):06d}.tar"
        entries.append(write_shard(folder, url, samples, kind="interleaved", split="train"))
        number, left = number + SHARD_SAMPLES, left - entries[-1].filesize
    result = Manifest(name="bench", kind="interleaved", shards=tuple(entries), root=folder)
    manifests.write(result)
    return result


def make_sample(number: int, pictures: list[bytes]) -> Sample:
    """Text and pictures in turns, some 1,500 characters."""
    pictured = tuple(pictures[(number * 7 + i) % len(pictures)] for i in range(1 + number % 4))
    spans: list[Text | Image] = [Text(text=" ".join(WORDS * 5))]
    for data in pictured:
        content = ImageContent(
            sha256=hashlib.sha256(data).hexdigest(),
            width=512,
            height=384,
            original_width=512,
            original_height=384,
            num_bytes=len(data),
        )
        url = f"https://example.org/{number}.jpg"
        spans += [Image(url=url, alt="a boat", content=content), Text(text=" ".join(WORDS * 5))]
    key = make_doc_id(f"<urn:bench:{number}>")
    return Sample(key=key, document=Document(doc_id=key, spans=tuple(spans)), images=pictured)


def photograph(seed: int) -> bytes:
    """A JPEG of about 50 kB: gradients, waves and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:384, 0:512]
    waves = np.sin(x / (9 + seed % 7))[..., None] + np.cos(y / (7 + seed % 5))[..., None]
    pixels = 127 + 45 * waves * rng.uniform(0.5, 1, 3) + rng.normal(0, 6, (384, 512, 3))
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels.clip(0, 255).astype("uint8")).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
