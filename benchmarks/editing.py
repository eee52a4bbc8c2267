"""What it costs to merge, cut and shuffle datasets, beside copying the files and beside webdataset.

    python benchmarks/editing.py [--documents 4000] [--folder DIR]

A synthetic set of interleaved documents, two photographs each, is written in two parts of two
shards. webdataset reads their samples without decoding and writes them with its TarWriter, in
order. The files are in the operating system's cache. Prints Markdown.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import webdataset
from measure.datasets import dataset_samples
from measure.tables import print_row, version

from openm3w.shards import card, manifest
from openm3w.shards.editing import edits
from openm3w.shards.editing.cutting import Size
from openm3w.shards.manifest import Manifest
from openm3w.shards.reader import file_sha256
from openm3w.shards.sample import Sample
from openm3w.shards.writer import write_shard

SHARDS = 4
DISTINCT = 200
"""Documents whose pictures are made; the others have theirs, under other keys."""


def main() -> None:
    """Writes the set, edits it, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--folder", type=Path, help="write below this one")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as temporary:
        root = Path(temporary)
        samples = list(_samples(chosen.documents))
        half = len(samples) // 2
        one, two = _write(root / "one", samples[:half]), _write(root / "two", samples[half:])
        tars = [part.root / shard.url for part in (one, two) for shard in part.shards]
        size = sum(path.stat().st_size for path in tars)
        print(
            f"{one.nsamples + two.nsamples:,} documents, {one.images + two.images:,} images, "
            f"{size / 1e9:.2f} GB in {SHARDS} shards; webdataset {version('webdataset')}, "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.\n"
        )
        both, quiet = root / "both", {"say": lambda _: None}
        steps: dict[str, Callable[[], object]] = {
            "`sha256sum`, here by Python": lambda: [file_sha256(path) for path in tars],
            "copying the files": lambda: [shutil.copy(p, root / f"{p.name}.copy") for p in tars],
            "webdataset, in order": lambda: _rewritten(tars, root / "theirs"),
            "`merge`": lambda: edits.merge([one, two], both, name="both", **quiet),
            "`split --samples-per-shard`": lambda: edits.split(
                manifest.load(both)[0], root / "cut", size=Size(samples=300), group=str, **quiet
            ),
            "`shuffle`": lambda: edits.shuffle(
                manifest.load(both)[0], root / "mixed", seed=1, **quiet
            ),
        }
        print_row(["", "seconds", "CPU seconds", "MB/s", "documents/s"])
        print_row(["---"] * 5)
        for name, step in steps.items():
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            rates = (size / wall / 1e6, (one.nsamples + two.nsamples) / wall)
            print_row([name, f"{wall:.2f}", f"{cpu:.2f}", *(f"{rate:,.0f}" for rate in rates)])


def _samples(number: int) -> Iterator[Sample]:
    made = dataset_samples(min(number, DISTINCT))
    for at in range(number):
        each = made[at % len(made)]
        yield Sample(key=f"{at:032x}", document=each.document, images=each.images)


def _write(root: Path, samples: list[Sample]) -> Manifest:
    per_shard = -(-len(samples) // (SHARDS // 2))
    runs = [samples[at : at + per_shard] for at in range(0, len(samples), per_shard)]
    shards = tuple(
        write_shard(root, f"data/train-{at:06d}.tar", run, kind="interleaved", split="train")
        for at, run in enumerate(runs)
    )
    made = Manifest(name=root.name, kind="interleaved", shards=shards, root=root)
    card.write_extras(made)
    manifest.write(made)
    return made


def _rewritten(tars: list[Path], folder: Path) -> None:
    folder.mkdir()
    for tar in tars:
        target = str(folder / f"{tar.parents[1].name}-{tar.name}")
        with webdataset.TarWriter(target) as writer:
            for sample in webdataset.WebDataset(str(tar), shardshuffle=False):
                sample.pop("__url__")
                sample.pop("__local_path__", None)
                writer.write(sample)


if __name__ == "__main__":
    main()
