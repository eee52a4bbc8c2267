import dataclasses
import io
import re

import pytest
from rich.console import Console

from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.document import Document, Image, Signals, Text
from openm3w.shards.sample import Sample
from openm3w.shards.view import rendering

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\x9b[red]evil[/red]"


def shown(sample, **changes):
    about = {"kind": "interleaved", "dataset": "pages", "split": "train", "number": 3, "total": 9}
    return Shown(sample=sample, **{**about, **changes})


def printed(value, mode="auto", *, width=80, **options):
    console = Console(file=io.StringIO(), width=width, highlight=False, **options)
    rendering.print_sample(console, value, mode)
    return console.file.getvalue()


def test_a_document_reads_in_its_order(sample):
    text = printed(shown(sample(1)))
    order = [
        "Title 1",
        "https://www.site1.example/page/1",
        "3 of 9 · pages (interleaved) · train",
        "a.warc.gz at 100 · C-1",
        "2 pictures · language en (0.90) · quality 0.50",
        "opt-out: x-robots-tag: noai",
        "Opening words of document 1.",
        '[picture 1: 64 x 48 of 128 x 96, similarity 0.20, "alt 0"]',
        "caption 0",
        "More words — after a picture.",
        "[picture 2:",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_plain_output_has_no_escapes_and_no_trailing_space(sample):
    text = printed(shown(sample(1)))
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_lines_fit_the_terminal_and_stay_readable_on_a_wide_one(sample, width):
    long = dataclasses.replace(
        sample(1),
        document=dataclasses.replace(sample(1).document, url="https://a.example/" + "x" * 300),
    )
    lines = printed(shown(long), width=width).split("\n")
    assert max(map(len, lines)) <= min(max(width, 24), rendering.MAX_TEXT_COLUMNS + 4)


def test_pictures_are_blocks_where_asked_for_with_facts_below(sample):
    text = printed(
        shown(sample(1)), "blocks", force_terminal=True, color_system="truecolor", no_color=False
    )
    assert "▀" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "picture 1 · 64 x 48 of 128 x 96 · similarity 0.20" in plain
    assert "alt: alt 0" in plain
    assert "[picture" not in plain


def test_a_picture_that_does_not_decode_says_so(sample):
    broken = dataclasses.replace(sample(1), images=(b"<html>", sample(1).images[1]))
    text = printed(
        shown(broken), "blocks", force_terminal=True, color_system="truecolor", no_color=False
    )
    assert "(does not decode)" in text
    assert "▀" in text


@pytest.mark.parametrize("mode", ["none", "blocks"])
def test_nothing_of_the_web_reaches_the_terminal_uncleaned(mode, sample):
    evil = Sample(
        key="k",
        images=sample(1).images[:1],
        document=Document(
            doc_id="k",
            url=EVIL,
            title=EVIL,
            spans=(
                Text(text=EVIL),
                Image(url=EVIL, alt=EVIL, title=EVIL, caption=EVIL, scores={EVIL: 0.5}),
            ),
            provenance=dataclasses.replace(
                sample(1).document.provenance, source=EVIL, crawl=EVIL, fetched=EVIL
            ),
            signals=Signals(language=EVIL, opt_out=(EVIL,), licences=(EVIL,)),
            scores={EVIL: 0.1},
        ),
    )
    text = printed(
        shown(evil, dataset=EVIL, split=EVIL),
        mode,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
    )
    assert "[red]evil[/red]" in text
    without_colours = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not set(without_colours) & set("\x1b\x07\x9b\u202e")
    assert "\x1b[2J" not in text


@pytest.mark.parametrize(("text", "times"), [("Before.\n\nA cat.\n\nAfter.", 1), ("Before.", 1)])
def test_a_caption_that_is_in_the_text_too_is_shown_once(text, times):
    spans = (Image(url="u", alt="alt", caption="A cat."), Text(text=text))
    document = Document(doc_id="k", url="u", spans=spans)
    value = shown(Sample(key="k", document=document))
    assert printed(value).count("A cat.") == times


def test_kinds_without_a_title_are_named_by_kind_and_key():
    text = printed(shown(Sample(key="abc", document=Document(doc_id="abc")), kind="text"))
    assert text.split("\n")[0].strip() == "text abc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\nb", ["a", "b"]),
        ("a\nb", ["a\nb"]),
        ("a\n \t\n\n\nb\n", ["a", "b"]),
        ("  indented\n    more", ["  indented\n    more"]),
        ("\n\n", []),
        ("", []),
        ("a\r\n\r\nb", ["a", "b"]),
    ],
)
def test_paragraphs_are_parted_by_empty_lines(text, expected):
    assert list(rendering.paragraphs(text)) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image(url="u"), "[picture 1: not fetched]"),
        (Image(url="u", caption="c"), '[picture 1: not fetched, "c"]'),
        (Image(url="u", alt="a\nb", caption="c"), '[picture 1: not fetched, "a b"]'),
        (Image(url="u", scores={"similarity": 0.314}), "[picture 1: not fetched, similarity 0.31]"),
        (Image(url="u", scores={"bytes": 26582.0}), "[picture 1: not fetched, bytes 26,582]"),
        (
            Image(url="u", scores={"sharpness": 3236.98}),
            "[picture 1: not fetched, sharpness 3,236.98]",
        ),
        (Image(url="u", scores={"odd": float("nan")}), "[picture 1: not fetched, odd nan]"),
    ],
)
def test_a_picture_in_words(image, expected):
    assert rendering.picture_line(1, image) == expected
