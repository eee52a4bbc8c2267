import pytest

from openm3w.errors import RecipeError
from openm3w.pipeline.saved import UNKNOWN, checked_url, looks_like_page, read_saved
from openm3w.pipeline.sources import Source


def saved(path, html, url="", max_body=1_000_000):
    path.write_bytes(html if isinstance(html, bytes) else html.encode())
    source = Source(name=path.name, file=path, digest="0" * 16)
    return read_saved(source, url=url, max_body=max_body)


CANONICAL = '<link rel="canonical" href="https://a.example/canonical">'
OG_URL = '<meta property="og:url" content="https://a.example/og">'
MARK = "<!-- saved from url=(0024)https://a.example/marked -->"


@pytest.mark.parametrize(
    ("head", "address", "base"),
    [
        ("", "", UNKNOWN),
        (CANONICAL, "https://a.example/canonical", "https://a.example/canonical"),
        (OG_URL, "https://a.example/og", "https://a.example/og"),
        (OG_URL + CANONICAL, "https://a.example/canonical", "https://a.example/canonical"),
        (
            "<LINK href='http://a.example/&amp;x=é' Rel='alternate Canonical'>",
            "http://a.example/&x=%C3%A9",
            "http://a.example/&x=%C3%A9",
        ),
        (
            "<link rel=canonical href=https://a.example/>",
            "https://a.example/",
            "https://a.example/",
        ),
        # Only what is absolute says where a page stood.
        ('<link rel="canonical" href="/canonical">', "", UNKNOWN),
        ('<link rel="canonical" href="/canonical">' + OG_URL,) + ("https://a.example/og",) * 2,
        ('<link rel="canonical" href="file:///C:/page.html">', "", UNKNOWN),
        ('<link rel="canonical" href="https:///">', "", UNKNOWN),
        ('<link rel="alternate" href="https://a.example/fr">', "", UNKNOWN),
        ('<meta property="og:image" content="https://a.example/i.jpg">', "", UNKNOWN),
        # What stands in comments and scripts is no markup.
        (f"<!-- {CANONICAL} -->", "", UNKNOWN),
        (f"<script>'{CANONICAL}'</script>", "", UNKNOWN),
        (f"<style>{CANONICAL}", "", UNKNOWN),
        (f'<meta name="x" content="> {OG_URL.replace(chr(34), "")}">', "", UNKNOWN),
        # Browsers that leave a mark save the page with its images, and name the copies.
        (MARK, "https://a.example/marked", UNKNOWN),
        (MARK + CANONICAL, "https://a.example/marked", UNKNOWN),
        (
            "<!--\n Page saved with SingleFile \n url: https://a.example/single \n saved date: -->",
            "https://a.example/single",
            UNKNOWN,
        ),
        ("<!-- saved from url=(0014)about:internet -->", "", UNKNOWN),
        ("<!-- saved from url=(0014)about:internet -->" + OG_URL,) + ("https://a.example/og",) * 2,
    ],
)
def test_a_page_says_where_it_stood(tmp_path, head, address, base):
    page = saved(tmp_path / "a.html", f"<!doctype html>{head}<body><p>Words.")

    assert (page.address, page.record.url) == (address, base)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("a.html", ""), ("a.XHTML", "application/xhtml+xml"), ("a.xht", "application/xhtml+xml")],
)
def test_a_file_is_xhtml_by_its_name(tmp_path, name, content_type):
    assert saved(tmp_path / name, "<p>Words.").record.content_type == content_type


def test_an_address_that_is_given_decides(tmp_path):
    page = saved(tmp_path / "a.html", MARK + CANONICAL, url="https://b.example/")

    assert (page.address, page.record.url) == ("https://b.example/", "https://b.example/")


def test_a_folder_of_images_beside_a_page_makes_its_relative_addresses_copies(tmp_path):
    (tmp_path / "a_files").mkdir()

    page = saved(tmp_path / "a.html", CANONICAL)
    other = saved(tmp_path / "b.html", CANONICAL)

    assert (page.address, page.record.url) == ("https://a.example/canonical", UNKNOWN)
    assert other.record.url == "https://a.example/canonical"


def test_the_address_is_read_in_the_charset_of_the_page(tmp_path):
    html = '<meta charset="windows-1251"><link rel=canonical href="http://пример.example/">'

    page = saved(tmp_path / "a.html", html.encode("windows-1251"))

    assert page.address == "http://xn--e1afmkfd.example/"


@pytest.mark.parametrize(("size", "cut"), [(99, False), (100, False), (101, True)])
def test_a_long_file_is_cut(tmp_path, size, cut):
    page = saved(tmp_path / "a.html", b"x" * size, max_body=100)

    assert (len(page.record.body), page.record.body_cut) == (min(size, 100), cut)
    assert page.record.length == size


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "head",
    [
        "<link " * 80_000,
        "<!--" * 120_000,
        "<meta a='" * 50_000,
        "<script" * 70_000,
        '<link a="' * 50_000,
    ],
)
def test_hostile_heads_are_read_in_linear_time(tmp_path, head):
    assert saved(tmp_path / "a.html", head).address == ""


@pytest.mark.parametrize(
    "url", ["page.html", "//a.example/", "ftp://a.example/", "https://", "a b"]
)
def test_an_address_that_is_not_absolute_is_refused(url):
    with pytest.raises(RecipeError, match="not an absolute address"):
        checked_url(url)


def test_an_address_is_written_as_browsers_do():
    assert checked_url("HTTPS://a.example/é b#part") == "https://a.example/%C3%A9%20b"


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"<!doctype html><p>", True), (b"\n <HTML>", True), (b"words", False), (b"", False)],
)
def test_a_page_is_known_by_its_first_bytes(tmp_path, data, expected):
    (tmp_path / "index.php").write_bytes(data)

    assert looks_like_page(tmp_path / "index.php") is expected
