"""The line while fetching runs, and the tables at its end."""

import io
import time

import pytest

from openm3w.pipeline.fetch.hosts import HostStats
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.told import LiveLine, lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def fetched(at, host="a.example", data=b"x" * 1000):
    return Fetched(
        url=f"https://{host}/{at}", outcome="fetched", data=data, attempts=1, seconds=0.1
    )


def failed(at, reason="dns_failure", host="b.example", seconds=2.0):
    url = f"https://{host}/{at}"
    return Fetched(url=url, outcome="failed", reason=reason, attempts=2, seconds=seconds)


def told(to, number=60):
    clock = Clock()
    with LiveLine(number, to=to, clock=clock) as live:
        for at in range(number):
            clock.now += 0.125
            live.add(fetched(at) if at % 3 else failed(at))
    return to.getvalue()


def test_in_a_log_lines_are_rare_and_stay():
    text = told(io.StringIO(), 481)
    first, second, last = text.splitlines()
    assert text.endswith("\n")
    assert "\r" not in text
    assert first.startswith("images: 240 of 481, 8/s, 67 % fetched, 0.0 MB/s, dns failure 80")
    assert second.startswith("images: 480 of 481")
    assert last.startswith("images: 481 of 481, 8/s")


def test_on_a_terminal_the_line_is_written_over():
    text = told(Terminal())
    written = text.split("\r\x1b[K")[1:]
    assert len(written) == 16
    assert "\n" not in "".join(written[:-1])
    assert written[-1].startswith("images: 60 of 60")
    assert written[-1].endswith("\n")


def test_what_other_processes_were_given_is_counted_in_units():
    clock, to = Clock(), io.StringIO()
    stats = HostStats()
    for at in range(6):
        stats.add(fetched(at) if at % 3 else failed(at))
    with LiveLine(to=to, clock=clock) as live:
        live.add_many(stats.total())
        clock.now += 40
        live.add_many(stats.total())
    first, last = to.getvalue().splitlines()
    assert first == last
    assert last.startswith("images: 12, 0/s, 67 % fetched, 0.0 MB/s, dns failure 4")


def test_the_line_goes_on_where_nothing_comes():
    clock, to = Clock(), Terminal()
    with LiveLine(to=to, clock=clock) as live:
        live.add(fetched(0))
        before = to.getvalue()
        clock.now += 60
        for _ in range(200):  # the line's own thread looks twice a second
            if to.getvalue() != before:
                break
            time.sleep(0.05)
        assert "images: 1, 0/s" in to.getvalue()


def test_the_rate_is_of_the_last_seconds():
    clock, to = Clock(), io.StringIO()
    live = LiveLine(to=to, clock=clock)
    for _ in range(100):
        live.add(fetched(0, data=b"x" * 1_000_000))
    for _ in range(4):
        clock.now += 30
        live.add(fetched(0))
    assert ", 0/s, 100 % fetched, 0.0 MB/s" in to.getvalue().splitlines()[-1]


def test_nothing_is_said_where_nothing_was_asked_for():
    to = io.StringIO()
    with LiveLine(to=to):
        pass
    assert to.getvalue() == ""


def test_fetching_goes_on_where_nobody_listens():
    to = io.StringIO()
    clock = Clock()
    with LiveLine(to=to, clock=clock) as live:
        live.add(fetched(0))
        to.close()
        clock.now += 60
        live.add(fetched(1))


@pytest.fixture
def stats():
    found = HostStats()
    for at in range(8):
        found.add(fetched(at))
    for at in range(3):
        found.add(failed(at))
    found.add(failed(0, "total_timeout", "c.example", 30.0))
    return found


def test_the_tables_say_what_came_of_all_and_which_hosts_failed(stats):
    text = "\n".join(lines(stats))
    rows = [line.replace("│", " ").split() for line in text.splitlines()]
    assert ["fetched", "8", "66.7", "%"] in rows
    assert ["dns", "failure", "3", "25.0", "%"] in rows
    assert ["all", "12", "0.0", "MB"] in rows
    slowest = text[text.index("slowest hosts") : text.index("hosts that failed most")]
    assert slowest.index("c.example") < slowest.index("b.example") < slowest.index("a.example")
    failing = text[text.index("hosts that failed most") :]
    assert failing.index("b.example") < failing.index("c.example")
    assert "a.example" not in failing
    assert "\x1b" not in text


def test_without_a_failure_there_is_no_table_of_failing_hosts():
    found = HostStats()
    found.add(fetched(0))
    assert "failed most" not in "\n".join(lines(found))
