"""Which address of an image is fetched, which images are one, and which are none to look at."""

import pytest

from openm3w.pipeline.extraction.addresses import MAX_ADDRESSES
from openm3w.pipeline.extraction.attributes import attributes, decode_references
from openm3w.pipeline.extraction.extract import Extraction, extract
from openm3w.pipeline.extraction.naming import is_placeholder, judge_address
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.renditions import same_image, widths
from openm3w.pipeline.extraction.urls import parse_srcset, resolve_url
from openm3w.shards.document import Image

PAGE = "https://news.example/story.html"
HOST = "https://news.example"
PROSE = (
    "The harbour was dredged for the first time in forty years, and what came up from the mud"
    " surprised even the engineers who had planned the work for most of a decade."
)


def read(body: str, head: str = "") -> Extraction:
    article = f"<article><h1>Story</h1><p>{PROSE}</p>{body}<p>{PROSE}</p><p>{PROSE}</p></article>"
    return extract(f"<!doctype html><html><head>{head}</head><body>{article}</body></html>", PAGE)


def images(body: str, head: str = "") -> list[Image]:
    return [span for span in read(body, head).spans if isinstance(span, Image)]


def paths(body: str, head: str = "") -> list[str]:
    return [image.url.removeprefix(HOST) for image in images(body, head)]


def reasons(body: str) -> list[Reason]:
    return [left.reason for left in read(body).left_out]


@pytest.mark.parametrize(
    ("element", "path"),
    [
        ("<img src=/a.jpg srcset='/b.jpg 4000w, /c.jpg 3000w, /d.jpg 100w'>", "/c.jpg"),
        ("<img src=/a.jpg srcset='/b.jpg 4000w, /c.jpg 3000w, /d.jpg 384w'>", "/d.jpg"),
        ("<img src=/a.jpg srcset='/b.jpg 300w, /c.jpg 100w'>", "/b.jpg"),
        ("<img src=/a.jpg srcset='/b.jpg 4x, /c.jpg 1x'>", "/c.jpg"),
        # What cannot be fetched, or may be a page.
        ("<img src=/a_300x.jpg data-src='/a_{width}x.jpg'>", "/a_300x.jpg"),
        ("<img src=/a.jpg data-src='/ad/1/[timestamp]/b.jpg'>", "/a.jpg"),
        ("<img src=/a.jpg data-src='/ad/%%CACHEBUSTER%%/b.jpg'>", "/a.jpg"),
        ("<img src='/map[north].jpg'>", "/map[north].jpg"),
        ("<img src=/a_300x.jpg data-src='/a_%7Bwidth%7Dx.jpg'>", "/a_300x.jpg"),
        ("<img src=/a.jpg data-srcset='/a_{{ w }}.jpg 900w'>", "/a.jpg"),
        ("<img src=/blank.gif data-src='/~/media/{0AF1-22}.ashx'>", "/~/media/%7B0AF1-22%7D.ashx"),
        ("<img src=/a.jpg data-full-page=/photos/12>", "/a.jpg"),
        ("<img src=/a.jpg data-full=/photos/12>", "/a.jpg"),
        ("<img src=/blank.gif data-full=/photos/12>", "/photos/12"),
        ("<img src=/a.jpg data-full=/b.jpg>", "/b.jpg"),
        ("<img src=/a.jpg data-src=/photos/12>", "/photos/12"),
        # Placeholders, wherever they stand.
        ("<img srcset=/blank.gif data-src=/a.jpg>", "/a.jpg"),
        ("<img src=/loading.gif data-echo=/a.jpg>", "/a.jpg"),
        ("<img src=/loading.gif data-picture=/a.jpg>", "/a.jpg"),
        ("<img src=/1x1.gif data-picture=/a.jpg width=1 height=1 data-src=/b.jpg>", "/b.jpg"),
        ("<img class='lazy placeholder' src=/x.gif data-src=/a.jpg>", "/a.jpg"),
        ("<img src=/a.jpg data-src=/loading.gif>", "/a.jpg"),
    ],
)
def test_the_address_to_fetch_is_the_image_itself(element: str, path: str) -> None:
    assert paths(element) == [path]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("srcset=/b.jpg", "/b.jpg"),
        ("media='(min-width: 700px)' srcset=/b.jpg", "/b.jpg"),
        ("media='(width >= 700px)' srcset=/b.jpg", "/b.jpg"),
        ("media=screen srcset=/b.jpg", "/b.jpg"),
        ("media='(max-width:400px)' srcset=/b.jpg", "/a.jpg"),
        ("media='(width <= 400px)' srcset=/b.jpg", "/a.jpg"),
        ("media='(prefers-color-scheme: dark)' srcset=/b.jpg", "/a.jpg"),
        ("media='(min-width: 9px) and (prefers-color-scheme: dark)' srcset=/b.jpg", "/a.jpg"),
        ("media=print srcset=/b.jpg", "/a.jpg"),
        ("type=image/webp srcset=/b.webp", "/b.webp"),
        ("type=image/avif srcset=/b.avif", "/a.jpg"),
        ("type=image/jxl srcset=/b.jxl", "/a.jpg"),
        ("type=image/heic srcset=/b.heic", "/a.jpg"),
    ],
)
def test_a_source_counts_where_any_reader_may_see_it(source: str, path: str) -> None:
    assert paths(f"<picture><source {source}><img src=/a.jpg></picture>") == [path]
    (image,) = images(f"<picture><source {source}><img src=/blank.gif></picture>")
    assert image.url.startswith(f"{HOST}/b.")


def test_the_addresses_of_an_element_are_bounded() -> None:
    srcset = ", ".join(f"/{number}.jpg {number}w" for number in range(1, 101))
    srcsets = " ".join(
        f"data-{number}-srcset='{srcset.replace('/', f'/{number}/')}'" for number in range(20)
    )
    (image,) = images(f"<img src=/a.jpg {srcsets}>")
    assert len(image.candidates) == MAX_ADDRESSES
    assert f"{HOST}/a.jpg" in image.candidates


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("<p><img src=/a.jpg></p><noscript><img src=/tr width=1 height=1></noscript>", ["/a.jpg"]),
        (
            "<p><img data-src=/a.jpg></p><noscript><img src=/tr style='display:none'></noscript>",
            ["/a.jpg"],
        ),
        ("<p><img class=lazy></p><noscript><img src=/tr?id=1 height=1></noscript>", []),
        ("<p><img src=/a.jpg></p><noscript><img src=/b.jpg></noscript>", ["/a.jpg", "/b.jpg"]),
        ("<p><img src=/grey.gif class=lazy></p><noscript><img src=/b.jpg></noscript>", ["/b.jpg"]),
        ("<p><img src=/loading.gif></p><noscript><img src=/b.jpg></noscript>", ["/b.jpg"]),
        ("<p><img src=/b-90x60.jpg></p><noscript><img src=/b.jpg></noscript>", ["/b.jpg"]),
        (
            "<img style='display:none' data-src=/a.jpg><noscript><img src=/a.jpg></noscript>",
            ["/a.jpg"],
        ),
        (
            "<img hidden src=/a.jpg><img data-src=/a.jpg><noscript><img src=/a.jpg></noscript>",
            ["/a.jpg"],
        ),
    ],
)
def test_a_noscript_image_takes_the_place_of_a_placeholder_only(body: str, path: list[str]) -> None:
    assert paths(f"<div>{body}</div>") == path


def test_an_amp_placeholder_is_no_image_of_its_own() -> None:
    element = "<amp-img src=/a.jpg><amp-img placeholder src=/b.jpg></amp-img></amp-img>"
    (image,) = images(element)
    assert image.url == f"{HOST}/a.jpg"
    assert image.candidates == (f"{HOST}/a.jpg",)
    assert reasons(element) == [Reason.REPEATED]
    assert paths(f"{element}<amp-img src=/c.jpg></amp-img>") == ["/a.jpg", "/c.jpg"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/max/60/0*x.jpg", "/max/1400/0*x.jpg"),
        ("/max/60/0*x.jpg?q=20", "/max/1400/0*x.jpg"),
        ("/s/20/harbour.jpg", "/s/900/harbour.jpg"),
        ("/img/media/8f/0_0_500_300/master/500.jpg", "/img/media/8f/0_0_500_300/master/1000.jpg"),
        ("/8f/a.jpg?width=620&s=0a1b", "/8f/a.jpg?width=300&s=77cd"),
        ("/upload/w_300,h_200,c_fill/v1/a.jpg", "/upload/c_limit,w_900/v1/a.jpg"),
        ("/photo-300x200.jpg", "/photo.jpg"),
        ("/photo-300x200.jpg", "/photo-1024x683.jpg"),
        ("/photo@2x.jpg", "/photo.jpg"),
        ("/photo-thumb.jpg", "/photo-large.jpg"),
        ("/small/photo.jpg", "/large/photo.jpg"),
        ("/thumb/a/ab/Bell.jpg/220px-Bell.jpg", "/a/ab/Bell.jpg"),
        (
            "/0x0:20x13/240x240/filters:focal(1x2)/a.jpg",
            "/0x0:20x13/240x160/filters:focal(1x2)/a.jpg",
        ),
        ("/AbC=w300-h200", "/AbC=w1200-h800"),
    ],
)
def test_renditions_of_an_image_are_one_image(one: str, other: str) -> None:
    assert same_image(HOST + one, HOST + other)
    assert same_image(HOST + other, HOST + one)
    assert len(images(f"<div><img src='{one}'><img src='{other}'></div>")) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/download/file.php?id=1", "/download/file.php?id=2"),
        ("/download/file.php?id=1&w=300", "/download/file.php?id=2&w=300"),
        ("/showimage.php?s=0a1b", "/showimage.php?s=77cd"),
        ("/media/1001/original.jpg", "/media/1002/original.jpg"),
        ("/large/1001/original.jpg", "/large/1002/original.jpg"),
        ("/media/1/original.jpg", "/media/2/original.jpg"),
        ("/media/20/original.jpg", "/media/70/original.jpg"),
        ("/20220114/bulletin.png", "/20220115/bulletin.png"),
        ("/photo-1.jpg", "/photo-2.jpg"),
        ("/photo-2019.jpg", "/photo-2020.jpg"),
        ("/day/harbour.jpg", "/night/harbour.jpg"),
    ],
)
def test_images_that_differ_in_more_than_size_are_two(one: str, other: str) -> None:
    assert not same_image(HOST + one, HOST + other)
    assert len(images(f"<div><img src='{one}'><img src='{other}'></div>")) == 2


@pytest.mark.parametrize(
    ("one", "other", "pixels"),
    [
        ("/max/60/x.jpg", "/max/1400/x.jpg", (60, 1400)),
        ("/photo-300x200.jpg", "/photo.jpg", (300, 0)),
        ("/a.jpg?q=80&w=300", "/a.jpg?q=80&w=600", (300, 600)),
        ("/s/20/harbour.jpg", "/s/900/harbour.jpg", (20, 900)),
        ("/chart-600.png", "/chart-300.png", (600, 300)),
        ("/a.jpg", "/b.jpg", (0, 0)),
    ],
)
def test_addresses_of_renditions_tell_their_width(
    one: str, other: str, pixels: tuple[int, int]
) -> None:
    assert widths(HOST + one, HOST + other) == pixels


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ("src=/max/1400/x.jpg", "src=/max/60/x.jpg", "/max/1400/x.jpg"),
        ("src=/max/60/x.jpg", "src=/max/1400/x.jpg", "/max/1400/x.jpg"),
        ("src=/max/9000/x.jpg", "src=/max/1400/x.jpg", "/max/1400/x.jpg"),
        ("src=/max/60/x.jpg", "data-src=/max/1400/x.jpg", "/max/1400/x.jpg"),
        ("src=/small/x.jpg width=300", "src=/large/x.jpg width=900", "/large/x.jpg"),
        ("src=/large/x.jpg width=900", "src=/small/x.jpg width=300", "/large/x.jpg"),
    ],
)
def test_of_renditions_the_largest_is_fetched(one: str, other: str, path: str) -> None:
    assert paths(f"<div><img {one}><img {other}></div>") == [path]


@pytest.mark.parametrize(
    "name",
    [
        "facebook.png",
        "facebook-32.png",
        "icon_facebook_white.png",
        "share-facebook.svg",
        "donate-button.png",
        "google-play-badge.png",
        "site-logo.png",
        "LogoAcme.jpg",
        "5e9999c710343e94e0e99eb8_acme-logo.svg.png",
        "acme-info-icon-2.png",
        "avatar-123.jpg",
        "ajax-loader.gif",
        "image-placeholder.png",
        "next.png",
    ],
)
def test_names_of_icons_say_so(name: str) -> None:
    assert judge_address(f"{HOST}/{name}") == Reason.ICON_NAME


@pytest.mark.parametrize(
    "name",
    [
        "the-new-facebook-headquarters.jpg",
        "button-mushrooms.jpg",
        "placeholder-park.jpg",
        "WhatsApp-Image-2022-05-03.jpeg",
        "fashion-icon-audrey-hepburn.jpg",
        "how-the-famous-logo-of-acme-was-drawn.jpg",
        "next-mayor.jpg",
        "badge-of-the-river-police.jpg",
        "12345.jpg",
    ],
)
def test_names_that_tell_of_something_else_do_not(name: str) -> None:
    assert judge_address(f"{HOST}/{name}") is None
    assert paths(f"<img src=/{name}>") == [f"/{name}"]


@pytest.mark.parametrize("name", ["blank.gif", "1x1.png", "img-placeholder.svg", "loading.gif"])
def test_placeholders_are_known_by_name(name: str) -> None:
    assert is_placeholder(f"{HOST}/{name}")
    assert not is_placeholder(f"{HOST}/harbour-{name.replace('1x1', '11x1')}")


def test_the_share_image_is_judged_by_its_name() -> None:
    def shared(*names: str) -> list[str]:
        return paths("", "".join(f"<meta property=og:image content={name}>" for name in names))

    assert shared("/static/logo.png") == []
    assert shared("/blank.gif", "/harbour-48x48.jpg") == []
    assert shared("/static/logo.png", "/harbour.jpg") == ["/harbour.jpg"]
    assert shared("/logo-600x315.png") == ["/logo-600x315.png"]
    assert shared("/share.jpg") == ["/share.jpg"]  # among text a button, here what it says
    assert shared("/img/facebook.png") == ["/img/facebook.png"]
    assert shared("/blank.gif") == []


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("/x/", "https://news.example/x/a.jpg"),
        ("//cdn.example/x/", "https://cdn.example/x/a.jpg"),
        ("\\\\cdn.example\\x\\", "https://cdn.example/x/a.jpg"),
        ("data:,x", "https://news.example/a.jpg"),
        ("javascript:0", "https://news.example/a.jpg"),
        ("", "https://news.example/a.jpg"),
        (f"/{'x' * 498}/", f"https://news.example/{'x' * 498}/a.jpg"),
        (f"/{'x' * 499}/", "https://news.example/a.jpg"),
    ],
)
def test_a_base_counts_where_addresses_can_be_relative_to_it(base: str, url: str) -> None:
    (image,) = images("<img src=a.jpg>", f"<base href='{base}'><base href=/other/>")
    assert image.url == url


def test_one_image_has_one_url() -> None:
    assert paths("<img src=/x/../a.jpg><img src=https://NEWS.example:443/./a.jpg>") == ["/a.jpg"]


SPACES = " " * 100_000
HOSTILE = [
    f"1{SPACES}x",
    f"+1.{'1' * 100_000}{SPACES}px x",
    "a.jpg?" * 20_000 + " <",
    "a.jpg" * 20_000 + "<",
    f"width:{SPACES}x;" + "width" * 20_000,
    "width:1.1;" * 10_000,
    "{" * 50_000 + "a" * 50_000,
    "{a" * 50_000,
    "%7B " * 30_000,
    "/.." * 30_000,
    "/%2e%2E" * 15_000,
    "https://" + "a." * 50_000,
    "https://" + "\u00fc" * 100_000,
    "https://[" + ":" * 100_000,
    "https://a:" + "1" * 100_000,
    "a 1w," * 20_000,
    "," * 100_000 + " ",
    "-logo1a" * 15_000 + ".jpg",
    "-300x200" * 12_000 + ".jpg",
    "0a" * 50_000,
    "/w_1," * 20_000,
    "&" * 100_000 + "&#" + "1" * 100_000,
    "a='" * 30_000,
    "screen-reader-" * 8_000 + ":",
    f"display{SPACES}",
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_long_values_take_no_more_than_linear_time(value: str) -> None:
    """Whatever takes the square of such a length would take minutes."""
    resolve_url(PAGE, value)
    resolve_url(value, "a.jpg")
    for url in (f"{HOST}/{value}", f"{HOST}/?{value}"):
        resolve_url(PAGE, url)
        judge_address(url, classes=value)
        is_placeholder(url)
        same_image(url, f"{url}1")
        widths(url, f"{url}1")
    parse_srcset(value)
    attributes(value)
    decode_references(value)
    quoted = value.replace('"', "'")
    names = "src srcset width style class data-src data-srcset data-x data-full media alt id href"
    written = " ".join(f'{name}="{quoted}"' for name in names.split())
    read(f"<picture><source {written}><img {written}></picture><div {written}>{PROSE}</div>")
