import json

import pytest

from openm3w.pipeline.fetch.hosts import LATENCY_EDGES, HostStats
from openm3w.pipeline.fetch.outcomes import Fetched


def fetched(host, outcome="fetched", reason="", *, seconds=1.0, size=0, **kwargs):
    return Fetched(
        url=f"https://{host}/x.jpg",
        outcome=outcome,
        reason=reason,
        seconds=seconds,
        data=b"x" * size,
        attempts=kwargs.pop("attempts", 1),
        **kwargs,
    )


def counted(*rows, **bounds):
    stats = HostStats(**bounds)
    for row in rows:
        stats.add(row)
    return stats


def test_a_domain_has_its_requests_outcomes_bytes_and_seconds():
    stats = counted(
        fetched("img1.a.com", size=5),
        fetched("img2.a.com", size=7, redirects=2),
        fetched("a.com", "failed", "not_found", seconds=0.5, attempts=2),
        fetched("a.com", "dropped", "robots_disallowed", seconds=0.0, attempts=0),
        fetched("b.com"),
    )
    assert len(stats) == 2
    host = stats.slowest(9)[1]
    assert host.domain == "a.com"
    assert (host.urls, host.requests, host.bytes, host.seconds, host.failed) == (4, 6, 12, 2.5, 1)
    assert host.reasons == {"fetched": 2, "not_found": 1, "robots_disallowed": 1}


def test_the_slowest_are_by_seconds_of_a_request():
    stats = counted(
        *(fetched("busy.com", seconds=1.0) for _ in range(50)),
        fetched("slow.com", seconds=9.0),
        fetched("twice.com", seconds=9.0, attempts=2),
        fetched("refused.com", "dropped", "robots_disallowed", seconds=0.0, attempts=0),
    )
    assert [host.domain for host in stats.slowest(9)] == [
        "slow.com",
        "twice.com",
        "busy.com",
    ]
    assert [host.domain for host in stats.slowest(1)] == ["slow.com"]


def test_the_worst_are_by_urls_that_failed():
    stats = counted(
        *(fetched("b.com", "failed", "not_found") for _ in range(2)),
        *(fetched("a.com", "failed", "dns_failure") for _ in range(2)),
        *(fetched("c.com", "failed", "empty") for _ in range(3)),
        *(fetched("dropped.com", "dropped", "opt_out") for _ in range(9)),
    )
    assert [host.domain for host in stats.worst(9)] == ["c.com", "a.com", "b.com"]


def test_hosts_beyond_the_bound_are_counted_together():
    rows = [fetched(f"h{number}.com", seconds=0.1, size=1) for number in range(500)]
    rows[100:100] = [fetched("bad.com", "failed", "not_found", seconds=0.0)] * 5
    rows[200:200] = [fetched("slow.com", seconds=20.0)]
    stats = counted(*rows, max_hosts=4)
    assert len(stats) <= 8
    assert [(host.domain, host.failed) for host in stats.worst(2)] == [("bad.com", 5)]
    assert stats.slowest(1)[0].domain == "slow.com"
    total = stats.total()
    assert (total.urls, total.requests, total.bytes) == (506, 506, 500)
    assert total.reasons == {"fetched": 501, "not_found": 5}
    assert total.seconds == pytest.approx(500 * 0.1 + 20)


def test_up_to_twice_the_bound_nothing_is_put_together():
    rows = [fetched(f"h{number}.com") for number in range(5)]
    assert len(counted(*rows[:4], max_hosts=2)) == 4
    assert len(counted(*rows, max_hosts=2)) == 1  # the first by seconds of a request; none failed


def test_counts_of_workers_add_up_to_those_of_one():
    rows = [
        fetched(f"h{number % 7}.com", ("failed", "fetched")[number % 2], size=number)
        for number in range(40)
    ]
    one, first, second = counted(*rows), counted(*rows[:15]), counted(*rows[15:])
    first.merge(second)
    assert first.as_json() == one.as_json()


def test_merging_keeps_the_bound_and_the_sums():
    parts = [
        counted(*(fetched(f"h{number}-{part}.com") for number in range(20)), max_hosts=3)
        for part in range(5)
    ]
    whole = HostStats(max_hosts=3)
    for part in parts:
        whole.merge(part)
    assert len(whole) <= 6
    assert whole.total().urls == 100


def test_json_gives_back_what_was_counted():
    stats = counted(
        *(fetched(f"h{number}.com", size=number) for number in range(30)),
        fetched("bad.com", "failed", "not_found"),
        max_hosts=5,
    )
    found = HostStats.of_json(json.loads(json.dumps(stats.as_json())), max_hosts=5)
    assert found.as_json() == stats.as_json()
    assert found.total() == stats.total()
    assert found.worst(3) == stats.worst(3)


@pytest.mark.parametrize("found", [{}, {"hosts": 1}, {"hosts": [{}], "others": {}}, []])
def test_json_of_something_else_is_refused_in_one_line(found):
    with pytest.raises(ValueError, match="expected what as_json gave") as error:
        HostStats.of_json(found)
    assert "\n" not in str(error.value)


def test_a_bound_of_less_than_two_is_refused():
    HostStats(max_hosts=2)
    with pytest.raises(ValueError, match="at least 2"):
        HostStats(max_hosts=1)


def test_no_counts_have_no_hosts():
    stats = HostStats()
    assert (stats.slowest(3), stats.worst(3), stats.total().urls) == ([], [], 0)


def test_answers_are_counted_by_status_and_by_seconds_where_something_was_asked():
    asked = {"attempts": 1, "seconds": 0.05}
    rows = [
        Fetched(url="http://a.example/1", outcome="fetched", status=200, **asked),
        Fetched(
            url="http://a.example/2", outcome="failed", reason="not_found", status=404, **asked
        ),
        Fetched(url="http://a.example/3", outcome="failed", attempts=2, seconds=9999.0),
        Fetched(url="http://a.example/4", outcome="dropped", reason="robots_disallowed"),
    ]
    stats = counted(*rows)
    assert stats.statuses == {"200": 1, "404": 1, "none": 1}
    latency = dict(zip(LATENCY_EDGES, stats.latency, strict=False))
    assert {edge: n for edge, n in latency.items() if n} == {0.05: 2, 60: 1}
    again = HostStats.of_json(json.loads(json.dumps(stats.as_json())))
    again.merge(stats)
    assert (again.statuses["200"], sum(again.latency)) == (2, 6)


def test_counts_of_hosts_that_an_earlier_version_wrote_have_no_answers():
    known = counted(fetched("a.example")).as_json()
    del known["statuses"], known["latency"]
    assert HostStats.of_json(known).statuses == {}
    assert HostStats.of_json(known).total().urls == 1
