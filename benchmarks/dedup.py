"""Near duplicates: signatures a second beside the peers, the curve, memory; and contamination.

    OPENM3W_REALDATA=FOLDER python benchmarks/dedup.py [--rounds 5] [--pairs 20000] [--only PART]

Signatures are of the texts that our extraction takes from the pages of the trafilatura set, with
5-grams and 14 x 8 values; each engine has a process of its own, they take turns of 50 texts, and
each measures its own CPU time. `make bench-deps` installs the peers; those that are missing are
named and left out. Prints Markdown.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from measure import contamination, duplicates

from openm3w.errors import InputError
from openm3w.filters.dedup.minhash import candidate_probability, verified_probability

MIB = 1 << 20
PARTS = ("speed", "curve", "memory", "contamination", "passes")
SIMILARITIES = (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    """Prints the tables, or the one that was asked for."""
    options = _options()
    archive = options.realdata / "extraction/trafilatura.warc.gz"
    if not archive.is_file():
        sys.exit(f"{archive}: no such file; set OPENM3W_REALDATA")
    try:
        texts = duplicates.read_texts(archive)
    except InputError as error:
        sys.exit(str(error))
    _print_setting(texts)
    parts: dict[str, Callable[[], None]] = {
        "speed": lambda: _print_speed(texts, options.rounds),
        "curve": lambda: _print_curve(options.pairs),
        "memory": lambda: _print_memory(texts),
        "contamination": lambda: _print_contamination(texts, options.rounds),
        "passes": lambda: _print_passes(options.documents),
    }
    for part in (options.only,) if options.only else PARTS:
        parts[part]()


def _print_setting(texts: list[str]) -> None:
    words = sum(len(text.split()) for text in texts)
    size = sum(len(text) for text in texts)
    numpy = metadata.version("numpy")
    print(f"{len(texts)} texts of {words / len(texts):.0f} words and {size / len(texts):.0f} ")
    print(f"characters on average; numpy {numpy}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f} at the start.\n")


def _print_speed(texts: list[str], rounds: int) -> None:
    costs = duplicates.run(texts, rounds)
    _print_row(["signatures", "documents/s/core", "MB of text/s/core", "x ours", "raised"])
    _print_row(["---"] * 5)
    ours = next(iter(costs.values()))
    size = sum(len(text.encode()) for text in texts) * rounds
    for name, cost in costs.items():
        rate = len(texts) * rounds / cost.cpu_seconds
        ratio = ours.cpu_seconds / cost.cpu_seconds
        speed = [f"{rate:,.0f}", f"{size / cost.cpu_seconds / 1e6:.1f}", f"{ratio:.3f}"]
        _print_row([name, *speed, str(cost.errors)])
    print("".join(f"\n- not installed: {name}" for name in duplicates.missing()) + "\n")


def _print_curve(pairs: int) -> None:
    _print_row(["Jaccard similarity", "pairs", "found", "1-(1-s^8)^14", "verified", "expected",
                "mean estimate"])  # fmt: skip
    _print_row(["---"] * 7)
    for similarity in SIMILARITIES:
        ran = duplicates.planted(similarity, pairs)
        expected = verified_probability(similarity, duplicates.VERIFIED)
        numbers = (ran.found, candidate_probability(similarity), ran.verified, expected,
                   ran.mean_estimate)  # fmt: skip
        _print_row([f"{similarity:.2f}", f"{pairs:,}", *(f"{number:.4f}" for number in numbers)])
    print()


def _print_memory(texts: list[str]) -> None:
    _print_row(["signatures made", "resident, MiB"])
    _print_row(["---"] * 2)
    for made, resident in duplicates.memory(texts, count=50_000, every=10_000):
        _print_row([f"{made:,}", f"{resident / MIB:.1f}"])
    print()


def _print_contamination(texts: list[str], rounds: int) -> None:
    ways = contamination.ways(texts)
    spent = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, known in ways.items():
            spent[name] += contamination.seconds(texts, known)
    _print_row(["contamination by", "different numbers", "documents/s/core"])
    _print_row(["---"] * 3)
    for name, known in ways.items():
        _print_row([name, f"{known.size:,}", f"{len(texts) * rounds / spent[name]:,.0f}"])
    print()


def _print_passes(documents: int) -> None:
    _print_row(["passes, runner local", "documents", "marked", "seconds", "documents/s",
                "peak memory, MiB"])  # fmt: skip
    _print_row(["---"] * 6)
    with tempfile.TemporaryDirectory() as folder:
        for name in duplicates.WAYS:
            ran = duplicates.passes(Path(folder) / "count", name, documents)
            _print_row([name, f"{documents:,}", f"{ran.marked:,}", f"{ran.seconds:.1f}",
                        f"{documents / ran.seconds:,.0f}",
                        f"{ran.peak_bytes / MIB:.0f}"])  # fmt: skip


def _options() -> argparse.Namespace:
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata")).resolve()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--realdata", type=Path, default=realdata)
    parser.add_argument("--rounds", type=int, default=5, help="times each text is gone over")
    parser.add_argument("--pairs", type=int, default=20_000, help="planted for each similarity")
    parser.add_argument("--documents", type=int, default=20_000, help="that the passes go over")
    parser.add_argument("--only", choices=PARTS, default="", help="this table alone")
    options = parser.parse_args()
    if min(options.rounds, options.pairs, options.documents) < 1:
        parser.error("expected --rounds, --pairs and --documents of at least 1")
    return options


def _print_row(cells: Iterable[str]) -> None:
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
