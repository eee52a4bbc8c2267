"""How long datasets take to other formats and back, and how much memory.

    python benchmarks/converters.py [--documents 2000] [--images 3] [--folder DIR]

Documents of a thousand words with photographs-like JPEGs of 512 px go through each format, by the
commands as a user runs them, each in a process of its own. Prints Markdown: documents a second by
the clock, CPU seconds, the peak of memory, and the size beside our own shards'.
"""

import argparse
import hashlib
import io
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from measure.processes import environment
from measure.tables import print_row, version

from openm3w.shards import card, manifest
from openm3w.shards.document import Document, Image, ImageContent, Span, Text, make_doc_id
from openm3w.shards.interop.formats import FORMATS
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import KINDS, Kind, Sample
from openm3w.shards.writer import write_shard

_WORDS = ("the", "a", "tram", "runs", "by", "our", "red", "house", "near", "old", "line", "seven")
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
    pictures = list(_drawn())
    for kind in KINDS:
        _write(root / kind, kind, documents, images, pictures)


def _write(
    root: Path, kind: Kind, documents: int, num_images: int, pictures: Sequence[bytes]
) -> None:
    if (root / manifest.SUCCESS_NAME).exists():
        return
    each = {"interleaved": num_images, "caption": 1, "text": 0}[kind]
    shards = []
    for first in range(0, documents, _PER_SHARD):
        last = min(first + _PER_SHARD, documents)
        samples = (_sample(kind, number, each, pictures) for number in range(first, last))
        url = f"data/train-{first // _PER_SHARD:06d}.tar"
        shards.append(write_shard(root, url, samples, kind=kind, split="train"))
    made = Manifest(name=kind, kind=kind, shards=tuple(shards), root=root)
    card.write_extras(made)
    manifest.write(made)


def _sample(kind: Kind, number: int, each: int, pictures: Sequence[bytes]) -> Sample:
    draw = random.Random(number)
    key = make_doc_id(f"{kind} {number}")
    # What follows a JPEG's end is not looked at, and makes each one different.
    chosen = [draw.choice(pictures) + draw.randbytes(32) for _ in range(each)]
    words = iter([" ".join(draw.choices(_WORDS, k=1000 // (each + 1))) for _ in range(each + 1)])
    spans: list[Span] = [] if kind == "caption" else [Text(text=next(words))]
    for at, data in enumerate(chosen):
        url = f"https://images.example/{number}/{at}.jpg"
        spans += [Image(url=url, content=_content(data)), Text(text=next(words))]
    document = Document(doc_id=key, url=f"https://pages.example/{number}", spans=tuple(spans))
    return Sample(key=key, document=document, images=tuple(chosen))


def _content(data: bytes) -> ImageContent:
    return ImageContent(
        sha256=hashlib.sha256(data).hexdigest(),
        width=512,
        height=384,
        original_width=1024,
        original_height=768,
        num_bytes=len(data),
    )


def _drawn() -> Iterator[bytes]:
    """JPEGs of some 60 kB, as photographs of 512 px have: smooth shapes, and noise over them."""
    import numpy as np
    from PIL import Image as PillowImage

    draw = np.random.default_rng(0)
    for _ in range(50):
        coarse = draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        smooth = PillowImage.fromarray(coarse).resize((512, 384), PillowImage.Resampling.BICUBIC)
        noisy = np.asarray(smooth).astype(np.int16) + draw.integers(-12, 13, (384, 512, 1))
        buffer = io.BytesIO()
        PillowImage.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
        yield buffer.getvalue()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
