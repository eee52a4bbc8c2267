import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.url import registered_domain, url_key


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("HTTP://Example.ORG", "http://example.org/"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("https://example.org:80/a", "https://example.org:80/a"),
        ("https://example.org:/a", "https://example.org/a"),
        ("http://example.org/a#part", "http://example.org/a"),
        ("http://example.org?q=1", "http://example.org/?q=1"),
        ("http://example.org/a?", "http://example.org/a"),
        ("http://example.org/%7euser", "http://example.org/~user"),
        ("http://example.org/a%2fb", "http://example.org/a%2Fb"),
        ("http://example.org/a b", "http://example.org/a%20b"),
        ("http://example.org/\u00e9", "http://example.org/%C3%A9"),
        ("http://example.org/%c3%a9", "http://example.org/%C3%A9"),
        ("http://example.org/100%", "http://example.org/100%25"),
        ("http://example.org/?a=b+c&d=%2B", "http://example.org/?a=b+c&d=%2B"),
        ("http://example.org/w,h/a;b/x=(1)!'*", "http://example.org/w,h/a;b/x=(1)!'*"),
        ("http://example.org/a/./b/../c", "http://example.org/a/c"),
        ("http://example.org/a/..", "http://example.org/"),
        ("http://example.org/../a", "http://example.org/a"),
        ("http://example.org/.hidden/a", "http://example.org/.hidden/a"),
        ("http://example.org//a", "http://example.org//a"),
        ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
        ("http://B\u00dcCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://fa\u00df.de/", "http://xn--fa-hia.de/"),
        ("http://user:pw@Example.org/", "http://user:pw@example.org/"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("  http://example.org/a\n", "http://example.org/a"),
    ],
)
def test_spellings_of_one_address_have_one_key(url, key):
    assert url_key(url) == key


PLACES = st.sampled_from(("a", "a.b", "127.0.0.1", "a:80", "a:443", "a:8080", "a:40123", "a:65536"))


@given(st.sampled_from(("http", "https")), PLACES, st.text("aZ09./?=&%~[]@:'-", max_size=8))
def test_a_url_that_is_its_own_key_has_that_of_all_its_spellings(scheme, place, rest):
    url = f"{scheme}://{place}/{rest}"
    key = url_key(f"{url}#part")  # which is always taken apart

    assert url_key(url) == key.removesuffix("#part")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:image/gif;base64,R0lGOD",
        "mailto:a@example.org",
        "/relative",
        "http://",
        "http://[::1",
        "http://example.org:port/",
        "http://example.org:99999/",
        "urn:uuid:1",
    ],
)
def test_what_is_no_web_address_is_its_own_key(url):
    assert url_key(url) == url


def test_different_addresses_have_different_keys():
    urls = [
        "http://a.org/",
        "https://a.org/",
        "http://a.org/A",
        "http://a.org/a",
        "http://a.org/?a",
    ]
    assert len({url_key(url) for url in urls}) == len(urls)


WEB_LIKE = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    st.sampled_from(
        ["a.org", "A.org:80", "[::1]", "u@a.org", "b\u00fc.de", "", "\u3002", "x\u2100y"]
    ),
    st.sampled_from(["", "/", "/..", "/%2e%2E/"]),
    st.text(st.sampled_from("aZ/.%?#&=+ \u00e9\udc80\\41fF[]"), max_size=12),
)


@given(st.text() | WEB_LIKE)
def test_a_key_never_raises_and_is_its_own_key(url):
    key = url_key(url)
    assert url_key(key) == key


@given(st.text() | WEB_LIKE)
def test_a_domain_never_raises(url):
    assert isinstance(registered_domain(url), str)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news", "bbc.co.uk"),
        ("https://docs.gimp.org/2.10/en/", "gimp.org"),
        ("http://EXAMPLE.com.:80/", "example.com"),
        ("http://someone.github.io/", "github.io"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://localhost/", "localhost"),
        ("http://co.uk/", "co.uk"),
        ("http://www.b\u00fccher.de/", "xn--bcher-kva.de"),
        ("no url", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_the_registered_domain(url, domain):
    assert registered_domain(url) == domain
