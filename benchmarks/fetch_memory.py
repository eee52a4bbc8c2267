"""What is remembered of fetches: units written, URLs looked up and merged, per second.

    python benchmarks/fetch_memory.py [--rows 1000000] [--unit 500] [--store FOLDER-OR-URI]

Writes units of rows with small bytes (what the ledger costs, not the disk), looks keys up before
and after the units are merged, in batches of keys from everywhere and of keys of one shard, known
and unknown, and reads bytes back. The store is a temporary folder unless one is named, and each
reader is opened afresh. Prints Markdown.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata

from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.remembered import key_of, shard_of

SHARDS = 256
BATCH = 500
"""Keys of a look-up, as a unit has them."""
LOOKUPS = 20
READS = 5000


def main() -> None:
    """Prints one table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        uri = options.store or folder
        if Memory.open(uri).blobs.names("rows"):
            sys.exit(f"{uri}: holds rows already; name an empty store")
        print(f"{options.rows:,} rows in units of {options.unit}, pyarrow ", end="")
        print(f"{metadata.version('pyarrow')}, {os.cpu_count()} cores, ", end="")
        print(f"load {os.getloadavg()[0]:.1f} at the start.\n")
        print("| what | number | seconds | per second |\n|---|---|---|---|")
        _measure(uri, options.rows, options.unit)
        print(f"\n{_files(Memory.open(uri))}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"Peak memory {peak:,.0f} MiB.")


def _measure(uri: str, rows: int, unit: int) -> None:
    _timed("rows written", lambda: _write(uri, rows, unit))
    _look_up(uri, rows, "loose")
    print(f"\n{_files(Memory.open(uri))}\n\n| what | number | seconds | per second |")
    print("|---|---|---|---|")
    _timed("rows merged", lambda: Memory.open(uri).compact(full=True).rows)
    _look_up(uri, rows, "merged")
    _timed("rows counted by outcome", lambda: Memory.open(uri).stats().urls)
    memory = Memory.open(uri)
    some = memory.lookup(_keys(_spread(rows, min(READS, rows))))
    found = {key: one for key, one in some.items() if one.sha256}
    _timed(
        "contents read, from everywhere", lambda: sum(1 for _ in memory.read_many(found.values()))
    )
    _timed(
        "the same again by `read`", lambda: sum(bool(memory.read(one)) for one in found.values())
    )


def _look_up(uri: str, rows: int, which: str) -> None:
    memory = Memory.open(uri)
    _timed(f"{which}: first look-up of 1 key", lambda: _found(memory, [_spread(rows, 1)]))
    batches = [range(at, rows, max(rows // BATCH, 1)) for at in range(LOOKUPS)]
    _timed(f"{which}: known keys in batches of {BATCH}", lambda: _found(memory, batches))
    unknown = [range(rows + at * BATCH, rows + (at + 1) * BATCH) for at in range(LOOKUPS)]
    _timed(
        f"{which}: unknown keys in batches of {BATCH}",
        lambda: _found(memory, unknown) + LOOKUPS * BATCH,
    )
    shard = [n for n in range(rows) if shard_of(_key(n), SHARDS) == 0]
    _timed(f"{which}: known keys of 1 shard of {SHARDS}", lambda: _found(memory, [shard]))
    many = _spread(rows, min(rows, 100_000))
    _timed(f"{which}: known keys in a batch of {len(many)}", lambda: _found(memory, [many]))


def _write(uri: str, rows: int, unit: int) -> int:
    memory = Memory.open(uri)
    for start in range(0, rows, unit):
        with memory.writing(f"unit-{start}") as writing:
            for number in range(start, min(start + unit, rows)):
                writing.add(_fetched(number))
    return rows


def _fetched(number: int) -> Fetched:
    known = {"url": _url(number), "fetched_at": "2026-11-23T05:00:00Z", "seconds": number / 7919}
    if number % 5 == 3:  # as of LAION's addresses, some are gone
        return Fetched(outcome="failed", reason="not_found", status=404, attempts=1, **known)  # type: ignore[arg-type]
    return Fetched(
        outcome="fetched",
        status=200,
        attempts=1,
        content_type="image/jpeg",
        etag=f'"{key_of(_url(number)):x}"',
        last_modified="Sat, 01 Nov 2025 00:00:00 GMT",
        data=f"picture {number}".encode() * 10,
        **known,  # type: ignore[arg-type]
    )


def _url(number: int) -> str:
    return f"http://images{number % 977}.example/2026/11/{number:09d}-w640.jpg"


def _key(number: int) -> str:
    return url_key(_url(number))


def _keys(numbers: Iterable[int]) -> Iterator[str]:
    return map(_key, numbers)


def _spread(rows: int, count: int) -> range:
    return range(0, rows, max(rows // count, 1))


def _found(memory: Memory, batches: Iterable[Iterable[int]]) -> int:
    return sum(len(memory.lookup(_keys(batch))) for batch in batches)


def _timed(what: str, work: Callable[[], int]) -> None:
    start = time.perf_counter()
    number = work()
    seconds = time.perf_counter() - start
    print(f"| {what} | {number:,} | {seconds:,.2f} | {number / seconds:,.0f} |", flush=True)


def _files(memory: Memory) -> str:
    sizes = {name: memory.blobs.names(name).values() for name in ("packs", "rows", "merged")}
    return "; ".join(f"{n}: {len(s):,} files, {sum(s) / 1e6:,.1f} MB" for n, s in sizes.items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--unit", type=int, default=500)
    parser.add_argument("--store", default="")
    return parser.parse_args()


if __name__ == "__main__":
    main()
