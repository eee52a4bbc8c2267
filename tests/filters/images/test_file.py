from dataclasses import replace

import pytest

from openm3w.filters.images.file import KNOWN_FORMATS, Formats, MinBytes, UrlTokens
from openm3w.shards.document import Image


def in_format(image, name):
    return replace(image, content=replace(image.content, original_format=name))


@pytest.mark.parametrize(("size", "reason"), [(1000, None), (999, "too_few_bytes")])
def test_an_image_has_at_least_a_thousand_bytes(size, reason, picture, document):
    assert MinBytes().keep(picture("a", original_bytes=size), document()).reason == reason


def test_the_bound_of_captions_is_five_thousand(picture, document):
    rule = MinBytes(min_bytes=5000)
    assert rule.keep(picture("a", original_bytes=5000), document())
    assert not rule.keep(picture("a", original_bytes=4999), document())


@pytest.mark.parametrize("rule", [MinBytes(), Formats()], ids=lambda f: f.name)
def test_an_image_that_nobody_fetched_was_not_measured(rule, picture, document):
    assert rule.keep(Image(url=""), document()).reason == "not_measured"
    assert rule.keep(picture("a"), document()).reason == "not_measured"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("jpeg", None), ("png", None), ("webp", None), ("gif", "unwanted_format"),
     ("avif", "unwanted_format"), ("bmp", "unwanted_format"), ("tiff", "unwanted_format")],
)  # fmt: skip
def test_obelics_formats_are_the_default(name, reason, picture, document):
    assert Formats().keep(in_format(picture("a"), name), document()).reason == reason


def test_known_formats_are_those_that_are_decoded():
    from openm3w.shards.sample import IMAGE_FORMATS

    assert sorted(name.lower() for name in IMAGE_FORMATS) == list(KNOWN_FORMATS)


@pytest.mark.parametrize("url", [
    "https://a.org/img/logo.png",
    "https://a.org/img/LOGO.png",
    "https://a.org/img/siteLogo2.png",
    "https://a.org/img/CompanyLOGOSmall.png",
    "https://a.org/icons/a.gif",
    "https://a.org/a_button-2.gif",
    "https://a.org/wp-content/plugins/x/a.jpg",
    "https://a.org/avatar/7.jpg",
    "https://sex.example/a.jpg",
    "https://xxx.example/a.jpg",
    "https://a.org/share%20button.png",
    "https://a.org/resize?of=/img/logo.png",
])  # fmt: skip
def test_words_of_decoration_drop_an_image(url, document):
    assert UrlTokens().keep(Image(url=url), document()).reason == "unwanted_url"


@pytest.mark.parametrize("url", [
    "https://www.essex.ac.uk/classic.jpg",
    "https://a.org/Sussex/unisex.jpg",
    "https://a.org/silicon/iconography.png",
    "https://a.org/catalogos.png",
    "https://a.org/logology.png",
    "https://a.org/a.jpg",
    "",
])  # fmt: skip
def test_words_inside_words_do_not(url, document):
    assert UrlTokens().keep(Image(url=url), document())


@pytest.mark.parametrize(
    "build",
    [
        lambda: MinBytes(min_bytes=0),
        lambda: Formats(formats=()),
        lambda: Formats(formats=("jpg",)),
        lambda: UrlTokens(tokens=("Logo",)),
        lambda: UrlTokens(tokens=("two words",)),
        lambda: UrlTokens(tokens=("",)),
    ],
)
def test_senseless_values_are_refused(build):
    with pytest.raises(ValueError, match="expected"):
        build()
