from dataclasses import replace

import pytest

from openm3w.filters.screen import PageFacts, Screen

GOOD = PageFacts(
    url="https://example.org/a",
    status=200,
    content_type="text/html; charset=utf-8",
    sniffed_type="html",
    num_bytes=5000,
    truncated="",
    has_image_candidate=True,
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"status": 199}, "http_status"),
        ({"status": 206}, "http_status"),
        ({"status": 404}, "http_status"),
        ({"url": "http://example.org/"}, None),
        ({"url": "HTTPS://EXAMPLE.ORG/"}, None),
        ({"url": "ftp://example.org/"}, "bad_url"),
        ({"url": "file:///etc/passwd"}, "bad_url"),
        ({"url": "urn:pageinfo:x"}, "bad_url"),
        ({"url": "https:///path"}, "bad_url"),
        ({"url": "http://[::1"}, "bad_url"),
        ({"url": ""}, "bad_url"),
        ({"num_bytes": 0}, "empty_body"),
        ({"num_bytes": 1}, None),
        ({"num_bytes": 10_000_000}, None),
        ({"num_bytes": 10_000_001}, "too_large"),
        ({"has_image_candidate": False}, "no_image_candidate"),
        ({"truncated": "length"}, None),
    ],
)
def test_each_page_has_one_reason(change, reason):
    assert Screen().keep(replace(GOOD, **change)).reason == reason


@pytest.mark.parametrize(
    ("content_type", "sniffed_type", "is_html"),
    [
        ("text/html", "html", True),
        ("text/html", "other", True),
        ("text/html", "image", False),
        ("text/html, text/html", "html", True),
        ("application/xhtml+xml;charset=utf-8", "other", True),
        ("", "html", True),
        ("", "other", False),
        ("", "image", False),
        ("unknown/unknown", "html", True),
        ("text/plain", "html", False),
        ("application/pdf", "other", False),
        ("image/png", "html", False),
    ],
)
def test_html_is_told_by_header_and_bytes(content_type, sniffed_type, is_html):
    facts = replace(GOOD, content_type=content_type, sniffed_type=sniffed_type)
    assert Screen().keep(facts).reason == (None if is_html else "not_html")


def test_pages_without_images_pass_where_none_is_needed():
    assert Screen(needs_image=False).keep(replace(GOOD, has_image_candidate=False))


def test_a_bound_below_one_byte_is_refused():
    with pytest.raises(ValueError, match="max_bytes"):
        Screen(max_bytes=0)
