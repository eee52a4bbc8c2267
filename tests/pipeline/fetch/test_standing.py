"""Builds that heed more or less of sites' wishes share a store: the server counts."""

from collections import Counter
from dataclasses import replace

import pytest
from hostile import PICTURE
from serving import HERE, RUDE, Serving, reasons

from openm3w.filters.optout import OptOut
from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.getting import get
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.settings import FetchSettings, Manners
from openm3w.pipeline.fetch.standing import is_unheard
from openm3w.pipeline.fetch.store.memory import Memory

STRICT = FetchSettings(limits=HERE, manners=replace(RUDE, well_known=True, retries=0))
LAX = replace(STRICT, manners=replace(STRICT.manners, robots=False, well_known=False))
FILES = {
    "/robots.txt": b"User-agent: *\nDisallow: /no/",
    "/ai.txt": b"User-agent: *\nDisallow: *.gif",
    "/.well-known/tdmrep.json": b'[{"location": "/reserved/", "tdm-reservation": 1}]',
}
PICTURES = dict.fromkeys(
    ["/no/1.jpg", "/no/2.jpg", "/no/3.jpg", "/a.gif", "/reserved/1.jpg", "/1.jpg", "/2.jpg"],
    PICTURE,
)
HEARD = {"fetched": 2, "robots_disallowed": 3, "ai_txt": 1, "opt_out": 1}


def got(urls, root, settings):
    with Fetcher(settings) as fetcher:
        return {g.url: g for g in get(urls, Memory.open(str(root)), fetcher, unit="u")}


def test_a_strict_build_hears_sites_before_it_takes_what_a_lax_one_fetched(tmp_path):
    with Serving(pictures={**FILES, **PICTURES}) as server:
        urls = [server.url(path) for path in PICTURES]
        assert reasons(got(urls, tmp_path, LAX).values()) == {"fetched": 7}
        assert server.requests == Counter(list(PICTURES))
        found = got(urls, tmp_path, STRICT)
        assert reasons(found.values()) == HEARD
        assert server.requests == Counter([*FILES, *PICTURES, "/1.jpg", "/2.jpg"])
        assert got(urls, tmp_path / "new", STRICT) == found

        before = server.requests.total()
        assert got(urls, tmp_path, STRICT) == found
        Memory.open(str(tmp_path)).compact(full=True)
        assert got(urls, tmp_path, STRICT) == found
        assert server.requests.total() == before, "equal manners ask nothing"

        lax = reasons(got(urls, tmp_path, LAX).values())
        assert lax == {"fetched": 5, "ai_txt": 1, "opt_out": 1}, "signals that are known count"
        assert server.requests.total() == before + 3


def test_rows_say_what_was_heard_and_in_which_files(tmp_path):
    with Serving(pictures={**FILES, **PICTURES}) as server:
        here = {path: server.url(path) for path in PICTURES}
        got(here.values(), tmp_path, STRICT)
        known = Memory.open(str(tmp_path)).lookup(here.values())
        assert known[here["/no/1.jpg"]].signals == ("robots.txt: disallow",)
        assert known[here["/no/1.jpg"]].wishes == ("robots.txt",)
        assert known[here["/1.jpg"]].signals == ()
        assert known[here["/1.jpg"]].wishes == ("robots.txt", "tdmrep.json", "ai.txt")


def moves_to(url):
    async def other(wire):
        found = wire.path == "/moved.jpg"
        await wire.say(
            *(("302 Found", f"Location: {url}") if found else ("404 Not Found",)), body=b""
        )

    return other


def test_the_site_that_a_redirect_leads_to_is_heard_too(tmp_path):
    with Serving(pictures={**FILES, **PICTURES}) as there:
        with Serving(other=moves_to(there.url("/no/1.jpg"))) as here:
            url = here.url("/moved.jpg")
            assert got([url], tmp_path, LAX)[url].data == PICTURE
            assert got([url], tmp_path, STRICT)[url].reason == "robots_disallowed"
        with Serving(other=moves_to(there.url("/1.jpg"))) as here:
            url = here.url("/moved.jpg")
            got([url], tmp_path, STRICT)
            (known,) = Memory.open(str(tmp_path)).lookup([url]).values()
            assert known.wishes == STRICT.manners.wishes


def saying(statuses):
    """Answers of some paths; all others are missing."""

    async def other(wire):
        await wire.say(statuses.get(wire.path, "404 Not Found"), body=b"")

    return other


def test_a_site_that_cannot_be_heard_gives_a_strict_build_nothing_of_a_lax_one(tmp_path):
    statuses = {"/robots.txt": "503 Service Unavailable"}
    with Serving(pictures={"/1.jpg": PICTURE}, other=saying(statuses)) as server:
        url = server.url("/1.jpg")
        lax = got([url], tmp_path, LAX)
        found = got([url], tmp_path, STRICT)[url]
        assert (found.reason, found.data) == ("robots_unreachable", b"")
        assert got([url], tmp_path, LAX) == lax, "its copy stays"
        assert server.requests["/1.jpg"] == 1
        statuses.clear()
        assert got([url], tmp_path, STRICT)[url].data == PICTURE


def test_a_copy_stays_where_its_site_was_heard_and_the_picture_does_not_come(tmp_path):
    statuses = {"/1.jpg": "503 Service Unavailable"}
    with Serving(pictures={"/1.jpg": PICTURE}, other=saying(statuses)) as server:
        url = server.url("/1.jpg")
        lax = got([url], tmp_path, LAX)
        del server.pictures["/1.jpg"]
        assert got([url], tmp_path, STRICT) == lax
        before = server.requests.total()
        assert got([url], tmp_path, STRICT) == lax
        assert server.requests.total() == before


def test_a_copy_from_another_site_is_not_taken_since_the_first_was_heard(tmp_path):
    with Serving(pictures=PICTURES) as there, Serving() as here:
        url, here.other = here.url("/moved.jpg"), moves_to(there.url("/1.jpg"))
        assert got([url], tmp_path, LAX)[url].data == PICTURE
        here.other = saying({"/moved.jpg": "503 Service Unavailable"})
        for _ in range(2):
            assert got([url], tmp_path, STRICT)[url].reason == "http_status"


ALL = ("robots.txt", "tdmrep.json", "ai.txt")


@pytest.mark.parametrize(
    ("manners", "wishes", "unheard"),
    [
        (Manners(), ALL, False),
        (Manners(), ALL[1:], True),
        (Manners(), ALL[:2], True),
        (Manners(), ("robots.txt", "ai.txt"), True),
        (Manners(robots=False), ALL[1:], False),
        (Manners(ai_txt=False), ALL[:2], False),
        (Manners(opt_out=OptOut(tdm_reservation=False)), ("robots.txt", "ai.txt"), False),
        (Manners(well_known=False), ("robots.txt",), False),
        (Manners(robots=False, well_known=False), (), False),
    ],
)
def test_what_was_fetched_is_unheard_where_a_file_is_heeded_now(manners, wishes, unheard):
    known = Fetched(url="http://a.example/", outcome="fetched", wishes=wishes)
    assert is_unheard(FetchSettings(manners=manners), known) is unheard


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "failed", "reason": "not_found"},
        {"outcome": "dropped", "reason": "bad_port"},
        {"outcome": "fetched", "signals": ("x-robots-tag: noai",)},
    ],
)
def test_what_gives_no_bytes_is_not_asked_for_to_hear_more(fields):
    assert not is_unheard(FetchSettings(), Fetched(url="http://a.example/", **fields))
