"""How fast images are fetched, beside img2dataset, and what each makes of a hostile server.

    python benchmarks/fetch.py [--images 10000] [--latency 0.02] [--rounds 2] [--folder DIR]
    python benchmarks/fetch.py --hostile

A server on loopback answers each request after the latency with one of so many distinct JPEGs of
256 to 512 pixels, cut out of the photographs of flickr8k behind OPENM3W_REALDATA. Prints Markdown:
images and CPU seconds of fetching, of bare decoding, resizing and encoding of the same files, and
of img2dataset. Each side is two processes. All guards are on, robots.txt is asked;
`--allow-private-networks` alone lets loopback pass.

`--hostile` asks the hostile server of the tests instead, each of its endpoints by itself
(`measure/hostile.py`), in two minutes.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from measure.hostile import print_hostile
from measure.pictures import make_pictures, num_pictures
from measure.processes import environment
from measure.tables import print_row, version

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Makes the pictures, runs each side and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=1, help="units of ours in each process")
    parser.add_argument("--folder", type=Path, help="keep the pictures here")
    parser.add_argument("--hostile", action="store_true", help="ask the hostile server alone")
    options = parser.parse_args()
    if options.hostile:
        print(f"img2dataset {version('img2dataset')}, aiohttp {version('aiohttp')}\n")
        print_hostile()
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if num_pictures(folder) < options.images:
            make_pictures(folder, options.images, list(photographs()))
        with _served(folder, options.latency) as url:
            urls = [f"{url}/{at}.jpg" for at in range(options.images)]
            sides = {
                "bare decode, resize, encode": lambda: _bare(folder, options.images),
                "openm3w, keep_ratio_largest": lambda: _openm3w(urls, "encode", options.at_once),
                "openm3w, bytes kept": lambda: _openm3w(urls, "keep", options.at_once),
                "openm3w, fetched and remembered alone": lambda: _openm3w(
                    urls, "fetch", options.at_once
                ),
                "img2dataset, keep_ratio_largest": lambda: _img2dataset(urls, "keep_ratio_largest"),
                "img2dataset, no": lambda: _img2dataset(urls, "no"),
            }
            _print(options, {name: _best(run, options.rounds) for name, run in sides.items()})


def _print(options: argparse.Namespace, runs: dict[str, "Run"]) -> None:
    print(
        f"{options.images:,} JPEGs, {1000 * options.latency:.0f} ms latency; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Pillow {version('pillow')}, aiohttp {version('aiohttp')}, "
        f"img2dataset {version('img2dataset')}\n"
    )
    bare = next(iter(runs.values()))
    print_row(["side", "kept", "seconds", "images/s", "CPU ms an image", "x bare"])
    print_row(["---"] * 6)
    for name, run in runs.items():
        print_row(
            [
                name,
                f"{run.kept:,}",
                f"{run.seconds:.1f}",
                f"{options.images / run.seconds:.0f}",
                f"{1000 * run.cpu / options.images:.2f}",
                f"{run.cpu / bare.cpu:.2f}",
            ]
        )


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """One side's run: by the clock, of the processor with all its children, and what came out."""

    seconds: float
    cpu: float
    kept: int


def _best(run: Callable[[], Run], rounds: int) -> Run:
    return min(run() for _ in range(rounds))


def _measured(script: Path, *arguments: str) -> Run:
    """Runs a script in a process of its own; the last word it prints is the number of images."""
    command = [sys.executable, str(script), *arguments]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # albumentations, which img2dataset imports, would look for a newer version of itself.
    quiet = environment(
        NO_ALBUMENTATIONS_UPDATE="1", PYTHONPATH=os.pathsep.join([str(ROOT), *sys.path])
    )
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=quiet
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, cpu, int(done.stdout.split()[-1]))


@contextlib.contextmanager
def _served(folder: Path, latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "measure.pictures", str(folder), str(latency)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()
    )
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


_BARE = """
import io, itertools, multiprocessing, pathlib, sys
def part(folder, images, number, kept):
    from PIL import Image
    from measure.pictures import pictures
    for data in itertools.islice(pictures(pathlib.Path(folder)), number, images, 2):
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        picture.thumbnail((256, 256), Image.Resampling.LANCZOS)
        picture.save(io.BytesIO(), "JPEG", quality=95)
        with kept.get_lock():
            kept.value += 1
if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    kept = spawn.Value("l", 0)
    given = (sys.argv[1], int(sys.argv[2]))
    parts = [spawn.Process(target=part, args=(*given, at, kept)) for at in (0, 1)]
    for each in parts:
        each.start()
    for each in parts:
        each.join()
    print(kept.value)
"""

_OPENM3W = """
import json, multiprocessing, pathlib, sys, tempfile
def part(urls, mode, at_once, folder, number, kept):
    from concurrent.futures import ThreadPoolExecutor
    from openm3w.pipeline.captions.resize import Resizing
    from openm3w.pipeline.captions.settings import Images, Resize
    from openm3w.pipeline.fetch.fetching import Fetcher
    from openm3w.pipeline.fetch.getting import get
    from openm3w.pipeline.fetch.settings import FetchSettings, Limits, Manners
    from openm3w.pipeline.fetch.store.memory import Memory
    from openm3w.pipeline.images.packs import PackWriter
    memory = Memory.open(folder + "/fetched")
    settings = FetchSettings(
        concurrency=64,
        limits=Limits(ports=(), allow_private_networks=True),
        manners=Manners(per_domain=64, per_domain_rate=0, contact="benchmark@example.org"),
    )
    resize = Resizing(
        images=Images(keep_bytes=mode == "keep"),
        resize=Resize(mode="no" if mode == "keep" else "keep_ratio_largest"),
    )
    with Fetcher(settings) as fetcher, ThreadPoolExecutor(at_once) as pool:
        def unit(at):
            with open(f"{folder}/{number}-{at}.tar", "wb") as file:
                pack = PackWriter(file, "pack")
                for got in get(urls[at : at + 500], memory, fetcher, unit=f"{number}-{at}"):
                    if mode != "fetch" and got.data:
                        encoded = resize(got.data)
                        pack.add(encoded.sha256, encoded.data)
                    with kept.get_lock():
                        kept.value += bool(got.data)
                pack.close()
        list(pool.map(unit, range(0, len(urls), 500)))
if __name__ == "__main__":
    urls, mode = json.loads(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2]
    at_once = int(sys.argv[3])
    spawn = multiprocessing.get_context("spawn")
    kept = spawn.Value("l", 0)
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            spawn.Process(target=part, args=(urls[at::2], mode, at_once, folder, at, kept))
            for at in (0, 1)
        ]
        for each in parts:
            each.start()
        for each in parts:
            each.join()
    print(kept.value)
"""

_IMG2DATASET = """
import json, pathlib, sys, tempfile
import pyarrow, pyarrow.parquet
from img2dataset import download
if __name__ == "__main__":
    urls, mode = json.loads(pathlib.Path(sys.argv[1]).read_text()), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        table = f"{folder}/urls.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"url": urls}), table)
        download(url_list=table, input_format="parquet", url_col="url", image_size=256,
                 resize_mode=mode, resize_only_if_bigger=True, output_format="webdataset",
                 output_folder=f"{folder}/out", processes_count=2, thread_count=64,
                 number_sample_per_shard=1000, enable_wandb=False)
        stats = pathlib.Path(folder, "out").glob("*_stats.json")
        print(sum(json.loads(path.read_text())["successes"] for path in stats))
"""


def _bare(folder: Path, images: int) -> Run:
    with tempfile.TemporaryDirectory() as temporary:
        script = Path(temporary, "bare.py")
        script.write_text(_BARE, encoding="utf-8")
        return _measured(script, str(folder), str(images))


def _openm3w(urls: list[str], mode: str, at_once: int) -> Run:
    return _fetched(_OPENM3W, urls, mode, str(at_once))


def _img2dataset(urls: list[str], mode: str) -> Run:
    return _fetched(_IMG2DATASET, urls, mode)


def _fetched(code: str, urls: list[str], *options: str) -> Run:
    # In a file of its own: worker processes import it again.
    with tempfile.TemporaryDirectory() as folder:
        script, table = Path(folder, "side.py"), Path(folder, "urls.json")
        script.write_text(code, encoding="utf-8")
        table.write_text(json.dumps(urls), encoding="utf-8")
        return _measured(script, str(table), *options)


def photographs() -> Iterator[bytes]:
    """Those of the test split of flickr8k."""
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata"))
    with tarfile.open(realdata / "flickr8k/test.tar") as tar:
        for member in tar:
            if member.name.endswith(".jpg") and (file := tar.extractfile(member)):
                yield file.read()


if __name__ == "__main__":
    main()
