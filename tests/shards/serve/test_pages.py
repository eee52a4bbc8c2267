import io
import json
import re
import shutil

import pytest
from PIL import Image as PillowImage

from openm3w.errors import InputError
from openm3w.shards import decoding, manifest
from openm3w.shards.catalog.difference import difference
from openm3w.shards.catalog.dropped import dropped_of
from openm3w.shards.document import Document, Image, Text
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.serve.pages.search import snippet
from openm3w.shards.serve.presenting import excerpt, link
from openm3w.shards.serve.site import open_site
from openm3w.shards.writer import write_shard


def documents(answer):
    """Numbers of the documents that a list leads to, in its order."""
    return [int(number) for number in re.findall(r'href="/documents/kept/(\d+)', answer.text)]


def test_the_gallery_has_every_document_but_the_excluded_one(served):
    first, second = served.get("/"), served.get("/", page=2)
    assert documents(first) + documents(second) == [n for n in range(30) if n != 4]
    assert 'rel="next"' in first.text
    assert 'rel="next"' not in second.text
    assert documents(served.get("/", page=99)) == documents(second)
    for odd in ("0", "-1", "x", "", "9" * 30):
        assert documents(served.get("/", page=odd)) == documents(first)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("split:val images:2", [21, 23, 25, 27, 29]),
        ("similarity:0.21..", list(range(1, 30, 2))),
        ('"document 7"', [7]),
        ("domain:site1.example split:val", [22, 25, 28]),
        ("nothing has this", []),
    ],
)
def test_a_filter_finds_its_documents(served, query, found):
    answer = served.get("/", q=query)
    assert documents(answer) == found[:24]
    assert ("Nothing here" in answer.text) == (not found)


def test_a_filter_that_is_none_says_why(served):
    answer = served.get("/", q="langage:en")
    assert answer.status == 200
    assert "did you mean &#39;language&#39;?" in answer.text
    assert len(documents(answer)) == 23


def test_a_facet_sets_a_condition_and_takes_it_away(served):
    text = served.get("/", q="words").text
    assert 'href="/?q=split%3Aval+words"' in text
    chosen = served.get("/", q="split:val words").text
    assert re.search(r'class="chip on" href="/\?q=words"', chosen)


def test_a_document_reads_in_its_order(served):
    text = served.get("/documents/kept/7").text
    parts = [
        "Title 7", 'href="https://www.site1.example/page/7"', "Opening words of document 7.",
        'src="/pictures/kept/7/0"', "caption 0", "alt: alt 0", "More words", 'src="/pictures/kept/7/1"',
        "JSON as it stands",
    ]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert 'target="_blank" rel="noreferrer noopener"' in text
    assert "x-robots-tag: noai" in text
    assert "a.warc.gz at 700, 99 bytes" in text


def test_next_and_previous_are_those_of_the_filter(served):
    text = served.get("/documents/kept/23", q="split:val images:2").text
    assert re.search(r'rel="prev" href="/documents/kept/21\?', text)
    assert re.search(r'rel="next" href="/documents/kept/25\?', text)
    assert "2 of 5 found" in text
    plain = served.get("/documents/kept/3").text
    assert 'rel="next" href="/documents/kept/5"' in plain, "4 is on the exclude list"
    assert 'rel="prev"' not in served.get("/documents/kept/0").text
    assert 'rel="next"' not in served.get("/documents/kept/29").text


@pytest.mark.parametrize(
    "path",
    ["/documents/kept/4", "/raw/kept/4", "/pictures/kept/4/0", "/documents/kept/30", "/documents/x/0",
     "/documents/kept/-1", "/pictures/kept/0/1", "/documents/kept/" + "9" * 30, "/static/../app.py",
     "/static/%2e%2e%2fapp.py", "/search/x"],
)  # fmt: skip
def test_what_is_not_there_or_excluded_is_not_found(served, path):
    answer = served.get(path)
    assert answer.status == 404
    assert "Title 4" not in answer.text


def test_raw_json_is_text(served):
    answer = served.get("/raw/kept/0")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert json.loads(answer.body)["metadata"]["title"] == "Title 0"


def test_the_search_shows_where_the_words_stand(served):
    answer = served.get("/search", q="document 7")
    assert documents(answer) == [7]
    assert "Opening words of <mark>document</mark> <mark>7</mark>." in answer.text
    assert "What are you looking for?" in served.get("/search").text
    assert "Nothing found" in served.get("/search", q="zzzz").text


def test_a_snippet_is_cut_around_the_word():
    text = "word " * 200 + "the Needle is here " + "word " * 200
    pieces = list(snippet(text, ["needle"]))
    assert [piece for piece, hit in pieces if hit] == ["Needle"]
    said = "".join(piece for piece, _ in pieces)
    assert said.startswith("… ")
    assert said.endswith(" …")
    assert len(said) < 240
    assert list(snippet("short", [])) == [("short", False)]
    assert list(snippet("a.b", ["a.b"])) == [("", False), ("a.b", True), ("", False)]


def test_numbers_at_another_threshold_are_those_of_the_page(served):
    page = served.get("/numbers", measure="similarity", at="0.205").text
    answer = json.loads(served.get("/numbers/at", measure="similarity", at="0.205").body)
    texts = answer["texts"]
    assert (texts["documents-kept"], texts["documents-lost"]) == ("15", "14")
    assert (texts["images-kept"], texts["images-lost"]) == ("15", "29")
    for name, text in texts.items():
        assert re.search(rf'id="{name}"[^>]*>{re.escape(text)}<', page), name
    for name, attributes in answer["attributes"].items():
        for attribute, value in attributes.items():
            shown = value.replace("&", "&amp;")
            tag = next(tag for tag in re.findall(r"<[^>]*>", page) if f'id="{name}"' in tag)
            assert f'{attribute}="{shown}"' in tag
    kept, lost = (answer["attributes"][f"see-{name}"]["href"] for name in ("kept", "lost"))
    assert "15 documents found" in served.get(kept).text
    assert len(documents(served.get(lost))) == 24, "each has a picture of 0.2"


@pytest.mark.parametrize("asked", [{}, {"at": "nan"}, {"at": "x"}, {"at": "1", "q": "x:y"}])
def test_a_threshold_that_is_none_is_refused(served, asked):
    assert served.get("/numbers/at", measure="similarity", **asked).status == 400


def test_the_bars_lead_to_the_documents_that_they_count(served):
    page = served.get("/numbers", measure="similarity").text
    bars = re.findall(r'<a href="([^"]*)" tabindex="-1"><title>[^:]*: ([\d,]+)<', page)
    counts = [int(count) for _, count in bars]
    assert sum(counts) == 44
    led = [
        documents(served.get(href.replace("&amp;", "&"))) for href, count in bars if count != "0"
    ]
    assert [len(numbers) for numbers in led] == [24, 15], "29 by pages of 24, and 15"


def test_the_numbers_of_nothing_are_an_empty_page(served):
    assert "Nothing to count" in served.get("/numbers", q="nothing has this").text
    assert served.get("/numbers", measure="no_such").status == 200


def test_dropped_documents_stand_by_reason_beside_kept_ones(served):
    answer = served.get("/dropped")
    assert answer.text.count('href="/documents/dropped/') == 3
    assert re.search(r"shards: no image <span[^>]*>2</span>", answer.text)
    one = served.get("/dropped", reason="dedup: duplicate_url")
    assert re.findall(r"/documents/dropped/(\d+)", one.text) == ["0"]
    assert documents(one), "kept ones stand beside"
    assert "dropped: shards: no image" in served.get("/documents/dropped/1").text


def test_a_sample_of_dropped_ones_is_found_beside_any_store(folders, tmp_path):
    (kept,) = manifest.load(folders / "a")
    assert [found.name for found in dropped_of([kept])] == ["dropped by test"]
    (other,) = manifest.load(folders / "b")
    assert not list(dropped_of([other]))
    beside = tmp_path / "x.work" / "dropped"
    shutil.copytree(folders / "a.work" / "dropped" / "a-0123abcd", beside / "b-0123abcd")
    shutil.copytree(folders / "b", tmp_path / "b")
    shutil.copytree(folders / "a.work" / "dropped" / "a-0123abcd", beside / "b-large-0123abcd")
    assert len(list(dropped_of(manifest.load(tmp_path / "b")))) == 1, "and not that of b-large"


def test_two_runs_are_held_side_by_side(served):
    found = difference(served.site.kept.facts, served.site.other.facts)
    # Run b has documents 5 to 32; 4 of run a is excluded.
    assert list(found.only_first) == [0, 1, 2, 3]
    assert list(found.only_second) == [25, 26, 27]
    # Their places in a shard differ by five, and so the numbers of their pictures.
    assert list(found.differing) == [(number, number - 5) for number in range(5, 30)]
    assert found.num_same == 0
    itself = difference(served.site.kept.facts, served.site.kept.facts)
    assert (itself.num_same, len(itself.only_first) + len(itself.differing)) == (29, 0)
    text = served.get("/compare").text
    assert re.search(r"only in A <span[^>]*>4<", text)
    assert re.search(r"only in B <span[^>]*>3<", text)
    assert '>30</td><td class="n">28</td><td class="n">-2</td>' in text
    only = served.get("/compare", show="second").text
    assert re.findall(r"/documents/other/(\d+)", only) == ["25", "26", "27"]


def test_the_same_document_of_the_other_run_is_one_click_away(served):
    assert 'href="/documents/other/2"' in served.get("/documents/kept/7").text
    assert 'href="/documents/kept/7"' in served.get("/documents/other/2").text
    assert "/documents/other/" not in served.get("/documents/kept/0").text


def test_a_tar_without_a_manifest_is_shown(folders, serve, tmp_path):
    shutil.copy(folders / "b" / "data" / "train-000000.tar", tmp_path / "lone.tar")
    with serve(open_site(str(tmp_path / "lone.tar"))) as running:
        assert len(documents(running.get("/"))) == 24
        assert "Title 12" in running.get("/documents/kept/7").text
        picture = running.get("/pictures/kept/7/0")
        assert picture.status == 200
        assert picture.headers["cache-control"] == "no-store", "a redacted one is in no browser"
        assert documents(running.get("/search", q="document 12")) == [7]
        assert ">28<" in running.get("/compare").text


def test_the_text_that_a_picture_is_most_like_is_shown(serve, tmp_path):
    image = Image(
        url="", scores={"similarity": 0.4}, matched_text="A <b>cat</b>.", matched_from="after"
    )
    sample = Sample(
        key="0" * 32, document=Document(doc_id="0" * 32, spans=(image,)), images=(encoded("JPEG"),)
    )
    entry = write_shard(
        tmp_path, "data/train-000000.tar", [sample], kind="interleaved", split="train"
    )
    manifest.write(Manifest(name="m", kind="interleaved", shards=(entry,), root=tmp_path))
    with serve(open_site(str(tmp_path))) as running:
        text = running.get("/documents/kept/0").text
    assert re.search(
        r"most like the text after it:</span> <span[^>]*>A &lt;b&gt;cat&lt;/b&gt;\.<", text
    )


def encoded(kind, size=(8, 8)):
    buffer = io.BytesIO()
    PillowImage.new("RGB", size, "red").save(buffer, kind)
    return buffer.getvalue()


PICTURES = {
    "image/jpeg": encoded("JPEG"),
    "image/png": encoded("PNG"),
    "image/gif": encoded("GIF"),
    "image/webp": encoded("WEBP"),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<html><script>alert(1)</script>",
    "tiff": encoded("TIFF"),
    "empty": b"",
    "huge": encoded("PNG").replace((8).to_bytes(4, "big") * 2, (30_000).to_bytes(4, "big") * 2),
}


@pytest.fixture(scope="module")
def pictured(tmp_path_factory, serve):
    """A document with one picture of each kind, whatever its name in the shard says."""
    root = tmp_path_factory.mktemp("pictured")
    spans = (Text(text="A"), *(Image(url="") for _ in PICTURES))
    sample = Sample(
        key="0" * 32,
        document=Document(doc_id="0" * 32, spans=spans),
        images=tuple(PICTURES.values()),
    )
    entry = write_shard(root, "data/train-000000.tar", [sample], kind="interleaved", split="train")
    made = Manifest(name="pictured", kind="interleaved", shards=(entry,), root=root)
    manifest.write(made)
    with serve(open_site(str(root))) as running:
        yield running


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_the_type_of_its_bytes_or_is_refused(pictured, name):
    answer = pictured.get(f"/pictures/kept/0/{list(PICTURES).index(name)}")
    if name.startswith("image/"):
        assert (answer.status, answer.headers["content-type"]) == (200, name)
        assert answer.body == PICTURES[name]
    else:
        assert answer.status == 415
        assert b"alert" not in answer.body


def test_a_jpeg_of_several_pictures_is_a_jpeg():
    buffer = io.BytesIO()
    first, second = (PillowImage.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    assert decoding.media_type(buffer.getvalue()) == "image/jpeg"


def test_pages_say_how_far_the_reading_is(folders, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENM3W_CACHE", str(tmp_path))
    site = open_site(str(folders / "b"))
    with serve(site, fill=False) as running:
        assert "reading run b: 0 of 28" in running.get("/").text
        assert len(documents(running.get("/"))) == 24, "by number, without facts"
        assert "look again in a moment" in running.get("/", q="words").text
        stop = site.start_filling()
        while json.loads(running.get("/progress").body)["busy"]:
            pass
        stop()
        assert "reading" not in running.get("/").text
        assert len(documents(running.get("/", q="words"))) == 24


def test_a_shard_that_went_is_an_error_page(folders, serve, tmp_path):
    shutil.copytree(folders / "b", tmp_path / "b")
    with serve(open_site(str(tmp_path / "b"))) as running:
        (tmp_path / "b" / "data" / "train-000000.tar").unlink()
        answer = running.get("/documents/kept/0")
    assert answer.status == 500
    assert "This cannot be shown" in answer.text
    assert "missing; the manifest lists it" in answer.text


class Nearest:
    """Answers with the last documents, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def search_text(self, text, limit, /):
        self.asked.append(text)
        return [Hit(number) for number in (7, 4, 2)][:limit]

    def search_image(self, data, limit, /):
        if isinstance(data, str):
            raise InputError("no picture that decodes")
        self.asked.append(data[:2])
        return [Hit(9, picture=2)][:limit]


class Hit:
    def __init__(self, number, picture=0):
        self.number, self.score, self.picture = number, number / 100, picture


def test_with_a_searcher_it_is_searched_by_meaning_and_by_picture(folders, serve):
    searcher = Nearest()
    with serve(open_site(str(folders / "a")).with_searcher(searcher)) as running:
        answer = running.get("/search", q="a red tram: x:y", by="meaning")
        assert documents(answer) == [7, 2], "the excluded one never answers"
        assert "cosine 0.070" in answer.text
        assert "more like this" in running.get("/documents/kept/0").text
        like = running.get("/search", like="kept/7/1")
        assert documents(like) == [9]
        assert 'src="/pictures/kept/9/1"' in like.text, "the picture that is near"
        assert '/documents/kept/9#picture-2"' in like.text
        for odd in ("kept/7/2", "kept/4/0", "kept/99/0", "x/0/0", "kept", "kept/-1/0"):
            assert running.get("/search", like=odd).status == 404
        searcher.search_text = searcher.search_image
        fault = running.get("/search", q="x", by="meaning")
    assert searcher.asked == ["a red tram: x:y", b"\xff\xd8"]
    assert fault.status == 200
    assert "no picture that decodes" in fault.text


def test_without_a_searcher_words_are_what_there_is(served):
    answer = served.get("/search", q="document 7", by="meaning")
    assert documents(answer) == [7]
    assert 'name="by"' not in answer.text
    assert "more like this" not in served.get("/documents/kept/0").text


@pytest.mark.parametrize(
    ("url", "opens"),
    [
        ("https://example.org/a?b=c#d", True),
        ("HTTP://example.org", True),
        ("http://münchen.example/ü", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("ftp://example.org/", False),
        ("//example.org/", False),
        ("/a", False),
        ("http://", False),
        ("http://[::1", False),
        ("java\nscript:alert(1)", False),
        ("http://example.org/\u202egpj.exe", False),
        ("http://example.org/a b", False),
        (" http://example.org/", False),
        ("", False),
    ],
)
def test_only_plain_addresses_of_the_web_open(url, opens):
    assert bool(link(url).href) == opens


def test_an_excerpt_begins_behind_the_heading():
    def of(*texts):
        spans = tuple(Text(text=text) for text in texts)
        return excerpt(Document(doc_id="0", title="A title | Site", spans=spans))

    assert of("A title\n\nThe text.") == "The text."
    assert of("A title", "The text.") == "The text."
    assert of("Another", "The text.") == "Another The text."
    assert of() == ""
    assert of("word " * 100).endswith("word …")
