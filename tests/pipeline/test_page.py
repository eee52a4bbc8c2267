from dataclasses import replace
from typing import get_args

import pytest

from openm3w.filters.floor import floor
from openm3w.filters.profiles import Profile
from openm3w.filters.rules.pages import PageRules
from openm3w.filters.screen import Screen
from openm3w.pipeline.archive import read_records
from openm3w.pipeline.extraction.extract import Engine
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.page import Clock, read_page, text_hash
from openm3w.pipeline.recipe import BuildRecipe, Extract
from openm3w.shards.document import Document, Text

WORDS = "The old bridge crosses the river where the market was held for three hundred years. " * 3
PAGE = f"<html><body><article><p>{WORDS}</p><img src=/a.png alt=Bridge><p>{WORDS} Again.</p></article></body></html>"
FLOOR = floor(BuildRecipe().floor_profiles())


def outcome(archive, tmp_path, html, *, bounds=FLOOR, screen=None, settings=None, **options):
    body = html if isinstance(html, bytes) else html.encode()
    path = archive.add("http://a.example/p/", body, **options).write(tmp_path / "a.warc.gz")
    (record,) = read_records(path, max_body=100_000_000)
    with Guard(settings or Extract()) as guard:
        return read_page(
            record,
            source="a.warc.gz",
            screen=screen or Screen(),
            guard=guard,
            floor=bounds,
            clock=Clock(),
        )


def test_a_page_becomes_a_document_with_its_provenance_and_signals(archive, tmp_path):
    page = outcome(archive, tmp_path, PAGE, headers=(("X-Robots-Tag", "noarchive"),))

    document = page.document
    assert page.outcome == "kept"
    assert [image.url for image in document.images] == ["http://a.example/a.png"]
    assert document.provenance.source == "a.warc.gz"
    assert document.provenance.fetched == "2024-05-06T07:08:09Z"
    assert (document.signals.language, document.signals.charset) == ("en", "utf-8")
    assert document.signals.opt_out == ("x-robots-tag: noarchive",)
    assert len(document.doc_id) == 32


@pytest.mark.parametrize(
    ("content_type", "outcome_and_reason"),
    [
        ("application/xhtml+xml; charset=utf-8", ("kept", "")),
        ("text/html", ("dropped", "no_text")),  # browsers show nothing either
    ],
)
def test_what_ends_itself_in_xhtml_does_so_where_the_page_is_served_as_that(
    archive, tmp_path, content_type, outcome_and_reason
):
    html = PAGE.replace("<body>", "<head><script src='a.js' /></head><body>")
    page = outcome(archive, tmp_path, html, content_type=content_type)

    assert (page.outcome, page.reason) == outcome_and_reason


def test_a_page_whose_only_image_is_the_one_to_share_is_a_candidate(archive, tmp_path):
    head = "<head><meta property=og:image content=/share.jpg></head>"
    page = outcome(
        archive, tmp_path, f"<html>{head}<body><p>{WORDS}</p><p>{WORDS}</p></body></html>"
    )

    assert page.outcome == "kept"
    assert [image.role for image in page.document.images] == ["og"]


@pytest.mark.parametrize(
    ("html", "options", "reason"),
    [
        (PAGE, {"status": "404 Not Found"}, "http_status"),
        (b"", {}, "empty_body"),
        ("<p>words only</p>", {}, "no_image_candidate"),
        ("<body background=/paper.gif><p>words only</p>", {}, "no_image_candidate"),
        ("<img src=/a.png>", {}, "no_text"),
        (PAGE, {"headers": (("X-Robots-Tag", "noai"),)}, "opt_out_noai"),
        (PAGE, {"headers": (("Content-Usage", "train-ai=n"),)}, "opt_out_content_usage"),
        (PAGE.replace("<img", "<!-- <img").replace("Bridge>", "-->"), {}, "no_content_image"),
    ],
)
def test_a_dropped_page_has_one_reason(archive, tmp_path, html, options, reason):
    page = outcome(archive, tmp_path, html, **options)

    assert (page.outcome, page.reason) == ("dropped", reason)


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<div>" * 1_000_000, "too_deep"),
        ("<p>words" * 6_250_000, "too_large"),
        ("<br>" * 1_000_000, "too_large"),
    ],
    ids=["1M nested", "50 MB", "1M tags"],
)
@pytest.mark.parametrize("engine", get_args(Engine))
def test_a_hostile_page_is_dropped_with_a_reason(archive, tmp_path, html, reason, engine):
    screen = Screen(max_bytes=100_000_000)
    page = outcome(archive, tmp_path, PAGE + html, screen=screen, settings=Extract(engine=engine))

    assert (page.outcome, page.reason) == ("dropped", reason)


def test_every_signal_of_the_headers_is_recorded_as_written(archive, tmp_path):
    headers = (
        ("X-Robots-Tag", "otherbot: noai, noindex"),
        ("X-Robots-Tag", "unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT"),
        ("TDM-Reservation", "0"),
        ("TDM-Policy", "https://a.example/policy"),
        ("Content-Usage", "search=n"),
    )
    page = outcome(archive, tmp_path, PAGE, headers=headers)

    assert page.outcome == "kept"
    expected = tuple(f"{name.lower()}: {value}" for name, value in headers)
    assert page.document.signals.opt_out == expected


@pytest.mark.parametrize(
    ("language", "reason"), [(True, "wrong_language_screened"), (False, "wrong_language")]
)
def test_the_language_is_screened_where_that_is_asked_for(archive, tmp_path, language, reason):
    words = "Der Hafen war am Morgen ruhig, und die Boote lagen an der alten Mauer. " * 20
    html = PAGE.replace("<html>", "<html lang=de>").replace(WORDS, words)
    page = outcome(archive, tmp_path, html, screen=Screen(language=language))

    assert (page.outcome, page.reason) == ("dropped", reason)


@pytest.mark.parametrize("others", [(), (Profile(),)])
def test_an_address_that_every_profile_denies_is_not_read(archive, tmp_path, others):
    denied = [replace(Profile(), pages=PageRules(deny_tokens=(t,))) for t in ("example", "a")]
    page = outcome(archive, tmp_path, b"", bounds=floor([*denied, *others]))

    assert (page.outcome, page.reason) == ("dropped", "empty_body" if others else "denied_token")


def test_what_would_hang_a_parser_does_not_reach_it(archive, tmp_path):
    html = PAGE + "<div " + " ".join(f"a{number}=1" for number in range(200_000))

    page = outcome(archive, tmp_path, html, settings=Extract(engine="trafilatura"))

    assert (page.outcome, page.reason) == ("dropped", "too_many_attributes")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_a_page_of_two_bytes_a_letter_shows_its_images_to_the_screen(archive, tmp_path, codec):
    page = outcome(archive, tmp_path, ("\ufeff" + PAGE).encode(codec))

    assert (page.outcome, page.reason) == ("kept", "")


def test_a_payload_that_cannot_be_read_is_a_failure(archive, tmp_path):
    page = outcome(archive, tmp_path, b"<html><img> no brotli", headers=(("Content-Encoding", "br"),), screen=Screen(needs_image=False))  # fmt: skip

    assert (page.outcome, page.reason) == ("failed", "unreadable_payload")
    assert page.error


def test_without_a_floor_any_text_or_image_is_enough(archive, tmp_path):
    assert outcome(archive, tmp_path, PAGE, bounds=None).outcome == "kept"


def test_image_elements_add_up(archive, tmp_path):
    page = outcome(
        archive, tmp_path, PAGE.replace("<article>", "<nav><img src=/logo.png></nav><article>")
    )

    assert page.elements == len(page.document.images) + sum(page.left_out.values()) == 2


def test_the_hash_of_a_text_ignores_spaces_and_case_only():
    def digest(*texts):
        return text_hash(Document(doc_id="x", spans=tuple(Text(text=t) for t in texts)))

    assert digest("A  Cat", "sat") == digest("a cat\n\nSAT")
    assert digest("a cat sat") != digest("a cat sits")
