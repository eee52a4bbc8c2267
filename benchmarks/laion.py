"""LAION's own rows through a whole caption build, against a web of their hosts on loopback.

    python benchmarks/laion.py [--rows 10000] [--rate 4] [--concurrency 128] [--latency 0.02]

Every host of the 10,000 rows behind OPENM3W_REALDATA is led to one server: pictures cut out of the
photographs of flickr8k, 404, 403, robots.txt, slow, silent and gone ones (see HABITS of
tests/pipeline/fetch/loopback_web.py). The build is that of `m3w captions build --fetch`, with all
guards on. What becomes of each row, and how often the server was asked for each address, is held
against what is right; a second build over the same store, with pictures of another size, must ask
for nothing. Prints Markdown.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
from fetch import photographs
from measure.pictures import make_pictures, pictures
from measure.processes import environment
from measure.tables import print_row

from openm3w.filters.url import registered_domain, url_key
from openm3w.pipeline.captions import build as builds
from openm3w.pipeline.captions import images
from openm3w.pipeline.captions.lookup import reference_of
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.fetch import process
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.runners import Runner

SERVERS = Path(__file__).parents[1] / "tests/pipeline/fetch"
sys.path.append(str(SERVERS))

from loopback_web import HABITS, MOVED, SITE_FILES, Web, expected, habit_of, resolver  # noqa: E402

BOUNDS = (
    "images.source=http",
    "fetch.manners.contact=benchmark@example.org",
    "fetch.limits.allow_private_networks=true",
)


def main() -> None:
    """Makes the pictures, serves them, builds twice and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=4.0, help="requests a second of a domain")
    parser.add_argument("--concurrency", type=int, default=128)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.serve, options.latency))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        urls = take_rows(options.rows, folder)
        make_pictures(folder, len(urls), list(photographs()))
        with _served(folder, options.latency) as server:
            _run(options, folder, urls, server)


def _run(options: argparse.Namespace, folder: Path, urls: list[str], server: "Server") -> None:
    os.environ["SSL_CERT_FILE"] = str(server.authority)
    bounds = (
        *BOUNDS,
        f"fetch.manners.per_domain_rate={options.rate}",
        f"fetch.concurrency={options.concurrency}",
    )
    first = build(folder, "first", urls, server, *bounds)
    print_outcomes(options, urls, first)
    asked = server.requests()
    check(first, urls, asked)
    second = build(folder, "second", urls, server, *bounds, "resize.side=128")
    same("outcomes of a second build", outcomes(second.plan), outcomes(first.plan))
    again = (server.requests() - asked).total()
    same("requests of a second build", again, 0)
    print(f"\nA second build over the same store: {second.seconds:.0f} s, {again} requests.")


@dataclass(frozen=True, slots=True)
class Built:
    """A build and what it took."""

    plan: CaptionPlan
    stages: list[dict[str, Any]]
    samples: int
    seconds: float
    cpu: float


def take_rows(rows: int, folder: Path) -> list[str]:
    """Writes so many of LAION's rows to `rows.parquet`, and returns their distinct URLs."""
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata"))
    table = pq.read_table(realdata / "laion/test_10000.parquet").slice(0, rows)
    pq.write_table(table, folder / "rows.parquet")
    found = {url_key(url): None for url in table.column("URL").to_pylist()}
    urls = [url for url in found if url.startswith("http")]
    (folder / "urls.json").write_text(json.dumps(urls), encoding="utf-8")
    return urls


def build(
    folder: Path, name: str, urls: list[str], server: "Server | Web", *overrides: str
) -> Built:
    """The build of `folder/rows.parquet`, all of its names led to the server.

    Nothing on loopback can stand for a host that is an address: such are buried, and so not asked.
    """
    store = folder / "store"
    Memory.open(str(store / "fetched")).bury(url for url in urls if _is_address(url))
    plan = builds.make_plan(
        load(overrides=overrides), [str(folder / "rows.parquet")], folder / name, store=store
    )
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    with process.resolved_by(partial(resolver, urls, server.port, server.deaf_port)):
        built = builds.build(plan, Runner(), say=lambda line: print(line, file=sys.stderr))
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stages = built.manifest.counts["stages"]
    return Built(plan, stages, built.manifest.nsamples, seconds, cpu)


def _is_address(url: str) -> bool:
    try:
        return bool(ipaddress.ip_address(urlsplit(url).hostname or ""))
    except ValueError:
        return False


def outcomes(plan: CaptionPlan) -> dict[str, str]:
    """Why each distinct image has no place in a pack; "" where it has one. Each is there once."""
    ledger = [
        (reference_of(row["image"]), row["outcome"], row["reason"])
        for unit in images.pack_units(plan)
        for row in plan.folder("images").rows(unit, ["image", "outcome", "reason"])
    ]
    found = {image: reason for image, _, reason in ledger}
    same("rows of the ledger", len(ledger), len(found))
    for image, outcome, reason in ledger:
        same(f"whether {image} is kept", outcome == "kept", not reason)
    return found


def check(built: Built, urls: Iterable[str], asked: Mapping[str, int]) -> None:
    """Holds a build against what is right; raises AssertionError where it is not."""
    entered = {}
    for stage in built.stages:
        lost = sum(stage["dropped"].values()) + sum(stage["failed"].values())
        same(f"what left {stage['job']}", stage["kept"] + lost, stage["entered"])
        entered[stage["job"], stage["unit"]] = stage["entered"]
    rows = pq.read_metadata(built.plan.tables[0].source.path).num_rows
    found, requests = outcomes(built.plan), _by_address(asked)
    same("rows read", entered["rows", "rows"], rows)
    same("images looked up", entered["images", "images"], len(found))
    named = {url for url in urls if url in found}
    same("images of no address", {i for i in found if "://" in i} - named, set())
    for url in urls:
        right = expected(url)
        outcome = (right.reason, right.requests)
        if _is_address(url):
            outcome = ("tombstone", 0)
        elif url not in found:  # of a row without a caption that counts
            outcome = (None, 0)
        same(f"{url} ({right.habit.name})", (found.get(url), requests[url]), outcome)
    files = {url for url in requests if urlsplit(url).path in SITE_FILES}
    same("addresses that no row has", set(requests) - files - named, set())
    for url in files:  # a second time where a site said nothing the first time
        most = 2 if habit_of(urlsplit(url).hostname or "").reason == "idle_timeout" else 1
        same(f"requests of {url}", max(requests[url], most), most)


def same(what: str, found: object, right: object) -> None:
    """Raises AssertionError where two are not the same."""
    if found != right:
        raise AssertionError(f"{what}: {found}, expected {right}")


def _by_address(asked: Mapping[str, int]) -> Counter[str]:
    found = Counter[str]()
    for url, number in asked.items():
        parts = urlsplit(url)
        found[url_key(url.replace(MOVED, "", 1) if parts.path.startswith(MOVED) else url)] += number
    return found


def print_outcomes(options: argparse.Namespace, urls: list[str], built: Built) -> None:
    """The rate and the outcomes of a build."""
    found = outcomes(built.plan)
    domains = Counter(map(registered_domain, urls))
    (largest, most), *_ = domains.most_common(1)
    print(
        f"{options.rows:,} rows, {len(urls):,} addresses, {len(domains):,} domains; "
        f"{1000 * options.latency:.0f} ms latency, {options.rate:g} requests a second of a domain, "
        f"{options.concurrency} at once; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    alone = f"; {largest} alone takes {most / options.rate:.0f} s" if options.rate else ""
    print(
        f"{built.seconds:.0f} s, {options.rows / built.seconds:.0f} rows/s, "
        f"{1000 * built.cpu / options.rows:.1f} CPU ms a row, {built.samples:,} pairs written"
        f"{alone}\n"
    )
    print_row(["host", "outcome", "images"])
    print_row(["---"] * 3)
    counts = Counter((_host(url), why) for url, why in found.items())
    order = {habit.name: at for at, habit in enumerate(HABITS)}
    for (host, why), number in sorted(counts.items(), key=lambda c: order.get(c[0][0], len(order))):
        print_row([host, why or "kept", f"{number:,}"])
    print_row(["all", "", f"{len(found):,}"])


def _host(url: str) -> str:
    if "://" not in url:
        return "no address"
    return (
        "an address in numbers" if _is_address(url) else habit_of(urlsplit(url).hostname or "").name
    )


async def _serve(folder: Path, latency: float) -> None:
    """Serves until its input ends; a line of it is answered by what was asked so far."""
    kept = dict(zip(json.loads((folder / "urls.json").read_text()), pictures(folder), strict=True))
    served = {url: partial(kept.__getitem__, url) for url in kept}
    async with Web(served, folder, latency=latency) as web:
        print(json.dumps([web.port, web.deaf_port, str(web.authority)]), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(web.requests), flush=True)


class Server:
    """A web in a process of its own."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self._child = child
        self.port, self.deaf_port, self.authority = self._line()

    def requests(self) -> Counter[str]:
        """How often each address was asked for until now."""
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        return Counter(self._line())

    def _line(self) -> Any:
        return json.loads(self._child.stdout.readline())


@contextlib.contextmanager
def _served(folder: Path, latency: float) -> Iterator[Server]:
    command = [sys.executable, __file__, "--serve", str(folder), "--latency", str(latency)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment()) as child:
        yield Server(child)


if __name__ == "__main__":
    main()
