"""How long datasets take to other formats and back, and how much memory.

    python benchmarks/converters.py [--documents 2000] [--images 3] [--folder DIR]

Documents of a thousand words with JPEGs of 512 px go through each format, by the commands as a user
runs them, each in a process of its own. Prints Markdown: documents a second by the clock, CPU
seconds, the peak of memory, and the size beside our own shards'.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from measure.processes import environment
from measure.tables import print_row, version

from openm3w.shards import card, manifest
from openm3w.shards.document import Text
from openm3w.shards.interop.formats import FORMATS
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import KINDS, Kind, Sample, caption_document
from openm3w.shards.writer import write_shard

_PER_SHARD = 1000


def main() -> None:
    """Makes the datasets, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--images", type=int, default=3, help="of an interleaved document")
    parser.add_argument("--folder", type=Path, help="keep what is made here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = chosen.folder or Path(temporary)
        # In a process of its own: a child's peak begins at what its parent holds.
        process = multiprocessing.get_context("spawn").Process(
            target=_write_all, args=(root, chosen.documents, chosen.images)
        )
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{root}: the datasets were not made")
        sizes = {kind: _size(root / kind) for kind in KINDS}
        print(
            f"{chosen.documents:,} documents of each kind, {chosen.images} images in each "
            f"interleaved one; pyarrow {version('pyarrow')}, Pillow {version('pillow')}, "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.\n"
        )
        print_row(["format", "kind", "way", "documents/s", "CPU seconds", "peak MiB", "x our size"])
        print_row(["---"] * 7)
        for name, form in FORMATS.items():
            for kind in form.kinds:
                _through(root, name, kind, chosen.documents, sizes[kind])
        tokens = ("shards", "tokens", root / "text", "--tokenizer", "bytes")
        print_row(["tokens (bytes)", "text", "", *_run(tokens, chosen.documents), ""])


def _through(root: Path, name: str, kind: Kind, documents: int, size: int) -> None:
    there, back = root / f"{name}-{kind}", root / f"{name}-{kind}-back"
    export = ("shards", "export", root / kind, "--format", name, "--output", there)
    told = _run(export, documents)
    print_row([name, kind, "out", *told, f"{_size(there) / size:.2f}"])
    if FORMATS[name].read is None:
        return
    images = ("--images", there / "images") if (there / "images").is_dir() else ()
    command = ("shards", "import", name, there, *images, "--kind", kind, "--output", back)
    print_row([name, kind, "in", *_run(command, documents), f"{_size(back) / size:.2f}"])


def _run(command: Sequence[object], documents: int) -> list[str]:
    """Documents a second, CPU seconds and peak of memory of `m3w COMMAND`."""
    start = time.perf_counter()
    arguments = [sys.executable, "-m", "openm3w", *map(str, command)]
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} failed")
    seconds = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    return [f"{documents / seconds:,.0f}", f"{cpu:.1f}", f"{usage.ru_maxrss / 1024:.0f}"]


def _write_all(root: Path, documents: int, images: int) -> None:
    from measure.datasets import dataset_samples

    samples = dataset_samples(documents, size_of_image=(512, 384), images=images, words=1000)
    for kind in KINDS:
        folder = root / kind
        made = [_as(kind, sample) for sample in samples]
        shards = [
            write_shard(
                folder,
                f"data/train-{first // _PER_SHARD:06d}.tar",
                made[first : first + _PER_SHARD],
                kind=kind,
                split="train",
            )
            for first in range(0, documents, _PER_SHARD)
        ]
        dataset = Manifest(name=kind, kind=kind, shards=tuple(shards), root=folder)
        card.write_extras(dataset)
        manifest.write(dataset)


def _as(kind: Kind, sample: Sample) -> Sample:
    """The document as it is, its first image with a caption, or its text."""
    if kind == "interleaved":
        return sample
    document = sample.document
    if kind == "caption":
        pair = caption_document(sample.key, document.images[0], "a tram by a red house")
        return Sample(key=sample.key, document=pair, images=sample.images[:1])
    texts = replace(document, spans=tuple(Text(text=text) for text in document.texts))
    return Sample(key=sample.key, document=texts)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
