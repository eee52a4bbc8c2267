import gzip
import json
import os

import pytest

from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.pipeline.extracting import Choice, extract_pages
from openm3w.pipeline.recipe import Extract

ENGINE = Extract().engine
WORDS = "Boats lay along the old wall, and the wind came from the north. "
PAGE = f"<html><body><article><p>{WORDS * 10}</p></article></body>"
WITH_IMAGE = f"""<html><head><title>Boats</title></head><body><article><h1>Boats</h1>
<p>{WORDS * 5}</p><figure><img src="boat.jpg" alt="A boat" width="800" height="600">
<figcaption>A boat at the wall</figcaption></figure><p>{WORDS * 5}</p></article></body></html>"""
CANONICAL = '<link rel="canonical" href="https://a.example/boats/1.html">'


def extracted(*inputs, **options):
    """What a run counts, and the lines that it writes."""
    pieces = []
    counts = extract_pages([str(path) for path in inputs], pieces.append, ENGINE, **options)
    return counts, [json.loads(line) for line in "".join(pieces).splitlines()]


def write(path, html=WITH_IMAGE, head=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html.replace("<title>", f"{head}<title>"), encoding="utf-8")
    return path


def test_every_page_with_content_is_a_line(archive, tmp_path):
    path = (
        archive.page("http://a.example/1", PAGE)
        .page("http://a.example/2", "")
        .write(tmp_path / "a.warc.gz")
    )

    counts = extract_pages([str(path)], tmp_path / "docs.jsonl", ENGINE)

    (line,) = map(json.loads, (tmp_path / "docs.jsonl").read_text().splitlines())
    assert (line["url"], counts.pages, counts.written) == ("http://a.example/1", 2, 1)
    assert counts.lost.total() == 1
    assert counts.pages_per_second > 0


def test_a_line_holds_what_the_page_says_of_its_images(archive, tmp_path):
    path = archive.page("http://a.example/p/1.html", WITH_IMAGE).write(tmp_path / "a.warc.gz")

    _, (line,) = extracted(path)

    at = line["images"].index("http://a.example/p/boat.jpg")
    assert line["texts"][at] is None
    about = line["image_metadata"][at]
    assert about["candidates"] == ["http://a.example/p/boat.jpg"]
    assert (about["role"], about["alt"], about["caption"]) == (
        "content",
        "A boat",
        "A boat at the wall",
    )
    assert (about["declared_width"], about["declared_height"]) == (800, 600)


def test_files_are_pages_that_stood_where_they_say(tmp_path):
    path = write(tmp_path / "a.html", head=CANONICAL)

    counts, (line,) = extracted(path)

    assert line["url"] == line["metadata"]["url"] == "https://a.example/boats/1.html"
    assert "https://a.example/boats/boat.jpg" in line["images"]
    assert line["metadata"]["provenance"]["source"] == "a.html"
    assert counts.no_base == 0


def test_nothing_is_made_up_for_a_file_that_does_not_say_where_it_stood(tmp_path):
    counts, (line,) = extracted(write(tmp_path / "a.html"))

    assert line["url"] == line["metadata"]["url"] == ""
    assert not any(line["images"])
    assert (counts.no_base, counts.no_base_pages, counts.left_out["no_url"]) == (1, 1, 1)


@pytest.mark.parametrize("src", ["https://b.example/boat.jpg", "//b.example/boat.jpg"])
def test_absolute_images_of_such_a_file_are_kept(tmp_path, src):
    path = write(tmp_path / "a.html", WITH_IMAGE.replace("boat.jpg", src))

    counts, (line,) = extracted(path)

    assert [image for image in line["images"] if image] == ["https://b.example/boat.jpg"]
    assert counts.no_base == 0


def test_a_base_element_counts_in_such_a_file(tmp_path):
    path = write(tmp_path / "a.html", head='<base href="https://b.example/x/">')

    _, (line,) = extracted(path)

    assert "https://b.example/x/boat.jpg" in line["images"]


def test_copies_of_images_beside_a_page_get_no_address(tmp_path):
    (tmp_path / "a_files").mkdir()
    html = WITH_IMAGE.replace("boat.jpg", "a_files/boat.jpg")

    counts, (line,) = extracted(write(tmp_path / "a.html", html, CANONICAL))

    assert line["url"] == "https://a.example/boats/1.html"
    assert not any(line["images"])
    assert counts.no_base == 1


def test_an_address_can_be_given_for_a_single_file(tmp_path):
    path = write(tmp_path / "a.html", head=CANONICAL)

    _, (line,) = extracted(path, choice=Choice(url="https://b.example/2/"))

    assert line["url"] == "https://b.example/2/"
    assert "https://b.example/2/boat.jpg" in line["images"]


@pytest.mark.parametrize("others", [["b.html"], ["x.warc.gz"]])
def test_an_address_is_refused_for_anything_else(archive, tmp_path, others):
    archive.page("http://a.example/", PAGE).write(tmp_path / "x.warc.gz")
    write(tmp_path / "a.html")
    write(tmp_path / "b.html")
    inputs = (
        [tmp_path / "a.html", tmp_path / "b.html"]
        if others == ["b.html"]
        else [tmp_path / others[0]]
    )

    with pytest.raises(RecipeError, match="name one HTML file"):
        extracted(*inputs, choice=Choice(url="https://b.example/"))


def test_a_folder_gives_its_pages_and_archives_sorted_and_nothing_else(archive, tmp_path):
    archive.page("http://a.example/w", PAGE).write(tmp_path / "b.warc.gz")
    for name in ("z.html", "deep/c.HTM", "a.xhtml", ".hidden.html", "style.css", "drawing.svg"):
        write(tmp_path / name)

    _, lines = extracted(tmp_path)

    assert [line["metadata"]["provenance"]["source"] for line in lines] == [
        "a.xhtml",
        "b.warc.gz",
        "deep/c.HTM",
        "z.html",
    ]


def test_a_glob_gives_pages_and_a_named_file_needs_no_suffix(tmp_path):
    write(tmp_path / "a.html")
    write(tmp_path / "index.php")

    assert extracted(tmp_path / "*.html")[0].pages == 1
    assert extracted(tmp_path / "index.php")[0].pages == 1


def test_equal_files_in_another_folder_give_equal_lines(tmp_path):
    for folder in ("x", "y"):
        write(tmp_path / folder / "a.html", head=CANONICAL)

    assert extracted(tmp_path / "x")[1] == extracted(tmp_path / "y")[1]


def test_pages_can_be_chosen_by_address(archive, tmp_path):
    for number in (1, 2, 11):
        archive.page(f"http://a.example/p/{number}", PAGE)
    path = archive.write(tmp_path / "a.warc.gz")

    one, _ = extracted(path, choice=Choice(page="http://a.example/p/1"))
    two, _ = extracted(path, choice=Choice(contains="/1"))

    assert (one.pages, one.passed, two.pages, two.passed) == (1, 2, 2, 1)


def test_a_file_without_an_address_is_chosen_by_its_name(tmp_path):
    write(tmp_path / "a.html")
    write(tmp_path / "b.html")

    _, (line,) = extracted(tmp_path, choice=Choice(page="b.html"))

    assert line["metadata"]["provenance"]["source"] == "b.html"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            Choice(page="http://a.example/p/3"),
            r"none of the 2 pages .*; the nearest is http://a\S+/1",
        ),
        (Choice(contains="news"), "none of the 2 pages has 'news' in its address"),
    ],
)
def test_a_choice_of_nothing_is_an_error_that_helps(archive, tmp_path, choice, words):
    archive.page("http://a.example/p/1", PAGE).page("http://b.example/x", PAGE)
    path = archive.write(tmp_path / "a.warc.gz")

    with pytest.raises(InputError, match=words):
        extracted(path, choice=choice)


@pytest.mark.parametrize("name", ["a.warc.gz", "a.html"])
def test_an_input_is_not_overwritten_by_its_own_pages(archive, tmp_path, name):
    archive.page("http://a.example/", PAGE).write(tmp_path / "a.warc.gz")
    write(tmp_path / "a.html")
    before = (tmp_path / name).read_bytes()

    with pytest.raises(OutputError, match="is one of the inputs"):
        extract_pages([str(tmp_path)], tmp_path / name, ENGINE)

    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(page="http://a.example/"), "the only page, a.html, is not at http://a.example/$"),
        (Choice(contains="news"), "the only page, a.html, has no 'news' in its address$"),
    ],
)
def test_a_choice_among_one_page_is_told_so(tmp_path, choice, words):
    with pytest.raises(InputError, match=words):
        extracted(write(tmp_path / "a.html"), choice=choice)


def test_no_page_at_all_is_an_error_that_keeps_the_file_that_was_there(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"no archive at all")
    (tmp_path / "docs.jsonl").write_text("before")

    with pytest.raises(InputError, match=r"no HTML page in the input: a.warc.gz: damaged"):
        extract_pages([str(tmp_path / "a.warc.gz")], tmp_path / "docs.jsonl", ENGINE)

    assert (tmp_path / "docs.jsonl").read_text() == "before"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [("notes.txt", b"milk", "not a page or archive"), ("a.html", b"", "the file is empty")],
)
def test_a_named_file_must_be_a_page(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)

    with pytest.raises(InputError, match=words):
        extracted(tmp_path / name)


@pytest.mark.parametrize(("size", "written"), [(10_000_000, 1), (10_000_001, 0)])
def test_half_a_page_is_none_in_files_as_in_archives(archive, tmp_path, size, written):
    page = PAGE + " " * (size - len(PAGE))
    archive.page("http://a.example/", page).write(tmp_path / "a.warc.gz")
    (tmp_path / "b.html").write_text(page)

    counts, _ = extracted(tmp_path)

    assert (counts.pages, counts.written, counts.notes) == (2, 2 * written, [])
    assert counts.lost["too_large"] == 2 - 2 * written


def test_what_a_folder_holds_that_cannot_be_read_is_told_and_counted(tmp_path):
    write(tmp_path / "a.html")
    (tmp_path / "gone.html").symlink_to("nowhere.html")
    (tmp_path / "loop.html").symlink_to("loop.html")
    (tmp_path / "page.html").mkdir()
    os.mkfifo(tmp_path / "pipe.html")

    counts, lines = extracted(tmp_path)

    assert (len(lines), counts.unreadable) == (1, 2)
    assert counts.notes == [
        f"{tmp_path}/gone.html: is a link to nothing",
        f"{tmp_path}/loop.html: is a link to nothing",
    ]


def test_a_file_that_goes_away_while_others_are_read_costs_itself(tmp_path):
    write(tmp_path / "a.html")
    last = write(tmp_path / "b.html")

    counts, lines = extracted(tmp_path, progress=lambda _: last.unlink())

    assert (len(lines), counts.pages, counts.unreadable) == (1, 1, 1)
    assert counts.notes == [f"{last}: cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\x1f\x8b\x08", "gzip data"),
        (b"PK\x03\x04", "a zip file"),
        (b"%PDF-1.7", "a PDF file"),
        (b"WARC/1.0\r\nWARC-Type: response\r\n", "a WARC file"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n b=x\r\n", "an MHTML file"),
        (b"\x7fELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\x3e\0\1\0\0\0" * 40, "binary data"),
        (bytes(range(256)) * 4, "binary data"),
    ],
)
def test_what_is_called_a_page_and_is_none_is_told(tmp_path, start, kind):
    write(tmp_path / "a.html")
    (tmp_path / "b.html").write_bytes(start + b" words" * 99)

    counts, lines = extracted(tmp_path)

    assert (len(lines), counts.pages, counts.unreadable) == (1, 1, 1)
    assert counts.notes == [f"{tmp_path}/b.html: is {kind}, whatever its name says"]


def test_damage_is_told_without_the_bytes_of_the_file(tmp_path):
    write(tmp_path / "a.html")
    (tmp_path / "b.warc").write_bytes(bytes(range(256)) * 40)

    counts, _ = extracted(tmp_path)

    assert counts.notes == [
        "b.warc: damaged at byte 0: no record begins here; the rest was not read"
    ]


def test_an_archive_in_one_gzip_member_is_told_how_to_mend(archive, tmp_path):
    archive.page("http://a.example/1", PAGE).page("http://a.example/2", PAGE)
    whole = gzip.decompress(archive.write(tmp_path / "a.warc.gz").read_bytes())
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(whole))

    counts, _ = extracted(tmp_path / "a.warc.gz")

    assert "to be mended with: warcio recompress FILE NEW" in counts.notes[0]


def test_the_folder_of_the_output_is_not_made_up(tmp_path):
    page = write(tmp_path / "a.html")

    with pytest.raises(OutputError, match=f"there is no folder {tmp_path}/otu;"):
        extract_pages([str(page)], tmp_path / "otu/docs.jsonl", ENGINE)

    assert not (tmp_path / "otu").exists()


@pytest.mark.parametrize(
    "body",
    [
        PAGE.replace("<article>", "<article>\x1a\x01"),
        PAGE.replace("Boats", "Boats\0"),
        "\ufeff" + "\x01" * 1024 + PAGE,
        "MIME-Version: 1.0 and Content-Type: multipart/related are headers of mails." + PAGE,
    ],
)
def test_a_stray_control_character_makes_no_page_binary(tmp_path, body):
    (tmp_path / "a.html").write_text(body)

    assert extracted(tmp_path / "a.html")[0].written == 1


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_page_in_two_bytes_a_letter_is_not_binary(tmp_path, charset):
    (tmp_path / "a.html").write_bytes(PAGE.encode(charset))

    assert extracted(tmp_path / "a.html")[0].unreadable == 0


def test_files_that_are_passed_over_are_known_whatever_they_are(tmp_path):
    write(tmp_path / "a.html")
    write(tmp_path / "about")
    (tmp_path / "sub").mkdir()
    (tmp_path / "far").symlink_to("sub")
    os.mkfifo(tmp_path / "pipe.html")
    (tmp_path / "my.paths").write_text("a.html\nabout\n")

    assert extracted(tmp_path)[0].skipped == ("about", "far", "my.paths", "pipe.html")
    assert extracted(tmp_path / "*")[0].skipped == ("about", "far", "my.paths", "pipe.html", "sub")
    assert extracted(tmp_path / "my.paths")[0].skipped == ("about",)
    assert extracted(tmp_path / "a.html")[0].skipped == ()


@pytest.mark.parametrize("option", ["a", "b"])
def test_a_page_of_a_file_is_chosen_by_its_path_as_typed(tmp_path, monkeypatch, option):
    write(tmp_path / "site/a.html", head=CANONICAL)
    write(tmp_path / "site/b.html")
    monkeypatch.chdir(tmp_path)

    _, (line,) = extracted("site", choice=Choice(page=f"./site/{option}.html"))

    assert line["metadata"]["provenance"]["source"] == f"{option}.html"


def test_equal_pages_of_two_folders_are_two(tmp_path):
    write(tmp_path / "x/index.html")
    write(tmp_path / "y/index.html")

    _, lines = extracted(tmp_path / "x", tmp_path / "y")

    assert len({line["metadata"]["doc_id"] for line in lines}) == 2


def test_a_file_whose_name_is_no_text_is_read(tmp_path):
    for name in (b"a\xff.html", b"a\xfe.html"):
        with open(os.path.join(os.fsencode(tmp_path), name), "w") as file:  # noqa: PTH118, PTH123
            file.write(PAGE)

    counts = extract_pages([str(tmp_path)], tmp_path / "docs.jsonl", ENGINE)

    lines = [json.loads(line) for line in (tmp_path / "docs.jsonl").read_text().splitlines()]
    names = [line["metadata"]["provenance"]["source"] for line in lines]
    assert (counts.written, names) == (2, ["a\\xfe.html", "a\\xff.html"])


def test_only_addresses_that_need_that_of_the_page_count_as_without_it(tmp_path):
    images = '<img alt="none"><img src="http://["><img src="#top">'
    path = write(tmp_path / "a.html", WITH_IMAGE.replace("<figure>", f"{images}<figure>"))

    counts, _ = extracted(path)

    assert (counts.no_base, counts.left_out["no_url"]) == (1, 4)
