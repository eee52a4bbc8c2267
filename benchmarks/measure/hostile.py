"""The hostile server of the tests asked by ours and by img2dataset, an endpoint at a time.

Each endpoint is asked in a process of its own, which is ended when it hangs or grows. No socket is
connected but to the server: what would be is refused, and told.
"""

import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import asking
from measure.asking import Said
from measure.tables import print_row

SIDES = ("img2dataset", "openm3w")
MAX_SECONDS = 25.0
"""Of an endpoint. Either side asks twice at the most, and waits five seconds for a read; ours waits
ten for a request, and up to two seconds between two."""
MAX_GROWTH = 500
"""MiB beyond what a process had when it was asked."""
AT_ONCE = 4

_TESTS = Path(__file__).resolve().parents[2] / "tests/pipeline/fetch"
_SIZE = re.compile(r"VmHWM:\s*(\d+) kB")
# The whole picture may come all the same where HTTP is broken or much patience is needed; to take
# it then does no harm, and nor does giving up.
_TASTE = frozenset(
    {"bad_response", "bad_encoding", "too_many_redirects", "asked_to_wait", "http_status"}
)
_PATIENCE = (429, 500, 503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """The server that is asked."""

    endpoints: tuple[Any, ...]
    picture: bytes
    url: Callable[[str], str]
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of one endpoint on one side."""

    said: Said | None = None
    """None: the process ended, or had to be ended, without a word."""
    fault: str = ""
    growth: int = 0
    """MiB."""


def print_hostile() -> None:
    """Asks all endpoints on both sides; prints what each did, and how often it failed."""
    with _served() as server:
        ended = {side: _ask_all(side, server) for side in SIDES}
    print_row(["", "endpoint", *SIDES])
    print_row(["---"] * (2 + len(SIDES)))
    failures: dict[str, dict[str, list[int]]] = {side: {} for side in SIDES}
    for endpoint in server.endpoints:
        cells = []
        for side in SIDES:
            one = ended[side][endpoint.path]
            failure = failure_of(endpoint, one, server.picture)
            if failure:
                failures[side].setdefault(failure, []).append(endpoint.number)
            cells.append(f"**{failure}**{_told(one, ': ')}" if failure else _told(one))
        print_row([str(endpoint.number), endpoint.says, *cells])
    print(f"\nFailures, of {len(server.endpoints)}:\n")
    print_row(["side", "failures", "which"])
    print_row(["---"] * 3)
    for side in SIDES:
        each = [f"{what}: {', '.join(map(str, at))}" for what, at in failures[side].items()]
        number = sum(map(len, failures[side].values()))
        print_row([side, str(number), "; ".join(each) or "none"])


def failure_of(endpoint: Any, ended: Ended, picture: bytes) -> str:
    """Why what was done is wrong, or "".

    It `hangs`, `grows`, `connects` elsewhere, `loses the row`, `keeps` what is no picture, is not
    whole, or is not to be used, or `misses` a picture that every browser shows.
    """
    said = ended.said
    if ended.fault or said is None:
        return ended.fault
    if said.rows != 1:
        return "loses the row"
    if said.elsewhere:
        return "connects"
    reason = endpoint.reason if endpoint.whole is None else endpoint.whole
    # What comes in the end is the picture, or by the endpoint's own word something else.
    is_one = not reason and (endpoint.status != 200 or endpoint.body == picture)
    if said.is_kept and not is_one and reason not in _TASTE:
        return "keeps"
    misses = is_one and not said.is_kept and endpoint.status not in _PATIENCE
    return "misses" if misses else ""


def _told(ended: Ended, before: str = "") -> str:
    said = ended.said
    if said is None:
        return f"{before}{ended.growth} MiB" if ended.growth > MAX_GROWTH else ""
    plain = "".join(c if c.isprintable() and c != "|" else " " for c in said.reason).strip()
    words = "kept" if said.is_kept else plain[:60] or "no reason"
    return before + (said.elsewhere[0] if said.elsewhere else words)


@contextmanager
def _served() -> Iterator[Hostile]:
    sys.path.insert(0, str(_TESTS))
    from hostile import ENDPOINTS, PICTURE, make_certificates
    from hostile_bodies import bomb
    from serving import Serving

    for packing in ("gzip", "br", "zstd"):
        bomb(packing)  # takes seconds, in which the server would answer nobody
    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder))
        os.environ["SSL_CERT_FILE"] = str(certificates.authority)
        with Serving(certificates=certificates) as server:
            yield Hostile(
                endpoints=tuple(ENDPOINTS.values()),
                picture=PICTURE,
                url=server.url,
                ports=(server.port, *server.tls_ports.values()),
            )


def _ask_all(side: str, server: Hostile) -> dict[str, Ended]:
    context = multiprocessing.get_context("forkserver")
    # What is imported already counts neither as time nor as memory.
    context.set_forkserver_preload(["measure.asking", *asking.MODULES])

    def ask(endpoint: Any) -> tuple[str, Ended]:
        ours, theirs = context.Pipe()
        arguments = (side, server.url(endpoint.path), server.ports, theirs)
        process = context.Process(target=asking.ask, args=arguments)
        process.start()
        theirs.close()
        try:
            return endpoint.path, _watched(process.pid, ours)
        finally:
            process.kill()
            process.join()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(pool.map(ask, server.endpoints))


def _watched(pid: int | None, connection: Any) -> Ended:
    """What a process says in the end, if it neither hangs nor grows."""
    try:
        before = connection.recv()
        until = time.monotonic() + MAX_SECONDS
        while time.monotonic() < until:
            growth = _peak(pid) - before
            if growth > MAX_GROWTH:
                return Ended(fault="grows", growth=growth)
            if connection.poll(0.02):
                said, peak = connection.recv()
                growth = peak - before
                fault = "grows" if growth > MAX_GROWTH else ""
                return Ended(said=said, fault=fault, growth=growth)
    except EOFError:
        return Ended(fault="loses the row")  # its process died
    return Ended(fault="hangs")


def _peak(pid: int | None) -> int:
    """MiB; 0 where the system does not say."""
    try:
        found = _SIZE.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0
    return int(found[1]) >> 10 if found else 0
