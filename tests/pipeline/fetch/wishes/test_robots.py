import asyncio
import itertools
import re

import pytest
from hostile import HostileServer
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.outcomes import FAULTS, REFUSED, Answer
from openm3w.pipeline.fetch.settings import AGENT, NAMES, PRODUCT, Limits, Manners
from openm3w.pipeline.fetch.wishes.robots import MAX_BYTES, MAX_LINE, ask_robots, read_rules

SITE = "https://a.example"
ROBOTS = f"{SITE}/robots.txt"


def allows(text, path):
    body = text if isinstance(text, bytes) else text.encode()
    return read_rules(body).allows(SITE + path)


def usage(text, path):
    return read_rules(text.encode()).usage(SITE + path)


# --- RFC 9309 ---

# Section 5.1, with the names as they stand there.
SIMPLE = """\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("unknown", "/a.gif", False),
        ("unknown", "/a.gif?x", True),
        ("unknown", "/example/page.html", False),
        ("unknown", "/publications/", True),
        ("unknown", "/", True),
        ("foobot", "/", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("foobot", "/example/other.gif", False),
        ("barbot", "/example/page.html", False),
        ("barbot", "/example/allowed.gif", True),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/x.gif", True),
        ("quxbot", "/example/page.html", True),
        ("quxbot", "/x.gif", True),
    ],
)
def test_the_simple_example_of_the_standard_is_read_as_it_says(name, path, expected):
    assert allows(SIMPLE.replace(name, AGENT), path) is expected


# Section 5.2.
LONGEST = """\
User-Agent: foobot
Allow: /example/page/
Disallow: /example/page/disallowed.gif
"""


def test_of_two_rules_the_longer_counts_as_in_the_standards_example():
    text = LONGEST.replace("foobot", AGENT)
    assert not allows(text, "/example/page/disallowed.gif")
    assert allows(text, "/example/page/allowed.gif")


def test_of_two_rules_as_long_the_allowing_one_counts():
    # Section 2.2.2
    assert allows("User-agent: *\nDisallow: /a\nAllow: /a", "/a")


def test_groups_of_one_name_are_one_as_in_the_standards_example():
    # Section 2.2.1, figure 1: two groups of ExampleBot around one of BazBot.
    text = f"""\
user-agent: {AGENT}
disallow: /foo
disallow: /bar

user-agent: BazBot
disallow: /other

user-agent: {AGENT}
disallow: /baz
"""
    assert [allows(text, path) for path in ("/foo", "/bar", "/baz", "/other", "/x")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_one_group_of_several_names_holds_for_each():
    text = f"User-agent: a\nUser-agent: {AGENT}\nUser-agent: b\nDisallow: /foo"
    assert not allows(text, "/foo")


def test_a_group_of_our_own_replaces_that_of_all():
    text = f"User-agent: *\nDisallow: /\nCrawl-delay: 7\n\nUser-agent: {AGENT}\nDisallow: /x"
    rules = read_rules(text.encode())
    assert rules.allows(f"{SITE}/y")
    assert not rules.allows(f"{SITE}/x")
    assert rules.crawl_delay == 0


@pytest.mark.parametrize(
    "name",
    ["openm3w", "OpenM3W/1.0", "OpenMMMW", "openmmmw/1.0 (research crawler)", "openmmmw*"],
)
def test_our_name_is_known_however_it_is_written(name):
    assert not allows(f"User-agent: {name}  # us\nDisallow: /", "/x")


@pytest.mark.parametrize(
    "name", ["open", "openm", "openmmmwx", "openm3wx", "openmmmw-images", "m3w", "o", "**"]
)
def test_names_that_are_a_part_of_ours_are_others(name):
    assert allows(f"User-agent: {name}\nDisallow: /", "/x")
    assert not allows(f"User-agent: {name}\nAllow: /\n\nUser-agent: *\nDisallow: /x", "/x")


def test_groups_of_either_of_our_names_count_together():
    text = "User-agent: openm3w\nDisallow: /a\n\nUser-agent: OpenMMMW\nDisallow: /b\n"
    assert [allows(text, path) for path in ("/a", "/b", "/c")] == [False, False, True]


def test_our_token_is_one_that_the_standard_lets_owners_write_and_stands_in_the_user_agent():
    assert re.fullmatch(r"[A-Za-z_-]+", PRODUCT)  # RFC 9309, section 2.2: `identifier`
    assert PRODUCT in Manners(contact="a@example.org").user_agent
    assert PRODUCT.lower() in NAMES


def test_lines_before_the_first_name_are_of_no_group():
    assert allows("Disallow: /\nUser-agent: *\nDisallow: /x", "/y")


def test_a_sitemap_between_names_does_not_part_them():
    # Section 2.2.4
    text = f"User-agent: {AGENT}\nSitemap: https://a.example/s.xml\nUser-agent: b\nDisallow: /"
    assert not allows(text, "/x")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like(end):
    assert not allows(end.join(["User-agent: *", "Disallow: /x", "Allow: /"]), "/x")


@pytest.mark.parametrize(
    "body",
    [b"", b"\n\n", b"# nothing", b"<!DOCTYPE html><p>Not found</p>", b"\x00\xff\xfe", b":::\n:"],
)
def test_what_has_no_rules_allows_everything(body):
    assert allows(body, "/x")


# --- bytes ---


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /",
        b"\xff\xfe" + "User-agent: *\nDisallow: /".encode("utf-16le"),
        b"\xfe\xff" + "User-agent: *\nDisallow: /".encode("utf-16be"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_name(body):
    assert not allows(body, "/x")


def test_the_charset_of_the_header_counts():
    body = "User-agent: *\nDisallow: /größe".encode("latin-1")
    url = f"{SITE}/gr%C3%B6%C3%9Fe"
    assert not read_rules(body, 'text/plain; charset="ISO-8859-1"').allows(url)
    assert read_rules(body, "text/plain").allows(url)


@pytest.mark.parametrize(
    "charset",
    ["hex", "punycode", "utf-7", "unicode_escape", "iso-2022-kr", "utf-16", "no-such", ""],
)
def test_charsets_that_are_none_are_taken_as_utf_8(charset):
    body = b"User-agent: *\nDisallow: /x"
    assert not read_rules(body, f"text/plain; charset={charset}").allows(f"{SITE}/x")


def test_500_kib_are_read_and_the_rest_is_ignored():
    rule = b"\nDisallow: /x"
    head = b"User-agent: *\n#"
    fits = head + b"-" * (MAX_BYTES - len(head) - len(rule)) + rule
    assert len(fits) == 500 * 1024
    assert not allows(fits, "/x")
    # Half of the rule would be `Disallow: /`.
    assert allows(head + b"-" + fits[len(head) :], "/x")
    assert allows(head + b"-" * (MAX_BYTES - len(head)) + rule, "/x")


def test_a_line_is_read_as_far_as_google_reads_it():
    stars = "*" * (MAX_LINE - len("Disallow: /x"))
    assert not allows(f"User-agent: *\nDisallow: /{stars}x", "/x")
    assert not allows(f"User-agent: *\nDisallow: /{stars}*x", "/y")  # x is cut off


def test_many_names_over_many_rules_stay_small():
    # 500 KiB of this took Protego alone minutes and gigabytes: it makes each rule for each name.
    names = "\n".join(f"User-agent: b{number}" for number in range(12_000))
    rules = "\n".join(f"Disallow: /{number}" for number in range(12_000))
    text = f"{names}\nUser-agent: *\n{rules}"
    found = read_rules(text.encode())
    assert not found.allows(f"{SITE}/11999")
    assert found.chars == len("User-agent: *\n") + len(rules)


lines = st.sampled_from(
    [
        "User-agent: *",
        f"User-agent: {AGENT}",
        "useragent: x",
        "User agent y",
        "User-agent:",
        "Disallow: /a",
        "Disallow /a/b",
        "disalow: /ab*c$",
        "Allow: /a/b/c # why",
        "Allow: /",
        "Disallow:",
        "Crawl-delay: 3",
        "Crawl delay 4",
        "Sitemap: https://x.example/s.xml",
        "Host: x.example",
        "Content-Usage: /a train-ai=n",
        "Clean-param: a",
        "# only a comment",
        "",
    ]
)


@given(st.lists(lines, max_size=12), st.sampled_from(["/", "/a", "/a/b", "/a/b/c", "/abxc"]))
def test_choosing_our_groups_first_changes_nothing_of_what_protego_says(found, path):
    text = "\n".join(found)
    ours = read_rules(text.encode())
    theirs = Protego.parse(text)
    name = AGENT if f"User-agent: {AGENT}" in found else "*"
    assert ours.allows(SITE + path) is theirs.can_fetch(SITE + path, name)
    assert ours.crawl_delay == (theirs.crawl_delay(name) or 0)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_no_bytes_raise(body, charset):
    rules = read_rules(b"User-agent: *\nDisallow: /" + body, f"text/plain; charset={charset}")
    rules.allows(f"{SITE}/a")
    rules.usage(f"{SITE}/a")


# --- Crawl-delay ---


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("0", 0.0), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0), ("inf", 0.0)],
)
def test_the_crawl_delay_is_a_number_of_seconds_or_nothing(value, seconds):
    assert read_rules(f"User-agent: *\nCrawl-delay: {value}".encode()).crawl_delay == seconds


# --- Content-Usage ---

# draft-ietf-aipref-attach-05, section 3.4
USAGE = """\
User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: train-ai=n
Content-Usage: /ai-ok/ train-ai=y

User-Agent: ExampleBot
Allow: /
Content-Usage: train-ai=y
"""


@pytest.mark.parametrize(
    ("path", "expected"), [("/test", ("train-ai=n",)), ("/ai-ok/test", ("train-ai=y",))]
)
def test_the_drafts_example_is_read_as_it_says(path, expected):
    assert usage(USAGE, path) == expected


def test_the_group_of_our_own_has_its_own_usage():
    assert usage(USAGE.replace("ExampleBot", AGENT), "/test") == ("train-ai=y",)
    without = USAGE.replace("ExampleBot", AGENT).rsplit("Content-Usage", 1)[0]
    assert usage(without, "/test") == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Content-Usage: / train-ai=n", ("train-ai=n",)),
        ("content-usage :\t/\ttrain-ai=n # why", ("train-ai=n",)),
        ("Content-Usage: train-ai=n, search=y", ("train-ai=n, search=y",)),
        ("Content-Usage: /a/*.jpg$ train-ai=n", ("train-ai=n",)),
        ("Content-Usage: /a/*.png$ train-ai=n", ()),
        ("Content-Usage: /a/b.jpg", ()),
        ("Content-Usage:", ()),
        ("Content-Usage: /%61/ train-ai=n", ("train-ai=n",)),
        ("Content-Usage: " + "a" * 8192, ("a" * 8192,)),
        ("Content-Usage: " + "a" * 8193, ()),
    ],
)
def test_a_usage_rule_has_a_path_or_none(line, expected):
    assert usage(f"User-agent: *\n{line}", "/a/b.jpg") == expected


def test_usage_rules_of_one_path_are_all_heard_once():
    text = "User-agent: *\nContent-Usage: / a=y\nContent-Usage: / b=n\nContent-Usage: / a=y"
    assert usage(text, "/x") == ("a=y", "b=n")


def test_of_many_usage_rules_of_one_path_sixteen_are_heard():
    text = "User-agent: *\n" + "\n".join(f"Content-Usage: / a{n}=y" for n in range(17))
    assert usage(text, "/x") == tuple(f"a{n}=y" for n in range(16))


# --- asking ---


def answering(pages, asked=None):
    """A `get` that answers from a table: a status, or a whole answer."""

    async def get(url, max_bytes):
        if asked is not None:
            asked.append((url, max_bytes))
        found = pages.get(url, 404)
        return Answer(url=url, status=found) if isinstance(found, int) else found

    return get


def page(body, url=ROBOTS, **kwargs):
    return Answer(url=url, status=200, body=body, **kwargs)


def to(url, status=301):
    return Answer(url="", status=status, location=url)


def ask(pages, asked=None):
    return asyncio.run(ask_robots(SITE, answering(pages, asked)))


def test_500_kib_of_robots_txt_are_asked_for_and_one_more_that_tells_of_a_rest():
    asked = []
    found = ask({ROBOTS: page(b"User-agent: *\nDisallow: /x")}, asked)
    assert asked == [(ROBOTS, 512_001)]
    assert (found.reason, found.rules.allows(f"{SITE}/x")) == ("", False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 451, 499])
def test_a_status_of_4xx_allows_everything(status):
    found = ask({ROBOTS: Answer(url=ROBOTS, status=status, body=b"User-agent: *\nDisallow: /")})
    assert (found.reason, found.rules.allows(f"{SITE}/x")) == ("", True)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_status_of_5xx_is_unreachable(status):
    found = ask({ROBOTS: status})
    assert (found.reason, found.fault) == ("robots_unreachable", "")


@pytest.mark.parametrize("fault", sorted(FAULTS - {"empty"}))
def test_no_answer_is_unreachable_and_the_fault_is_told(fault):
    found = ask({ROBOTS: Answer(url=ROBOTS, reason=fault)})
    assert (found.reason, found.fault) == ("robots_unreachable", fault)


@pytest.mark.parametrize("reason", sorted(REFUSED))
def test_a_site_that_may_not_be_asked_is_refused_for_that(reason):
    found = ask({ROBOTS: Answer(url=ROBOTS, reason=reason)})
    assert (found.reason, found.fault) == (reason, "")


def test_a_redirect_to_where_we_may_not_go_is_unreachable():
    inside = "http://10.0.0.1/robots.txt"
    found = ask({ROBOTS: to(inside), inside: Answer(url=inside, reason="private_address")})
    assert (found.reason, found.fault) == ("robots_unreachable", "private_address")


def test_a_redirect_to_another_scheme_is_unreachable_and_says_nothing_of_the_site():
    found = ask({ROBOTS: Answer(url=ROBOTS, status=302, reason="bad_scheme")})
    assert (found.reason, found.fault) == ("robots_unreachable", "bad_scheme")


def test_an_empty_file_allows_everything():
    assert ask({ROBOTS: page(b"")}).reason == ""
    assert ask({ROBOTS: Answer(url=ROBOTS, status=200, reason="empty")}).reason == ""


def test_a_file_that_was_cut_at_500_kib_is_read():
    body = b"User-agent: *\nDisallow: /x\n#".ljust(512_001, b"-")
    found = ask({ROBOTS: Answer(url=ROBOTS, status=200, reason="too_large", body=body)})
    assert (found.reason, found.rules.allows(f"{SITE}/x")) == ("", False)
    assert found.rules.allows(f"{SITE}/y")


@pytest.mark.parametrize("length", [512_001, 10_000_000])
def test_of_a_file_that_announces_a_rest_the_beginning_is_read_at_once(length):
    text = b"User-agent: *\nDisallow: /x\n#".ljust(length, b"-")

    async def run():
        async with HostileServer(pictures={"/robots.txt": text}) as server:
            limits = Limits(ports=(), allow_private_networks=True)
            async with Session(limits, Manners()) as session:
                found = await ask_robots(f"http://127.0.0.1:{server.port}", session.get)
            return found, server.requests["/robots.txt"]

    found, requests = asyncio.run(run())
    assert (found.reason, requests) == ("", 1)
    assert not found.rules.allows(f"{SITE}/x")
    assert found.rules.allows(f"{SITE}/y")


@pytest.mark.parametrize(("redirects", "allowed"), [(1, False), (5, False), (6, True)])
def test_five_redirects_are_followed_and_behind_more_there_is_nothing(redirects, allowed):
    hops = [ROBOTS, *(f"https://b.example/{number}" for number in range(redirects))]
    pages = {url: to(target) for url, target in itertools.pairwise(hops)}
    pages[hops[-1]] = page(b"User-agent: *\nDisallow: /")
    asked = []
    found = ask(pages, asked)
    assert (found.reason, found.rules.allows(f"{SITE}/x")) == ("", allowed)
    assert len(asked) == min(redirects, 5) + 1


def test_a_redirect_without_a_target_is_no_file():
    found = ask({ROBOTS: 302})
    assert (found.reason, found.rules.allows(f"{SITE}/x")) == ("", True)


def test_the_charset_of_the_answer_is_used():
    body = "User-agent: *\nDisallow: /größe".encode("latin-1")
    headers = (("content-type", "text/plain; charset=latin1"),)
    found = ask({ROBOTS: page(body, headers=headers)})
    assert not found.rules.allows(f"{SITE}/gr%C3%B6%C3%9Fe")
