"""Tests of URLs taken apart: what may be asked, how it is spelled, and where redirects lead."""

import pytest

from openm3w.pipeline.fetch.client.targets import redirected, target

PORTS = (80, 443)


def asked(url: str, *, ports=PORTS, allow_private: bool = False, nat64: bool = False) -> str:
    """The URL that would be asked for, or the reason why none is."""
    found = target(url, ports=ports, allow_private=allow_private, nat64=nat64)
    return found.reason or str(found.url)


@pytest.mark.parametrize(
    ("url", "expected"),
    {
        "http://example.org": "http://example.org/",
        "HTTP://Example.ORG/A.jpg": "http://example.org/A.jpg",
        "https://example.org:443/a": "https://example.org/a",
        "http://example.org:80/a": "http://example.org/a",
        "http://example.org:/a": "http://example.org/a",
        "http://example.org./a": "http://example.org./a",
        "http://my_host.example.org/a": "http://my_host.example.org/a",
        "http://bücher.example/a": "http://xn--bcher-kva.example/a",
        " \thttp://example.org/a\n ": "http://example.org/a",
        "http://exa\nmple.org/a\tb": "http://example.org/ab",
        "http://example.org/a#b?c": "http://example.org/a",
        "http://name:word@example.org/a": "http://example.org/a",
        "http://a@b@example.org/a": "http://example.org/a",
        "http:\\\\example.org\\a?b\\c": "http://example.org/a?b\\c",
        "http://example.org?x=1": "http://example.org/?x=1",
        # Escapes stand as they came; what must be escaped is.
        "http://example.org/%7Ea%2fb%zz?%2B+%20": "http://example.org/%7Ea%2fb%zz?%2B+%20",
        "http://example.org/a b/\"<é>\"?q=ö 'x'": (
            "http://example.org/a%20b/%22%3C%C3%A9%3E%22?q=%C3%B6%20%27x%27"
        ),
        "http://example.org/a|b{c}^`?{d}|^`": "http://example.org/a|b%7Bc%7D%5E%60?{d}|^`",
        "http://example.org/a\x00b\x7f": "http://example.org/a%00b%7F",
        "http://example.org/a/./b/../c.jpg": "http://example.org/a/c.jpg",
        "http://example.org/../../c.jpg": "http://example.org/c.jpg",
        "http://example.org//a//b": "http://example.org//a//b",
        "http://8.8.8.8/a": "http://8.8.8.8/a",
        "http://[2606:4700:4700::1111]/a": "http://[2606:4700:4700::1111]/a",
        "http://[::ffff:8.8.8.8]/a": "http://[::ffff:8.8.8.8]/a",
    }.items(),
)
def test_a_url_is_asked_for_as_a_browser_would(url: str, expected: str) -> None:
    assert asked(url) == expected


@pytest.mark.parametrize(
    ("reason", "urls"),
    {
        "bad_url": [
            "",
            "example.org/a.jpg",
            "/a.jpg",
            "//example.org/a.jpg",
            "http://",
            "http:///a.jpg",
            "http:example.org",
            "http://[::1",
            "http://[nonsense]/",
            "http://exa mple.org/",
            "http://example.org:port/",
            "http://example.org:65536/",
            "http://example.org:-1/",
            "http://exa%6dple.org/",
            "http://.example.org/",
            "http://example..org/",
            "http://example.org../",
            "http://-example.org/",
            f"http://{'a' * 64}.org/",
            f"http://{'a.' * 127}org/",
            "http://1.2.3.4.5/",
            "http://1.2.3.256/",
            "http://8.8.2056/",
            "http://0x08080808/",
            "http://example.0x1/",
            "http://[2606:4700:4700::1111%25eth0]/",
            "http://example.org/\ud800",
        ],
        "bad_scheme": [
            "ftp://example.org/a.jpg",
            "file:///etc/passwd",
            "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
            "javascript:alert(1)",
            "gopher://example.org/",
            "C:\\a.jpg",
        ],
        "bad_port": [
            "http://example.org:22/",
            "http://example.org:8080/",
            "http://example.org:0/",
            "http://8.8.8.8:6379/",
        ],
        "private_address": [
            "http://127.0.0.1/",
            "http://127.0.0.1./",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[64:ff9b::a00:1]/",
            "http://[fe80::1]/",
            "http://name:word@127.0.0.1/",
            "http://example.org@127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://①②⑦.⓪.⓪.①/",
            "http:\\\\127.0.0.1\\",
        ],
    }.items(),
)
def test_a_url_that_must_not_be_asked_has_the_reason(reason: str, urls: list[str]) -> None:
    assert {url: asked(url) for url in urls} == dict.fromkeys(urls, reason)


def test_of_a_bad_port_and_a_private_address_the_address_is_said() -> None:
    assert asked("http://127.0.0.1:22/") == "private_address"


def test_ports_are_those_named_and_none_named_are_all() -> None:
    assert asked("http://example.org:8080/", ports=(8080,)) == "http://example.org:8080/"
    assert asked("http://example.org/", ports=(8080,)) == "bad_port"
    assert asked("http://example.org:22/", ports=()) == "http://example.org:22/"


def test_nat64_addresses_pass_where_that_is_set_and_lead_to_public_ones() -> None:
    public, private = "http://[64:ff9b::808:808]/", "http://[64:ff9b::7f00:1]/"
    assert asked(public) == "private_address"
    assert asked(public, nat64=True) == public
    assert asked(private, nat64=True) == "private_address"
    assert asked(private, nat64=True, allow_private=True) == "private_address"


def test_private_networks_pass_where_they_are_allowed_and_nothing_else_does() -> None:
    allowed = {"http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://[fd00::1]/"}
    never = {"http://169.254.169.254/", "http://0.0.0.0/", "http://[64:ff9b::a00:1]/"}

    assert {asked(url, allow_private=True) for url in allowed} == allowed
    assert {asked(url, allow_private=True) for url in never} == {"private_address"}


@pytest.mark.parametrize(
    ("location", "expected"),
    {
        "http://other.example/b": "http://other.example/b",
        "HTTPS://other.example/b": "https://other.example/b",
        "//other.example/b": "http://other.example/b",
        "/b": "http://example.org/b",
        "b": "http://example.org/a/b",
        "../b": "http://example.org/b",
        "?b": "http://example.org/a/x?b",
        "\\b": "http://example.org/b",
        "b#c": "http://example.org/a/b",
        "http:b": "http://example.org/a/b",
        "http://other.example": "http://other.example/",
        "http://name:word@other.example/b": "http://other.example/b",
        "http://[::1]:8080/b": "http://[::1]:8080/b",
        "/b c": "http://example.org/b%20c",
        "/é": "http://example.org/%C3%A9",
        "/\udce9": "http://example.org/%E9",
    }.items(),
)
def test_a_redirect_leads_to_an_absolute_url(location: str, expected: str) -> None:
    assert redirected("http://me:too@example.org/a/x?y#z", location) == (expected, "")


@pytest.mark.parametrize(
    ("location", "reason"),
    {
        "file:///etc/passwd": "bad_scheme",
        "ftp://other.example/b": "bad_scheme",
        "data:,": "bad_scheme",
        "mailto:me@example.org": "bad_scheme",
        "http://[::1": "bad_url",
        "http:///b": "bad_url",
        "https:///b": "bad_url",
        "https:": "bad_url",
    }.items(),
)
def test_a_redirect_that_leads_nowhere_has_the_reason(location: str, reason: str) -> None:
    assert redirected("http://example.org/a/x", location) == ("", reason)
