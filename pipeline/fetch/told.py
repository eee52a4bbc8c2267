"""What a person is told of fetching: a line while it runs, tables at its end."""

import io
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, Final, Self

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from openm3w.pipeline.fetch.hosts import FETCHED, HostCount, HostStats
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.shards.terminal import clean_line

EVERY_ON_TERMINAL: Final = 0.5
EVERY_IN_LOG: Final = 30.0
"""Seconds between two lines: on a terminal the line is written over, in a log each one stays."""
MOST_HOSTS: Final = 5
_TOP_REASONS: Final = 3
_RECENT: Final = 10.0  # seconds that the rate is of


class LiveLine:
    """Writes a line on the progress of fetching, so often; used in a `with` block.

    May be told from several threads, and goes on saying where nothing comes, which hosts that stall
    can be told by. Where nobody can be told, fetching goes on.
    """

    def __init__(
        self,
        expected: int = 0,
        *,
        to: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected = expected
        self._to = to or sys.stderr
        self._clock = clock
        self._on_terminal = self._to.isatty()
        self._lock = threading.Lock()
        self._started = self._said = clock()
        self._recent: list[tuple[float, int, int]] = [(self._started, 0, 0)]
        self._done = self._fetched = self._bytes = 0
        self._reasons: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_saying, name="live line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with self._lock:
            if self._done:
                self._say(self._clock(), end="\n")

    def add(self, found: Fetched) -> None:
        """Counts an outcome, and writes the line where it is time."""
        reason = found.reason or FETCHED
        self.add_many(HostCount(domain="", bytes=len(found.data), reasons=Counter({reason: 1})))

    def add_many(self, found: HostCount) -> None:
        """Counts what another process was given, and writes the line where it is time."""
        with self._lock:
            self._done += found.urls
            self._fetched += found.reasons[FETCHED]
            self._bytes += found.bytes
            self._reasons.update(found.reasons)
            self._say_in_time()

    def _keep_saying(self) -> None:
        while not self._over.wait(EVERY_ON_TERMINAL):
            with self._lock:
                if self._done:
                    self._say_in_time()

    def _say_in_time(self) -> None:
        now = self._clock()
        if now - self._said >= (EVERY_ON_TERMINAL if self._on_terminal else EVERY_IN_LOG):
            self._say(now, end="" if self._on_terminal else "\n")

    def line(self, now: float) -> str:
        """The line as it is now."""
        then, done, size = self._recent[0]
        seconds = max(now - then, 1e-9)
        of = f" of {self._expected:,}" if self._expected else ""
        reasons = [
            f"{reason.replace('_', ' ')} {count:,}"
            for reason, count in self._reasons.most_common(_TOP_REASONS + 1)
            if reason != FETCHED
        ]
        return ", ".join(
            [
                f"images: {self._done:,}{of}",
                f"{(self._done - done) / seconds:,.0f}/s",
                f"{100 * self._fetched / max(self._done, 1):.0f} % fetched",
                f"{(self._bytes - size) / seconds / 1e6:,.1f} MB/s",
                *reasons[:_TOP_REASONS],
            ]
        )

    def _say(self, now: float, *, end: str) -> None:
        line = self.line(now)
        self._said = now
        self._recent.append((now, self._done, self._bytes))
        while len(self._recent) > 2 and now - self._recent[1][0] >= _RECENT:
            self._recent.pop(0)
        try:
            self._to.write(f"\r\x1b[K{line}{end}" if self._on_terminal else f"{line}{end}")
            self._to.flush()
        except (OSError, ValueError):  # a closed pipe or file
            self._on_terminal = False


def tables(stats: HostStats) -> Group:
    """Outcomes with their shares, then the slowest hosts and those that failed most."""
    total = stats.total()
    outcomes = Table("outcome", "URLs", "share", title="images asked for", title_justify="left")
    for reason, count in sorted(total.reasons.items(), key=lambda item: (-item[1], item[0])):
        share = 100 * count / max(total.urls, 1)
        outcomes.add_row(reason.replace("_", " "), f"{count:,}", f"{share:.1f} %")
    outcomes.add_section()
    outcomes.add_row("all", f"{total.urls:,}", f"{total.bytes / 1e6:,.1f} MB")
    for column in outcomes.columns[1:]:
        column.justify = "right"
    slowest = _hosts("slowest hosts", stats.slowest(MOST_HOSTS))
    worst = _hosts("hosts that failed most", stats.worst(MOST_HOSTS))
    return Group(*[table for table in (outcomes, slowest, worst) if table.row_count])


def lines(stats: HostStats, width: int = 100) -> Iterator[str]:
    """The tables as plain lines."""
    console = Console(width=width, no_color=True, file=io.StringIO())
    with console.capture() as captured:
        console.print(tables(stats))
    for line in captured.get().splitlines():
        yield line.rstrip()


def _hosts(title: str, found: list[HostCount]) -> Table:
    table = Table(
        "host", "requests", "s each", "failed", "mostly", title=title, title_justify="left"
    )
    for host in found:
        reason, _ = max(host.reasons.items(), key=lambda item: (item[1], item[0]))
        table.add_row(
            Text(clean_line(host.domain) or "(none)"),
            f"{host.requests:,}",
            f"{host.seconds_each:.2f}",
            f"{host.failed:,}",
            reason.replace("_", " "),
        )
    for column in table.columns[1:4]:
        column.justify = "right"
    return table
