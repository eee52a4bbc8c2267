import asyncio
from collections import Counter

import pytest

from openm3w.filters.optout import OptOut
from openm3w.pipeline.fetch.outcomes import Answer
from openm3w.pipeline.fetch.settings import Manners
from openm3w.pipeline.fetch.wishes.sites import Sites, Word

SITE = "https://a.example"
ROBOTS, TDMREP, AI_TXT = (
    f"{SITE}/robots.txt",
    f"{SITE}/.well-known/tdmrep.json",
    f"{SITE}/ai.txt",
)
ALL = Counter({ROBOTS: 1, TDMREP: 1, AI_TXT: 1})
RESERVED = b'[{"location": "/reserved/", "tdm-reservation": 1, "tdm-policy": "https://p.example/"}]'


class Web:
    """Answers from a table, each after giving the turn away; counts what is asked, and the clock."""

    def __init__(self, pages=None, *, hold=None):
        self.pages = pages or {}
        self.asked = Counter()
        self.hold = hold
        self.now = 1000.0
        self.most = 0
        self._under_way = 0

    async def get(self, url, max_bytes):
        self.asked[url] += 1
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        await (self.hold.wait() if self.hold else asyncio.sleep(0))
        self._under_way -= 1
        found = self.pages.get(url, 404)
        if isinstance(found, bytes):
            return Answer(url=url, status=200, body=found[:max_bytes])
        return Answer(url=url, status=found) if isinstance(found, int) else found

    def sites(self, manners=None, **bounds):
        return Sites(manners or Manners(), self.get, clock=lambda: self.now, **bounds)


def about(web, *urls, manners=None):
    async def ask():
        sites = web.sites(manners)
        return [await sites.about(url) for url in urls]

    return asyncio.run(ask())


def test_a_site_that_says_nothing_is_asked_three_files_and_allows():
    web = Web()
    assert about(web, f"{SITE}/x.jpg") == [Word()]
    assert web.asked == ALL


def test_any_number_of_urls_at_once_ask_a_site_once():
    web = Web({ROBOTS: b"User-agent: *\nDisallow: /secret/"})

    async def ask():
        sites = web.sites()
        urls = [f"{SITE}/{'secret/' * (number % 2)}{number}.jpg" for number in range(200)]
        return await asyncio.gather(*map(sites.about, urls))

    words = asyncio.run(ask())
    assert Counter(word.reason for word in words) == {"": 100, "robots_disallowed": 100}
    assert web.asked == ALL


def test_a_sites_files_are_asked_one_after_the_other_robots_txt_first():
    web = Web()
    about(web, f"{SITE}/x.jpg")
    assert web.most == 1
    assert list(web.asked) == [ROBOTS, TDMREP, AI_TXT]


def test_who_asked_a_site_is_told_how_often():
    moved = Answer(url=ROBOTS, status=301, location="https://b.example/robots.txt")
    words = about(Web({ROBOTS: moved}), f"{SITE}/1", f"{SITE}/2")
    assert [word.requests for word in words] == [4, 0]


@pytest.mark.parametrize(
    ("fault", "retries", "later", "asked"),
    [
        ("connection_lost", 1, 0.3, 1),
        ("connection_lost", 1, 0.5, 2),  # before the URL that asked first is tried again
        ("connection_lost", 0, 0.5, 1),
        ("tls_failure", 1, 0.5, 1),  # which does not pass
        ("connection_lost", 0, 601, 2),
    ],
)
def test_a_robots_txt_is_asked_once_more_after_a_fault_that_may_pass(fault, retries, later, asked):
    web = Web({ROBOTS: Answer(url=ROBOTS, reason=fault)})

    async def ask():
        sites = web.sites(Manners(retries=retries))
        first = await sites.about(f"{SITE}/1")
        web.now += later
        second = await sites.about(f"{SITE}/2")
        before = web.asked[ROBOTS]
        web.now += 1  # and after a second time not so soon
        await sites.about(f"{SITE}/3")
        return first, second, before

    first, second, before = asyncio.run(ask())
    assert first.fault == second.fault == fault
    assert before == asked
    assert web.asked[ROBOTS] == (2 if retries and fault == "connection_lost" else asked)


def test_scheme_host_and_port_make_a_site():
    web = Web()
    about(
        web,
        f"{SITE}/1",
        "https://A.EXAMPLE:443/2",
        "https://user:word@a.example/3",
        "http://a.example/4",
        "https://a.example:8443/5",
        "https://b.a.example/6",
    )
    robots = {url for url in web.asked if url.endswith("/robots.txt")}
    assert robots == {
        ROBOTS,
        "http://a.example/robots.txt",
        "https://a.example:8443/robots.txt",
        "https://b.a.example/robots.txt",
    }
    assert set(web.asked.values()) == {1}


@pytest.mark.parametrize(
    "url", ["", "x.jpg", "ftp://a.example/x", "https://", "https://[", "http://a:99999/", "data:,x"]
)
def test_what_is_no_http_url_is_a_bad_one(url):
    web = Web()
    assert about(web, url) == [Word(reason="bad_url")]
    assert not web.asked


def test_nothing_else_is_asked_where_robots_txt_disallows():
    web = Web({ROBOTS: b"User-agent: *\nDisallow: /\nCrawl-delay: 3"})
    (word,) = about(web, f"{SITE}/x.jpg")
    assert word == Word(
        reason="robots_disallowed", signals=("robots.txt: disallow",), crawl_delay=3.0
    )
    assert word.wishes == ("robots.txt",)
    assert web.asked == {ROBOTS: 1}


@pytest.mark.parametrize(
    ("path", "asked"), [("/.well-known/", {AI_TXT}), ("/ai.txt", {TDMREP}), ("/a", {TDMREP})]
)
def test_a_file_that_robots_txt_disallows_is_not_asked(path, asked):
    web = Web({ROBOTS: f"User-agent: *\nDisallow: {path}".encode()})
    (word,) = about(web, f"{SITE}/x.jpg")
    assert word == Word()
    assert set(web.asked) == {ROBOTS, *asked}
    assert word.wishes == Manners().wishes  # there is nothing more to hear


def test_nothing_else_is_asked_of_a_site_that_does_not_answer():
    web = Web({ROBOTS: Answer(url=ROBOTS, reason="dns_failure"), TDMREP: RESERVED})
    (word,) = about(web, f"{SITE}/x.jpg")
    assert word == Word(reason="robots_unreachable", fault="dns_failure")
    assert word.wishes == ()
    assert web.asked == {ROBOTS: 1}


def test_a_site_at_a_private_address_is_refused_for_that():
    web = Web({ROBOTS: Answer(url=ROBOTS, reason="private_address")})
    assert about(web, f"{SITE}/x.jpg") == [Word(reason="private_address")]


def test_every_signal_is_told_and_obeyed():
    web = Web(
        {
            ROBOTS: b"User-agent: *\nContent-Usage: search=y\nContent-Usage: /no/ train-ai=n",
            TDMREP: RESERVED,
            AI_TXT: b"User-Agent: *\nDisallow: *.gif",
        }
    )
    usage = "robots.txt content-usage: search=y"
    assert about(
        web, f"{SITE}/x.jpg", f"{SITE}/no/x.jpg", f"{SITE}/reserved/x.gif", f"{SITE}/x.gif"
    ) == [
        Word(signals=(usage,)),
        Word(reason="opt_out", signals=("robots.txt content-usage: train-ai=n",)),
        Word(
            reason="opt_out",
            signals=(
                usage,
                "tdmrep.json tdm-reservation: 1",
                "tdmrep.json tdm-policy: https://p.example/",
                "ai.txt: disallow",
            ),
        ),
        Word(reason="ai_txt", signals=(usage, "ai.txt: disallow")),
    ]
    assert web.asked == ALL


@pytest.mark.parametrize(
    ("manners", "asked"),
    [
        (Manners(robots=False), {TDMREP, AI_TXT}),
        (Manners(ai_txt=False), {ROBOTS, TDMREP}),
        (Manners(opt_out=OptOut(tdm_reservation=False)), {ROBOTS, AI_TXT}),
        (Manners(well_known=False), {ROBOTS}),
        (Manners(robots=False, well_known=False), set()),
    ],
)
def test_what_no_setting_heeds_is_not_asked(manners, asked):
    files = dict.fromkeys((ROBOTS, AI_TXT), b"User-agent: *\nDisallow: /") | {TDMREP: RESERVED}
    web = Web({url: body for url, body in files.items() if url not in asked})
    (word,) = about(web, f"{SITE}/reserved/x.jpg", manners=manners)
    assert word == Word()
    assert set(web.asked) == asked
    assert word.wishes == tuple(url.rpartition("/")[2] for url in ALL if url in asked)


def test_content_usage_that_is_not_obeyed_is_told_all_the_same():
    web = Web({ROBOTS: b"User-agent: *\nContent-Usage: train-ai=n"})
    manners = Manners(opt_out=OptOut(content_usage=()))
    (word,) = about(web, f"{SITE}/x.jpg", manners=manners)
    assert word == Word(signals=("robots.txt content-usage: train-ai=n",))


@pytest.mark.parametrize(
    "answer",
    [
        b"<!DOCTYPE html><html>User-Agent: *\nDisallow: /</html>",
        b"[" * 100_000,
        b'[{"location": "/", "tdm-reservation": 1}]'.ljust(600_000),
        b"User-Agent: *\nDisallow: /\n".ljust(600_000),
        b"",
        500,
        403,
        Answer(url=TDMREP, reason="idle_timeout"),
        Answer(url=TDMREP, status=200, reason="too_large", body=RESERVED),
    ],
)
def test_files_that_are_none_say_nothing(answer):
    web = Web({TDMREP: answer, AI_TXT: answer})
    assert about(web, f"{SITE}/reserved/x.jpg") == [Word()]


def test_files_behind_redirects_are_read():
    there = "https://b.example/tdm"
    web = Web({TDMREP: Answer(url=TDMREP, status=302, location=there), there: RESERVED})
    assert about(web, f"{SITE}/reserved/x.jpg")[0].reason == "opt_out"


@pytest.mark.parametrize(("said", "delay"), [("3", 3.0), ("10", 10.0), ("11", 10.0), ("-1", 0.0)])
def test_the_crawl_delay_is_cut_to_what_we_wait_for(said, delay):
    web = Web({ROBOTS: f"User-agent: *\nCrawl-delay: {said}".encode()})
    assert about(web, f"{SITE}/x.jpg")[0].crawl_delay == delay


# --- memory ---


def asked_again(web, seconds):
    async def ask():
        sites = web.sites()
        await sites.about(f"{SITE}/x.jpg")
        web.now += seconds
        await sites.about(f"{SITE}/y.jpg")
        return len(sites)

    assert asyncio.run(ask()) == 1
    return web.asked[ROBOTS] == 2


@pytest.mark.parametrize(
    ("page", "seconds", "again"),
    [
        (404, 86_399, False),
        (404, 86_400, True),
        (b"User-agent: *\nDisallow: /", 86_399, False),
        (b"User-agent: *\nDisallow: /", 86_400, True),
        (503, 599, False),
        (503, 600, True),
    ],
)
def test_a_site_is_believed_for_a_day_and_its_silence_for_ten_minutes(page, seconds, again):
    assert asked_again(Web({ROBOTS: page}), seconds) is again


def test_the_site_that_was_longest_without_a_question_is_forgotten():
    web = Web()

    async def ask(*hosts):
        sites = web.sites(max_sites=2)
        for host in hosts:
            await sites.about(f"https://{host}.example/x.jpg")
            assert len(sites) <= 2

    asyncio.run(ask("a", "b", "a", "c", "a", "b"))
    robots = {url[8]: number for url, number in web.asked.items() if "robots" in url}
    assert robots == {"a": 1, "b": 2, "c": 1}


def test_long_files_are_forgotten_by_their_length():
    rules = b"User-agent: *\n" + b"\n".join(b"Disallow: /%d" % n for n in range(10))
    web = Web({f"https://{host}.example/robots.txt": rules for host in "abc"})

    async def ask(max_chars):
        web.asked.clear()
        sites = web.sites(max_chars=max_chars)
        for host in "abcc":
            await sites.about(f"https://{host}.example/x.jpg")
        return len(sites)

    assert asyncio.run(ask(3 * len(rules))) == 3
    assert asyncio.run(ask(3 * len(rules) - 1)) == 2
    assert asyncio.run(ask(1)) == 1
    assert set(web.asked.values()) == {1}  # the latest stays, however long it is


def test_a_site_that_is_being_asked_is_not_forgotten():
    web = Web()

    async def ask():
        web.hold = asyncio.Event()
        sites = web.sites(max_sites=1)
        hosts = [f"https://{host}.example/{number}" for number in range(3) for host in "abcd"]
        words = asyncio.gather(*map(sites.about, hosts))
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(sites) == 4
        web.hold.set()
        await words

    asyncio.run(ask())
    assert {number for url, number in web.asked.items() if "robots" in url} == {1}


def test_a_cancelled_question_is_asked_by_the_next_in_line():
    web = Web()

    async def ask():
        web.hold = asyncio.Event()
        sites = web.sites()
        first, second = (asyncio.create_task(sites.about(f"{SITE}/{n}")) for n in range(2))
        for _ in range(5):
            await asyncio.sleep(0)
        first.cancel()
        web.hold.set()
        return await second

    assert asyncio.run(ask()) == Word()
    assert web.asked[ROBOTS] == 2
