"""What is remembered is not asked for again, and every URL has one outcome: the server counts."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import PICTURE
from serving import HERE, RUDE, Serving, pictures, reasons

from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.getting import Again, get
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.settings import FetchSettings, Limits
from openm3w.pipeline.fetch.standing import is_lifted
from openm3w.pipeline.fetch.store.memory import Memory

SETTINGS = FetchSettings(limits=HERE, manners=RUDE)
LAX = replace(SETTINGS, manners=replace(RUDE, opt_out=replace(RUDE.opt_out, directives=())))


def asked(server):
    """Requests of everything but what sites say."""
    return sum(number for path, number in server.requests.items() if path != "/robots.txt")


def got(server_or_urls, root, settings=SETTINGS, unit="a", **options):
    urls = server_or_urls if isinstance(server_or_urls, list) else every(server_or_urls)
    with Fetcher(settings) as fetcher:
        return {g.url: g for g in get(urls, Memory.open(str(root)), fetcher, unit=unit, **options)}


def every(server):
    return [server.url(path) for path in server.pictures]


def test_a_second_run_asks_for_nothing_and_has_the_same_bytes(tmp_path):
    with Serving(pictures=pictures(30)) as server:
        first = got(server, tmp_path)
        before = server.requests.total()
        second = got(server, tmp_path, unit="b")
        assert server.requests.total() == before
    assert first == second
    assert sorted(g.data for g in first.values()) == sorted(server.pictures.values())


def test_spellings_of_one_address_are_one(tmp_path):
    with Serving(pictures=pictures(1)) as server:
        url = server.url("/0.jpg")
        urls = [url, f"{url}#top", url.replace("http", "HTTP"), url.replace("/0", "/./%30")]
        found = got(urls, tmp_path)
        assert list(found) == [url]
        assert asked(server) == 1


def test_dead_links_are_remembered_too_and_asked_again_only_when_wanted(tmp_path):
    with Serving(pictures=pictures(2)) as server:
        urls = [*every(server), server.url("/gone.jpg"), server.url("/forbidden")]
        assert reasons(got(urls, tmp_path).values()) == {
            "fetched": 2,
            "not_found": 1,
            "http_status": 1,
        }
        assert asked(server) == 4
        got(urls, tmp_path)
        assert asked(server) == 4
        server.pictures["/gone.jpg"] = PICTURE
        found = got(urls, tmp_path, again=Again(refetch="failed"))
        assert asked(server) == 6
        assert found[server.url("/gone.jpg")].data == PICTURE


def test_a_refetch_that_was_stopped_goes_on_where_it_was(tmp_path):
    with Serving(pictures=pictures(6)) as server:
        urls = every(server)
        got(urls, tmp_path)
        began = time.time() + 2  # beyond the second in which these were learned
        again = Again(refetch="all", since=began)
        while time.time() < began:
            time.sleep(0.05)
        got(urls[:4], tmp_path, again=again)
        assert asked(server) == 10
        got(urls, tmp_path, again=again)
        assert asked(server) == 12


@pytest.mark.parametrize(("bound", "requests"), [(3600, 1), (-1, 2)])
def test_what_is_older_than_a_bound_is_asked_for_again(tmp_path, bound, requests):
    with Serving(pictures=pictures(1)) as server:
        got(server, tmp_path)
        got(server, tmp_path, again=Again(refetch="older-than", older_than_seconds=bound))
        assert asked(server) == requests


def test_what_was_fetched_by_laxer_manners_is_judged_by_ours(tmp_path):
    with Serving() as server:
        url = server.url("/folded")
        assert reasons(got([url], tmp_path, LAX).values()) == {"fetched": 1}
        found = got([url], tmp_path)
        assert reasons(found.values()) == {"opt_out": 1}
        assert found[url].data == b""
        assert asked(server) == 1


@pytest.mark.parametrize(
    ("reason", "strict", "asks"),
    [
        ("bad_port", replace(SETTINGS, limits=replace(HERE, ports=(80,))), 0),
        (
            "private_address",
            replace(SETTINGS, limits=replace(HERE, allow_private_networks=False)),
            0,
        ),
        ("opt_out", SETTINGS, 1),
    ],
)
def test_a_refusal_that_the_settings_no_longer_ask_for_is_none(reason, strict, asks, tmp_path):
    with Serving() as server:
        url = server.url("/folded")  # which asks not to be used
        for unit in "ab":  # the same settings go by what is remembered
            assert reasons(got([url], tmp_path, strict, unit).values()) == {reason: 1}
            assert asked(server) == asks
        assert reasons(got([url], tmp_path, LAX, "c").values()) == {"fetched": 1}
        assert asked(server) == asks + 1


@pytest.mark.parametrize(
    ("reason", "signals", "lifted"),
    [
        ("robots_disallowed", (), True),
        ("robots_unreachable", (), True),
        ("ai_txt", ("ai.txt: disallow",), True),
        ("opt_out", ("x-robots-tag: noai",), True),
        ("bad_port", (), True),
        ("not_found", (), False),
        ("tombstone", (), False),
        ("too_large", (), False),
    ],
)
def test_what_is_lifted_by_lax_settings_is_not_by_the_usual_ones(reason, signals, lifted):
    known = Fetched(url="http://a.org:8080/", outcome="dropped", reason=reason, signals=signals)
    lax = replace(LAX, manners=replace(LAX.manners, robots=False, ai_txt=False))
    assert is_lifted(lax, known) == lifted
    assert not is_lifted(FetchSettings(), known)


@pytest.mark.parametrize(
    ("url", "lifted"),
    [("http://a.org:8080/", True), ("http://a.org/", False), ("https://a.org:81/", False)],
)
def test_a_port_is_lifted_where_it_may_be_asked_now(url, lifted):
    known = Fetched(url="http://a.org:99/", outcome="dropped", reason="bad_port", final_url=url)
    assert is_lifted(FetchSettings(limits=Limits(ports=(8080,))), known) == lifted


def test_a_tombstone_is_never_asked_for(tmp_path):
    memory = Memory.open(str(tmp_path))
    with Serving(pictures=pictures(3)) as server:
        urls = every(server)
        got(urls[:1], tmp_path)
        memory.bury(urls[:2])
        before = asked(server)
        with Fetcher(SETTINGS, covers=memory.tombstones) as fetcher:
            again = Again(refetch="all")
            found = list(get(urls, memory, fetcher, unit="b", again=again))
        assert reasons(found) == {"tombstone": 2, "fetched": 1}
        assert asked(server) == before + 1
    assert [bool(g.data) for g in found].count(True) == 1


def test_told_hears_of_what_was_asked_and_of_nothing_else(tmp_path):
    with Serving(pictures=pictures(3)) as server:
        urls, heard = every(server), []
        got(urls[:2], tmp_path, told=heard.append)
        got(urls, tmp_path, told=heard.append)
    assert sorted(f.url for f in heard) == sorted(urls)


def test_a_unit_that_is_left_in_the_middle_is_not_remembered(tmp_path):
    with Serving(pictures=pictures(5)) as server, Fetcher(SETTINGS) as fetcher:
        memory = Memory.open(str(tmp_path))
        stream = get(every(server), memory, fetcher, unit="a")
        next(stream)
        stream.close()
        assert memory.lookup(every(server)) == {}


def saying(status):
    """An answer to all that is no picture, but to what sites say."""

    async def other(wire):
        await wire.say("404 Not Found" if wire.path == "/robots.txt" else status, body=b"")

    return other


@pytest.mark.parametrize(
    ("status", "stays"),
    [
        ("503 Service Unavailable", True),
        ("429 Too Many Requests", True),
        ("404 Not Found", False),
        ("410 Gone", False),
        ("403 Forbidden", False),
        ("200 OK", False),  # and nothing in it
    ],
)
def test_a_copy_stays_where_asking_again_fails_for_something_that_passes(tmp_path, status, stays):
    settings = replace(SETTINGS, manners=replace(RUDE, retries=0))
    with Serving(pictures=pictures(2), other=saying(status)) as server:
        urls = every(server)
        first = got(urls, tmp_path, settings)
        del server.pictures["/0.jpg"]
        second = got(urls, tmp_path, settings, again=Again(refetch="all"))
        before = server.requests.total()
        later = got(urls, tmp_path, settings)  # from the store, and after a merge
        Memory.open(str(tmp_path)).compact(full=True)
        assert got(urls, tmp_path, settings) == later == second
        assert server.requests.total() == before
    assert second[urls[1]] == first[urls[1]]
    assert (second[urls[0]] == first[urls[0]]) is stays
    assert bool(second[urls[0]].reason) is not stays


def test_what_a_redirect_or_an_error_says_of_use_is_not_said_of_the_picture(tmp_path):
    async def other(wire):
        if wire.path == "/moved":
            fields = ("X-Robots-Tag: noindex", "Location: /0.jpg")
            await wire.say("302 Found", *fields, body=b"")
        else:
            status = "404 Not Found" if wire.path == "/robots.txt" else "503 Oops"
            await wire.say(status, "X-Robots-Tag: noai", body=b"")

    settings = replace(SETTINGS, manners=replace(RUDE, retries=0))
    with Serving(pictures=pictures(1), other=other) as server:
        urls = [server.url("/moved"), server.url("/0.jpg")]
        first = got(urls, tmp_path, settings)
        assert reasons(first.values()) == {"fetched": 2}
        assert got(urls, tmp_path, settings) == first
        server.pictures.clear()
        assert got(urls, tmp_path, settings, again=Again(refetch="all")) == first
        assert got(urls, tmp_path, settings) == first
    known = Memory.open(str(tmp_path)).lookup(urls)
    assert known[urls[0]].signals == ("earlier x-robots-tag: noindex",)


def test_an_opt_out_that_is_learned_later_hides_the_copy_that_was_there(tmp_path):
    with Serving(pictures=pictures(1)) as server:
        (url,) = every(server)
        got([url], tmp_path)
        server.pictures["/robots.txt"] = b"User-agent: *\nDisallow: /\n"
        assert got([url], tmp_path, again=Again(refetch="all"))[url].reason == "robots_disallowed"
        assert got([url], tmp_path)[url].data == b""


def test_a_copy_that_stays_counts_as_asked_for(tmp_path):
    settings = replace(SETTINGS, manners=replace(RUDE, retries=0))
    with Serving(pictures=pictures(1), other=saying("503 Service Unavailable")) as server:
        (url,) = every(server)
        got([url], tmp_path, settings)
        del server.pictures["/0.jpg"]
        again = Again(refetch="all", since=time.time())
        assert got([url], tmp_path, settings, again=replace(again, since=again.since + 60))[
            url
        ].data
        assert asked(server) == 2
        assert got([url], tmp_path, settings, again=replace(again, since=again.since - 60))[
            url
        ].data
        assert asked(server) == 2


CHILD = """
import sys
from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.getting import get
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.settings import FetchSettings
from serving import HERE, RUDE
root, url, units, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
memory = Memory.open(root)
with Fetcher(FetchSettings(limits=HERE, manners=RUDE)) as fetcher:
    for unit in range(units):
        urls = [f"{url}/{unit * size + at}.jpg" for at in range(size)]
        for found in get(urls, memory, fetcher, unit=f"u{unit}"):
            print(found.reason or "fetched", flush=True)
"""


def test_after_kill_9_at_most_the_open_unit_is_asked_for_again(tmp_path):
    units, size = 6, 20
    with Serving(pictures=pictures(units * size)) as server:
        here = f"http://127.0.0.1:{server.port}"
        command = [sys.executable, "-c", CHILD, str(tmp_path), here, str(units), str(size)]
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        environment = {**os.environ, "PYTHONPATH": paths}
        for after in (30, 25):  # outcomes: inside the second unit, and later inside another one
            child = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
            for _ in range(after):
                assert child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.split() == ["fetched"] * (units * size)
        counts = [server.requests[path] for path in server.pictures]
        assert min(counts) == 1
        assert sum(counts) - len(counts) <= 2 * size
        assert Memory.open(str(tmp_path)).verify()
