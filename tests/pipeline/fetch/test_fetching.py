"""Many URLs at once, against the hostile server: every URL has one outcome, and it is the right one."""

import dataclasses
import threading
import time

import pytest
from hostile import ENDPOINTS, PICTURE, make_certificates
from hostile_bodies import bomb
from serving import HERE, RUDE, Serving, hosts, pictures, reasons

from openm3w.pipeline.fetch import fetching
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.settings import FetchSettings, Manners


def fetch(urls, manners=RUDE, limits=HERE, *, resolver=None, covers=None, **settings):
    chosen = FetchSettings(limits=limits, manners=manners, **settings)
    with Fetcher(chosen, resolver=resolver, covers=covers and (lambda: covers)) as fetcher:
        return list(fetcher.stream(urls))


@pytest.fixture(scope="module")
def every_endpoint(tmp_path_factory):
    """What becomes of all endpoints, asked for in one bundle: none may harm another."""
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    for packing in ("gzip", "br", "zstd"):
        bomb(packing)  # takes seconds, in which the server would answer nobody
    with pytest.MonkeyPatch.context() as patch, Serving(certificates=certificates) as server:
        patch.setenv("SSL_CERT_FILE", str(certificates.authority))
        limits = dataclasses.replace(HERE, ports=(80, server.port, *server.tls_ports.values()))
        # A host for each: connections that one of them spoiled are not another's.
        names = {path: f"e{found.number}.example" for path, found in ENDPOINTS.items()}
        urls = {
            server.url(path) if found.tls else f"http://{names[path]}{path}": path
            for path, found in ENDPOINTS.items()
        }
        resolver = hosts(server, *names.values())
        found = fetch(urls, limits=limits, resolver=resolver, concurrency=200)
        return {urls[each.url]: each for each in found}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_ends_as_it_should(every_endpoint, path):
    endpoint, found = ENDPOINTS[path], every_endpoint[path]
    whole = endpoint.reason if endpoint.whole is None else endpoint.whole
    if endpoint.whole is None and not whole and endpoint.status != 200:
        whole = {404: "not_found", 410: "not_found"}.get(endpoint.status, "http_status")
    if not whole and endpoint.body == b"" and not endpoint.location and endpoint.status == 200:
        whole = "empty"
    assert (found.reason, found.outcome == "fetched") == (whole, not whole)
    assert bool(found.data) == (not whole)


def test_nothing_is_lost_and_nothing_is_there_twice(every_endpoint):
    assert set(every_endpoint) == set(ENDPOINTS)


def test_equal_urls_are_asked_for_once():
    with Serving(pictures=pictures(3)) as server:
        urls = [server.url(f"/{at % 3}.jpg") for at in range(12)]
        assert reasons(fetch(urls)) == {"fetched": 3}
        assert {path: n for path, n in server.requests.items() if path.endswith("jpg")} == {
            f"/{at}.jpg": 1 for at in range(3)
        }


def test_a_host_never_has_more_than_its_share_under_way():
    manners = dataclasses.replace(RUDE, per_domain=2)
    with Serving(pictures=pictures(200), latency=0.002) as server:
        found = fetch([server.url(path) for path in server.pictures], manners)
        assert reasons(found) == {"fetched": 200}
        assert server.most_open <= 2


def test_subdomains_share_their_turns():
    manners = dataclasses.replace(RUDE, per_domain=2)
    names = [f"{at}.example.com" for at in range(20)]
    with Serving(pictures={"/a.jpg": PICTURE}, latency=0.01) as server:
        found = fetch(
            [f"http://{name}/a.jpg" for name in names], manners, resolver=hosts(server, *names)
        )
        assert reasons(found) == {"fetched": 20}
        # Each host has a connection of its own, which stays open for a moment.
        assert server.most_under_way <= 2


def test_what_sites_are_asked_for_their_wishes_counts_for_their_domain():
    names = [f"{at}.example.com" for at in range(5)]
    manners = dataclasses.replace(RUDE, per_domain=2, per_domain_rate=50.0, well_known=True)
    with Serving(pictures={"/a.jpg": PICTURE}, latency=0.005) as server:
        began = time.monotonic()
        found = fetch(
            [f"http://{name}/a.jpg" for name in names], manners, resolver=hosts(server, *names)
        )
        assert reasons(found) == {"fetched": 5}
        assert server.requests.total() == 20
        assert server.most_under_way <= 2
        # Never sooner: four requests of each host, and no rest behind those of the last two.
        assert time.monotonic() - began >= (20 - 8) / 50


def test_a_robots_txt_that_fails_once_costs_a_site_nothing():
    async def other(wire):
        if wire.path == "/robots.txt" and server.requests["/robots.txt"] == 1:
            wire.reset()
            raise ConnectionResetError
        await wire.say("404 Not Found", body=b"")

    manners = dataclasses.replace(RUDE, retries=1)
    with Serving(pictures=pictures(4), other=other) as server:
        found = fetch([server.url(path) for path in server.pictures], manners)
    assert reasons(found) == {"fetched": 4}
    assert server.requests["/robots.txt"] == 2


def test_what_robots_disallows_is_not_asked_for():
    robots = b"User-agent: *\nDisallow: /private/\n\nUser-agent: openm3w\nDisallow: /ours/\n"
    served = {"/robots.txt": robots, "/private/a.jpg": PICTURE, "/ours/a.jpg": PICTURE}
    with Serving(pictures=served) as server:
        urls = [server.url("/private/a.jpg"), server.url("/ours/a.jpg")]
        found = {each.url: each for each in fetch(urls)}
        assert reasons(found.values()) == {"fetched": 1, "robots_disallowed": 1}
        assert found[urls[1]].outcome == "dropped"
        assert server.requests["/ours/a.jpg"] == 0
        assert server.requests["/robots.txt"] == 1


def test_robots_of_the_host_that_a_redirect_leads_to_counts():
    served = {"/robots.txt": b"User-agent: *\nDisallow: /good\n"}
    with Serving(pictures=served) as other, Serving() as server:
        resolver = StubResolver({"here.example": [("127.0.0.1", other.port)]})
        (found,) = fetch([other.url("/relative")], resolver=resolver)
        assert (found.reason, found.redirects) == ("robots_disallowed", 1)
        assert other.requests["/good"] == 0
        assert server.requests.total() == 0


class Buried:
    def __init__(self, *parts):
        self.parts = parts

    def covers(self, url):
        return any(part in url for part in self.parts)


def test_a_tombstone_is_heeded_at_every_hop():
    with Serving(pictures=pictures(2)) as server:
        urls = [server.url("/0.jpg"), server.url("/1.jpg"), server.url("/relative")]
        found = {each.url: each.reason for each in fetch(urls, covers=Buried("/0.jpg", "/good"))}
        assert list(map(found.get, urls)) == ["tombstone", "", "tombstone"]
        assert server.requests["/0.jpg"] == server.requests["/good"] == 0


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
    ],
)
def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to(answers):
    limits = dataclasses.replace(HERE, allow_private_networks=False)
    with Serving(pictures=pictures(1)) as server:
        found = fetch(
            [f"http://inside.example:{server.port}/0.jpg"],
            limits=limits,
            resolver=StubResolver({"inside.example": answers}),
        )
        assert reasons(found) == {"private_address": 1}
        assert server.connections == 0


def test_a_stalled_host_holds_nobody_else():
    names = ["slow.example", "quick.example"]
    with Serving(pictures=pictures(50)) as server:
        urls = [f"http://slow.example/silent?{at}" for at in range(3)]
        urls += [f"http://quick.example/{at}.jpg" for at in range(50)]
        found = fetch(
            urls, Manners(per_domain=2, per_domain_rate=0), resolver=hosts(server, *names)
        )
        assert [each.reason for each in found[:50]] == [""] * 50
        assert {each.reason for each in found[50:]} == {"idle_timeout"}


def test_what_is_left_at_the_deadline_is_given_up_and_said():
    manners = Manners(per_domain=1, per_domain_rate=0, retries=0)
    limits = dataclasses.replace(HERE, idle_seconds=60, total_seconds=60)
    with Serving() as server:
        urls = [server.url(f"/silent?{at}") for at in range(20)]
        found = fetch(urls, manners, limits, bundle_seconds=0.5)
        assert reasons(found) == {"deadline": 20}
        assert server.requests["/silent"] <= 1


def test_a_host_where_nobody_is_costs_a_few_attempts():
    with Serving() as server:
        port = server.port
    urls = [f"http://127.0.0.1:{port}/{at}.jpg" for at in range(300)]
    manners = Manners(per_domain=2, per_domain_rate=0, robots=False, well_known=False)
    with Fetcher(FetchSettings(limits=HERE, manners=manners)) as fetcher:
        found = list(fetcher.stream(urls))
    assert reasons(found) == {"connect_failure": 300}
    assert sum(each.attempts for each in found if each.seconds) < 50


def test_bodies_that_nobody_takes_are_bounded(monkeypatch):
    monkeypatch.setattr(fetching, "MAX_WAITING_BYTES", 10 * len(PICTURE))
    settings = FetchSettings(concurrency=4, limits=HERE, manners=RUDE)
    with Serving(pictures=pictures(100)) as server, Fetcher(settings) as fetcher:
        stream = fetcher.stream([server.url(path) for path in server.pictures])
        next(stream)
        held = threading.Event()
        held.wait(0.5)
        # One was taken; ten are held, and four may have been under way then.
        assert server.requests.total() - server.requests["/robots.txt"] <= 16
        assert len(list(stream)) == 99


def test_a_bundle_that_is_left_gives_its_room_back(monkeypatch):
    monkeypatch.setattr(fetching, "MAX_WAITING_BYTES", 10 * len(PICTURE))
    settings = FetchSettings(concurrency=4, limits=HERE, manners=RUDE)
    with Serving(pictures=pictures(100)) as server, Fetcher(settings) as fetcher:
        urls = [server.url(path) for path in server.pictures]
        for _ in range(3):
            stream = fetcher.stream(urls)
            next(stream)
            stream.close()
        assert reasons(fetcher.stream(urls)) == {"fetched": 100}


def test_two_bundles_share_the_turns_of_their_hosts():
    settings = FetchSettings(limits=HERE, manners=dataclasses.replace(RUDE, per_domain=2))
    with Serving(pictures=pictures(60), latency=0.002) as server, Fetcher(settings) as fetcher:
        urls = [server.url(path) for path in server.pictures]
        found = []
        threads = [
            threading.Thread(target=lambda part=part: found.extend(fetcher.stream(part)))
            for part in (urls[:30], urls[30:])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert reasons(found) == {"fetched": 60}
        assert server.most_open <= 2
        assert server.requests["/robots.txt"] == 1


def test_a_fault_of_ours_reaches_whoever_waits():
    class Broken:
        def covers(self, url):
            raise KeyError(url)

    with pytest.raises(KeyError):
        fetch(["http://127.0.0.1/a.jpg"], covers=Broken())


def test_whoever_waits_for_a_closed_fetcher_is_told():
    with Serving() as server:
        fetcher = Fetcher(FetchSettings(limits=HERE, manners=RUDE))
        stream = fetcher.stream([server.url("/silent")])
        closing = threading.Timer(0.3, fetcher.close)
        closing.start()
        with pytest.raises(RuntimeError, match="was closed"):
            next(stream)
        closing.join()


@pytest.mark.parametrize("url", ["", "a.jpg", "ftp://example.org/a.jpg", "http://", "http://[::1"])
def test_what_is_no_address_is_told_without_a_request(url):
    (found,) = fetch([url])
    assert (found.outcome, found.reason, found.url) == ("dropped", "bad_url", url)
