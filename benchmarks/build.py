"""Times a whole build: pages/s, peak memory, the share of each job and of each step.

    python benchmarks/build.py [ARCHIVE] [--set a.b=c ...]

Builds ARCHIVE (by default the 200 pages of gimp-help-en-200.warc.gz behind OPENM3W_REALDATA) with
both local runners into a temporary folder, checks that their shards are equal, and prints
Markdown for docs/performance.md.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from measure.processes import environment

DEFAULT = "warc/docs/gimp-help-en-200.warc.gz"


def main() -> None:
    """Runs both builds and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata"))
    parser.add_argument("archive", nargs="?", type=Path, default=realdata / DEFAULT)
    parser.add_argument("--recipe", default="openm3w")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    if not options.archive.is_file():
        sys.exit(f"{options.archive}: no such file; set OPENM3W_REALDATA or name an archive")
    with tempfile.TemporaryDirectory() as folder:
        runs = {r: run(options, r, Path(folder) / r) for r in ("local", "local-mp")}
        shards = {r: shard_digests(Path(folder) / r) for r in runs}
    if shards["local"] != shards["local-mp"]:
        sys.exit("the two runners wrote different shards")
    print(f"{options.archive.name}, recipe {options.recipe} {' '.join(options.overrides)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; equal shards\n")
    print_summary(runs)
    print_shares(runs)


def run(options: argparse.Namespace, runner: str, output: Path) -> dict:
    """Builds in a process of its own; seconds, peak memory and the report of the build."""
    command = [sys.executable, "-m", "openm3w.cli", "build", options.recipe, "--input",
               str(options.archive), "--output", str(output), "--runner", runner]  # fmt: skip
    for override in options.overrides:
        command += ["--set", override]
    started = time.perf_counter()
    pid = os.posix_spawn(sys.executable, command, environment())
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"the build with --runner {runner} failed")
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return {
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        # On Linux the largest resident set of the process or of one of its workers, in KiB.
        "peak_mib": usage.ru_maxrss / 1024,
        "report": report,
    }


def shard_digests(output: Path) -> dict[str, str]:
    """sha256 of every shard."""
    tars = sorted((output / "data").glob("*.tar"))
    return {tar.name: hashlib.sha256(tar.read_bytes()).hexdigest() for tar in tars}


def print_summary(runs: dict[str, dict]) -> None:
    """One row a runner."""
    print("| runner | seconds | CPU seconds | pages/s | documents | peak memory, one process |")
    print("|---|---|---|---|---|---|")
    for name, found in runs.items():
        stages = [s for s in found["report"]["stages"] if s["unit"] == "pages"]
        pages, kept = stages[0]["entered"], stages[-1]["kept"]
        rate = pages / found["seconds"]
        print(f"| {name} | {found['seconds']:.1f} | {found['cpu']:.1f} | {rate:.2f} | {kept} "
              f"| {found['peak_mib']:.0f} MiB |")  # fmt: skip
    print()


def print_shares(runs: dict[str, dict]) -> None:
    """Wall-clock seconds by job, and seconds inside the workers by step."""
    for title in ("time by job", "time inside the workers"):
        for name, found in runs.items():
            head, *rows = found["report"]["tables"][title]
            print(f"{title}, {name}\n")
            print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
            for row in rows:
                print("| " + " | ".join(map(str, row)) + " |")
            print()


if __name__ == "__main__":
    main()
