"""How long `m3w refilter --dry-run` takes over a synthetic store of a million documents.

    python benchmarks/refilter.py [--documents 1000000] [--images 3] [--rounds 3] [--folder DIR]

The store's tables of numbers are drawn at random, in units of 40,000 documents as an archive of
Common Crawl has pages; then the command runs as a user runs it, in a process of its own. Prints
Markdown: seconds by the clock, CPU seconds and the peak of memory.
"""

import argparse
import functools
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure.processes import environment
from measure.synthetic import write_store
from measure.tables import print_row, version

PROFILES = ("openm3w", "kosmos1", "m3w", "obelics", "mint1t", "omnicorpus", "mmc4", "mmc4-core")
_UNSCORED = ("--set", "safety.max_nsfw={}")
_ASSIGNED = ("--set", "assigned.bounds.lit=0.25")
CHANGES = {
    "omnicorpus": _UNSCORED,
    "mmc4": _UNSCORED,
    "mmc4-core": (*_UNSCORED, *_ASSIGNED),
}
"""No scorer of unsafe images is asked of the synthetic store, and its model stands for CLIP."""


def main() -> None:
    """Makes the store, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=3, help="of a document")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the store here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        output = (chosen.folder or Path(temporary)) / "out"
        if not output.exists():
            _write(output, chosen)
        size = sum(path.stat().st_size for path in output.parent.rglob("*.parquet"))
        images = chosen.documents * chosen.images
        print(
            f"{chosen.documents:,} documents, {images:,} images, {size / 1e6:.0f} MB of numbers; "
            f"pyarrow {version('pyarrow')}, numpy {version('numpy')}, "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.\n"
        )
        print_row(["profiles", "seconds", "CPU seconds", "peak MiB"])
        print_row(["---"] * 4)
        for names in (*((name,) for name in PROFILES), PROFILES[:5]):
            print_row([" ".join(names), *_best(output, names, chosen.rounds)])


def _write(output: Path, chosen: argparse.Namespace) -> None:
    """Makes the store in a process of its own: a child's peak begins at what its parent holds."""
    write = functools.partial(
        write_store, output, PROFILES, documents=chosen.documents, images=chosen.images
    )
    process = multiprocessing.get_context("spawn").Process(target=write)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{output}: the store was not made")


def _best(output: Path, names: tuple[str, ...], rounds: int) -> list[str]:
    """The fastest of some runs, and the peak of all."""
    found = [_run(output, names) for _ in range(rounds)]
    seconds, cpu, _ = min(found)
    return [f"{seconds:.1f}", f"{cpu:.1f}", f"{max(peak for _, _, peak in found) / 1024:.0f}"]


def options(output: Path, names: tuple[str, ...]) -> list[str]:
    """What `m3w` is called with."""
    profiles = [part for name in names for part in ("--profile", name, *CHANGES.get(name, ()))]
    return ["refilter", str(output), *profiles, "--dry-run"]


def _run(output: Path, names: tuple[str, ...]) -> tuple[float, float, int]:
    command = [sys.executable, "-m", "openm3w", *options(output, names)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    main()
