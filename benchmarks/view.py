"""How long until `m3w view` shows the first document of a large set, and until it knows all.

    python benchmarks/view.py [--gigabytes 5] [--rounds 5] [--folder DIR]

A synthetic set of interleaved documents is written, two photographs each. The command then runs in
a terminal of its own, as a user runs it: the clock starts before the process, and stops when the
words of the first document have come out of the terminal. Each round begins without facts in the
cache. The files are in the operating system's cache or not, as they happen to be. Prints Markdown.
"""

import argparse
import os
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from measure.datasets import FIRST_WORDS, dataset_samples
from measure.processes import environment
from measure.tables import print_row, version

from openm3w.shards import card, manifest
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.writer import write_shard

SHARD_BYTES = 1_000_000_000
COLUMNS, LINES = 140, 40


def main() -> None:
    """Writes the set, opens it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the set here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = (chosen.folder or Path(temporary)) / "large"
        if not (root / manifest.SUCCESS_NAME).exists():
            _write(root, int(chosen.gigabytes * 1e9))
        (made,) = manifest.load(root)
        size = sum(shard.filesize for shard in made.shards)
        print(
            f"{made.nsamples:,} documents, {made.images:,} images, {size / 1e9:.2f} GB in "
            f"{len(made.shards)} shards; textual {version('textual')}, {os.cpu_count()} cores, "
            f"load {os.getloadavg()[0]:.1f} at the start.\n"
        )
        print_row(["", "seconds: least", "median", "most"])
        print_row(["---"] * 4)
        cache = Path(temporary) / "cache"
        opened = [_opened(root, cache) for _ in range(chosen.rounds)]
        print_row(["first document on the screen", *_three(opened)])
        filled = [_filled(made, cache) for _ in range(min(3, chosen.rounds))]
        print_row(["all documents known (lists, filters, histograms)", *_three(filled)])


def _write(root: Path, size: int) -> None:
    samples = dataset_samples(200)
    a_sample = sum(len(image) for sample in samples for image in sample.images) / len(samples)
    total = int(size / a_sample)
    a_shard = int(SHARD_BYTES / a_sample)
    shards = []
    for at, first in enumerate(range(0, total, a_shard)):
        those = _numbered(samples, first, min(first + a_shard, total))
        url = f"data/train-{at:06d}.tar"
        shards.append(write_shard(root, url, those, kind="interleaved", split="train"))
    made = Manifest(name="large", kind="interleaved", shards=tuple(shards), root=root)
    card.write_extras(made)
    manifest.write(made)


def _numbered(samples: list[Sample], first: int, end: int) -> Iterator[Sample]:
    for number in range(first, end):
        sample = samples[number % len(samples)]
        document = replace(sample.document, title=f"Document {number}")
        yield replace(sample, key=f"{number:032x}", document=document)


def _opened(root: Path, cache: Path) -> float:
    """Seconds until the first document stands on the screen of a new process."""
    shutil.rmtree(cache, ignore_errors=True)
    parent, child = pty.openpty()
    more = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    command = [sys.executable, "-m", "openm3w", "view", str(root), "--images", "blocks"]
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment(OPENM3W_CACHE=str(cache), **more),
    )
    os.close(child)
    try:
        _wait_for(parent, FIRST_WORDS.encode())
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def _wait_for(descriptor: int, wanted: bytes) -> None:
    seen = b""
    while wanted not in seen:
        ready, _, _ = select.select([descriptor], [], [], 60)
        if not ready:
            raise SystemExit(f"{wanted!r} did not come; there was {seen[-2000:]!r}")
        seen += os.read(descriptor, 1 << 16)


def _filled(made: Manifest, cache: Path) -> float:
    shutil.rmtree(cache, ignore_errors=True)
    facts = Facts.open([made], folder=cache)
    start = time.perf_counter()
    facts.fill()
    seconds = time.perf_counter() - start
    facts.close()
    return seconds


def _three(seconds: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in (min(seconds), statistics.median(seconds), max(seconds))]


if __name__ == "__main__":
    main()
