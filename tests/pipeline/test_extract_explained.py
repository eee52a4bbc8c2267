import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from openm3w.pipeline.extract_explained import MEANINGS, OUTCOMES, ROLES, ExplainedLines
from openm3w.pipeline.extract_explained_text import ExplainedText
from openm3w.pipeline.extracting import Choice, extract_pages
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.recipe import Extract

WORDS = "Boats lay along the old wall, and the wind came from the north. "
PAGE = f"""<html><head><title>Boats</title></head><body>
<nav><a href="/"><img src="/home-banner.jpg"></a></nav>
<article><h1>Boats</h1><p>{WORDS * 5}</p>
<figure><img src="boat.jpg" srcset="boat.jpg 400w, large.jpg 1200w" alt="A boat" width="800">
<figcaption>At the wall</figcaption></figure>
<p>{WORDS * 5}<img src="dot.gif" width="1" height="1"></p>
<p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="nothing">{WORDS * 5}</p></article></body></html>"""


def explained(archive, tmp_path, form, *pages):
    for number, html in enumerate(pages, 1):
        archive.page(f"http://a.example/{number}", html)
    path = archive.write(tmp_path / "a.warc.gz")
    pieces = []
    counts = extract_pages([str(path)], pieces.append, Extract().engine, form=form)
    return counts, "".join(pieces)


def console(width=80):
    return Console(file=io.StringIO(), force_terminal=False, width=width)


def test_every_reason_and_role_has_a_meaning():
    assert set(MEANINGS) == set(Reason)
    assert set(ROLES) == {"content", "lead", "og"}


def test_each_image_of_a_page_is_kept_or_has_its_reason(archive, tmp_path):
    _, text = explained(archive, tmp_path, ExplainedLines(), PAGE)

    (page,) = map(json.loads, text.splitlines())
    images = {image["url"].rpartition("/")[2]: image for image in page["images"]}
    assert (page["title"], page["outcome"], page["elements"]) == ("Boats", "kept", 4)
    assert len(page["images"]) == 4
    assert [image["number"] for image in page["images"]] == [1, 2, 3, 4]
    assert images["large.jpg"]["kept"]
    assert images["large.jpg"]["role"] == "content"
    assert images["large.jpg"]["candidates"] == [
        "http://a.example/boat.jpg",
        "http://a.example/large.jpg",
    ]
    assert (images["large.jpg"]["alt"], images["large.jpg"]["caption"]) == ("A boat", "At the wall")
    assert images["home-banner.jpg"]["reason"] == "outside_content"
    assert images["dot.gif"]["reason"] == "tracking_pixel"
    assert "data_uri" in {image.get("reason") for image in page["images"]}


def test_people_read_title_address_reasons_with_meaning_and_totals(archive, tmp_path):
    counts, text = explained(archive, tmp_path, ExplainedText(console()), PAGE, "")

    assert text.startswith("Boats\nhttp://a.example/1\n")
    assert "kept     content: stands in the content; chosen among its 2 addresses\n" in text
    assert 'declared 800 x ?, alt "A boat", caption "At the wall"\n' in text
    assert f"left out tracking_pixel: {MEANINGS['tracking_pixel']}\n" in text
    assert f"http://a.example/2\ndropped: no_text: {OUTCOMES['no_text']}\n" in text
    assert "1 of 2 pages with content; 4 images: 1 kept, 3 left out\n" in text
    totals = text.splitlines()[-4:]
    assert totals[0].split()[:2] == ["content", "1"]
    assert sum(int(line.split()[1]) for line in totals[1:]) == counts.left_out.total() == 3


def test_a_terminal_of_80_columns_is_enough(archive, tmp_path):
    html = PAGE.replace("<title>Boats", f"<title>{'漁船と港の古い壁' * 20}")
    html = html.replace("/home-banner.jpg", f"/{'long-name-' * 40}.jpg").replace(
        "A boat", "船" * 150
    )

    _, text = explained(archive, tmp_path, ExplainedText(console()), html)

    assert max(map(cell_len, text.splitlines())) <= 80
    assert "long-name-" * 40 in text.replace("\n               ", "")


def test_nothing_from_a_page_reaches_a_terminal_as_it_is(archive, tmp_path):
    html = PAGE.replace("A boat", "\x1b]0;owned\x07A boat\u202e").replace(
        "<title>", "<title>\x1b[2J[red]"
    )
    html = html.replace("/home-banner.jpg", "/\x1b[31mx\u202e.jpg")

    _, text = explained(archive, tmp_path, ExplainedText(console()), html)

    assert not set(text) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "[red]Boats" in text  # as a page writes it, not as markup of ours


def test_a_page_that_is_not_extracted_is_explained_by_its_reason(archive, tmp_path):
    _, text = explained(archive, tmp_path, ExplainedLines(), PAGE, "<div>" * 2_000)

    lines = [json.loads(line) for line in text.splitlines()]
    assert (lines[1]["outcome"], lines[1]["reason"], lines[1]["images"]) == (
        "dropped",
        "too_deep",
        [],
    )


@pytest.mark.parametrize("form", [ExplainedLines, lambda: ExplainedText(console())])
def test_one_page_can_be_explained_alone(archive, tmp_path, form):
    archive.page("http://a.example/1", PAGE).page("http://a.example/2", PAGE)
    path, pieces = archive.write(tmp_path / "a.warc.gz"), []
    choice = Choice(page="http://a.example/2")

    extract_pages([str(path)], pieces.append, Extract().engine, form=form(), choice=choice)

    assert "http://a.example/2" in "".join(pieces)
    assert "http://a.example/1" not in "".join(pieces)
