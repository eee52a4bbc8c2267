"""Addresses as pages write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.urls import MAX_CANDIDATES, parse_srcset, resolve_url

BASE = "http://news.example/a/b.html?q=1"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("c.jpg", "http://news.example/a/c.jpg"),
        ("../c.jpg", "http://news.example/c.jpg"),
        ("../../../c.jpg", "http://news.example/c.jpg"),
        ("/c.jpg", "http://news.example/c.jpg"),
        ("?c", "http://news.example/a/b.html?c"),
        ("//cdn.example/c.jpg", "http://cdn.example/c.jpg"),
        (" c d.jpg\n", "http://news.example/a/c%20d.jpg"),
        ("c\n.jpg", "http://news.example/a/c.jpg"),
        ("c%20d.jpg", "http://news.example/a/c%20d.jpg"),
        ("w_1,h_2/c.jpg", "http://news.example/a/w_1,h_2/c.jpg"),
        ("ü.jpg?q=ü", "http://news.example/a/%C3%BC.jpg?q=%C3%BC"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://me:pw@faß.example:81/c", "https://xn--fa-hia.example:81/c"),
        ("HTTPS://Cdn.Example/C.jpg#x", "https://cdn.example/C.jpg"),
        ("img\\c.jpg", "http://news.example/a/img/c.jpg"),
        ("http:c.jpg", "http://news.example/a/c.jpg"),
        ("http:/c.jpg", "http://news.example/c.jpg"),
        ("http://cdn.example", "http://cdn.example/"),
        ("https:c.jpg", "https://c.jpg/"),
        ("///cdn.example/c.jpg", "http://cdn.example/c.jpg"),
        ("https:////cdn.example/c.jpg", "https://cdn.example/c.jpg"),
        ("\\\\cdn.example\\c.jpg", "http://cdn.example/c.jpg"),
        ("http:\\\\cdn.example/c.jpg?a\\b", "http://cdn.example/c.jpg?a\\b"),
        ("http://cdn.example:80/c.jpg", "http://cdn.example/c.jpg"),
        ("https://cdn.example:0443/c.jpg", "https://cdn.example/c.jpg"),
        ("https://cdn.example:80/c.jpg", "https://cdn.example:80/c.jpg"),
        ("https://cdn.example:/c.jpg", "https://cdn.example/c.jpg"),
        ("https://cdn%2Eexample/c.jpg", "https://cdn.example/c.jpg"),
        ("http://[2001:DB8:0::1]:8080/c", "http://[2001:db8::1]:8080/c"),
        ("https://@cdn.example/c.jpg", "https://cdn.example/c.jpg"),
        ("https://cdn.example/a/../b/./c.jpg", "https://cdn.example/b/c.jpg"),
        ("https://cdn.example/a/%2E%2e/c.jpg", "https://cdn.example/c.jpg"),
        ("https://cdn.example/a/..", "https://cdn.example/"),
        ("https://cdn.example/a/b/.", "https://cdn.example/a/b/"),
        ("https://cdn.example/a/.../.c", "https://cdn.example/a/.../.c"),
        ("https://cdn.example/a//c.jpg", "https://cdn.example/a//c.jpg"),
        ("c{1}^.jpg?{2}^'", "http://news.example/a/c%7B1%7D%5E.jpg?{2}^%27"),
        ("./c:d.jpg", "http://news.example/a/c:d.jpg"),
        ("/c?", "http://news.example/c?"),
        ("?", "http://news.example/a/b.html?"),
    ],
)
def test_addresses_resolve_as_in_a_browser(address: str, url: str) -> None:
    assert resolve_url(BASE, address) == (url, None)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", Reason.NO_URL),
        ("  ", Reason.NO_URL),
        ("#top", Reason.NO_URL),
        ("http://[", Reason.NO_URL),
        ("http://h:port/", Reason.NO_URL),
        ("http://a b/", Reason.NO_URL),
        ("http://", Reason.NO_URL),
        ("http://h:65536/", Reason.NO_URL),
        ("http://[::1]8080/", Reason.NO_URL),
        ("http://[::1%25eth0]/", Reason.NO_URL),
        ("http://a%2Fb/", Reason.NO_URL),
        (f"http://{'a' * 254}/", Reason.NO_URL),
        ("x" * 9_000, Reason.NO_URL),
        ("data:image/png;base64,AA", Reason.DATA_URI),
        ("DATA:,", Reason.DATA_URI),
        ("javascript:void(0)", Reason.NOT_HTTP),
        ("blob:http://news.example/1", Reason.NOT_HTTP),
        ("file:///C:/a.gif", Reason.NOT_HTTP),
    ],
)
def test_what_cannot_be_fetched_says_why(address: str, reason: Reason) -> None:
    assert resolve_url(BASE, address) == ("", reason)


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("", Reason.NOT_HTTP),
        ("data:,x", Reason.NOT_HTTP),
        ("file:///a/b", Reason.NOT_HTTP),
        ("about:blank", Reason.NOT_HTTP),
        ("https:", Reason.NO_URL),
        ("http://[", Reason.NO_URL),
    ],
)
def test_nothing_is_relative_to_what_is_no_web_page(base: str, reason: Reason) -> None:
    assert resolve_url(base, "c.jpg") == resolve_url(base, "/c.jpg") == ("", reason)
    assert resolve_url(base, "https://cdn.example/c d") == ("https://cdn.example/c%20d", None)


def test_a_base_of_a_scheme_alone_gives_it() -> None:
    assert resolve_url("https:", "//cdn.example/c") == ("https://cdn.example/c", None)


@given(base=st.text(max_size=30), address=st.text(max_size=60))
def test_a_url_is_absolute_ascii_http_or_none(base: str, address: str) -> None:
    url, reason = resolve_url(base, address)
    assert bool(url) != bool(reason)
    assert not url or (url.startswith(("http://", "https://")) and url.isascii())
    assert not url or resolve_url(base, url) == (url, None)


@given(address=st.text(alphabet="ab./\\:?#%2eE@[]1 '{", max_size=40))
def test_a_url_is_its_own_url(address: str) -> None:
    url, _ = resolve_url(BASE, address)
    assert not url or resolve_url(BASE, url) == (url, None)


@pytest.mark.parametrize(
    ("srcset", "candidates"),
    [
        ("", []),
        (" , ,", []),
        ("a.jpg", [("a.jpg", 1.0, "x")]),
        ("a.jpg 1x, b.jpg 2x", [("a.jpg", 1.0, "x"), ("b.jpg", 2.0, "x")]),
        ("a.jpg, b.jpg 1.5x", [("a.jpg", 1.0, "x"), ("b.jpg", 1.5, "x")]),
        ("a.jpg 100w,b.jpg 200w", [("a.jpg", 100.0, "w"), ("b.jpg", 200.0, "w")]),
        ("a.jpg 100w 50h,\n b.jpg 200w,", [("a.jpg", 100.0, "w"), ("b.jpg", 200.0, "w")]),
        ("/w_1,h_2/a.jpg 1x, b.jpg 2x", [("/w_1,h_2/a.jpg", 1.0, "x"), ("b.jpg", 2.0, "x")]),
        ("my photo.jpg 1x, b.jpg 2x", [("my photo.jpg", 1.0, "x"), ("b.jpg", 2.0, "x")]),
        ("data:a/b,R0 1w, b.jpg 9w", [("data:a/b,R0", 1.0, "w"), ("b.jpg", 9.0, "w")]),
    ],
)
def test_srcset_keeps_commas_and_spaces_of_addresses(
    srcset: str, candidates: list[tuple[str, float, str]]
) -> None:
    assert parse_srcset(srcset) == candidates


@pytest.mark.parametrize("unit", ["a ", "a,", "a 1w ", ", ", "1 ", "1w,"])
def test_long_srcsets_are_read_in_linear_time(unit: str) -> None:
    parse_srcset(unit * 100_000)


@pytest.mark.parametrize("form", ["a{}.jpg {}w", "a{} b.jpg {}w", "a{},b.jpg"])
def test_the_candidates_of_a_srcset_are_bounded(form: str) -> None:
    for count in (1, MAX_CANDIDATES, MAX_CANDIDATES + 1, 3_000):
        srcset = ", ".join(form.format(number, number) for number in range(1, count + 1))
        assert len(parse_srcset(srcset)) == min(count, MAX_CANDIDATES)
