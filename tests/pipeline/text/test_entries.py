import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from openm3w.errors import InputError, NotBuiltError
from openm3w.pipeline.archive import read_records
from openm3w.pipeline.page import Clock
from openm3w.pipeline.text.entries import read_entries
from openm3w.pipeline.text.recipe import load
from openm3w.pipeline.text.sources import find_texts, form_of
from openm3w.shards.document import Document, Provenance, Signals, Text, make_doc_id

ENGLISH = (
    "The quick brown fox jumps over the lazy dog while the sun is going down behind the hills. "
)
GERMAN = (
    "Der schnelle braune Fuchs springt über den faulen Hund, "
    "während die Sonne hinter den Hügeln untergeht. "
)


def entries(path, *overrides, text_column=""):
    (source,) = find_texts([str(path)], text_column).archives
    return list(read_entries(source, load(overrides=overrides), Clock(), text_column))


def fates(found):
    return [entry.record_reason or entry.reason or "kept" for entry in found]


def test_lines_in_the_piles_form(tmp_path):
    rows = [
        json.dumps({"text": ENGLISH * 4, "meta": {"pile_set_name": "X", "url": "http://x.org/a"}}),
        json.dumps({"text": GERMAN * 4, "meta": {}}),
        json.dumps({"text": ENGLISH, "meta": None}),
        json.dumps({"text": "", "meta": {}}),
        json.dumps({"meta": {}}),
        json.dumps({"text": 7}),
        '{"text": "cut',
        json.dumps(["text"]),
        json.dumps({"text": ENGLISH * 4 + "\ud800", "url": "http://x.org/b", "title": "T"}),
    ]
    path = tmp_path / "00.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress("\n".join(rows).encode()))

    found = entries(path)

    assert fates(found) == [
        "kept", "wrong_language", "too_few_words", "no_text", "no_text_field", "text_is_no_string",
        "malformed_json", "not_an_object", "kept",
    ]  # fmt: skip
    assert [entry.note.partition(":")[0] for entry in found if entry.note] == [
        f"row {n}" for n in (5, 6, 7, 8)
    ]
    first, last = found[0].document, found[-1].document
    assert (first.doc_id, first.url) == (make_doc_id("", "00.jsonl.zst", 0), "http://x.org/a")
    assert (last.url, last.title, last.provenance.offset) == ("http://x.org/b", "T", 8)
    assert last.texts[0].endswith("?")


@pytest.mark.parametrize(("language", "kept"), [("en", 1), ("de", 1), ("any", 2), ("fr", 0)])
def test_the_language_is_chosen(tmp_path, language, kept):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"text": t * 4}) + "\n" for t in (ENGLISH, GERMAN)))

    assert fates(entries(path, f"language={language}")).count("kept") == kept


@pytest.mark.parametrize(("words", "fate"), [(9, "too_few_words"), (10, "kept")])
def test_the_least_number_of_words_is_inclusive(tmp_path, words, fate):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": " ".join(ENGLISH.split()[:words])}))

    assert fates(entries(path, "text.min_words=10", "language=any")) == [fate]


def test_long_texts_are_cut(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": ENGLISH * 100}))

    (entry,) = entries(path, "text.max_words=60")

    assert len(entry.document.texts[0].split()) == 60


def page(text, head=""):
    body = f"<article><p>{text}</p></article>"
    return f"<html><head><title>T</title>{head}</head><body>{body}</body></html>"


def test_pages_without_their_images(tmp_path, archive):
    archive.page("http://x.org/a", page(ENGLISH * 6 + "<img src='a.jpg'>"))
    archive.page("http://x.org/b", page(ENGLISH * 6, '<meta name="robots" content="noai">'))
    archive.page("http://x.org/c", page(ENGLISH * 6, '<meta name="robots" content="noimageai">'))
    archive.page("http://x.org/d", page(ENGLISH * 6), status="404 Not Found")
    archive.image("http://x.org/a.jpg", b"\xff\xd8\xff")

    found = entries(archive.write(tmp_path / "x.warc.gz"))

    assert fates(found) == ["kept", "opt_out_noai", "kept", "http_status", "image"]
    document = found[0].document
    assert not document.images
    assert (document.url, document.title, document.provenance.source) == (
        "http://x.org/a",
        "T",
        "x.warc.gz",
    )


def test_wet_records_are_texts(tmp_path, archive):
    archive.add("http://x.org/a", (ENGLISH * 4).encode(), kind="conversion")

    (entry,) = entries(archive.write(tmp_path / "x.warc.wet.gz"))

    assert entry.document.texts[0].count("fox") == 4
    assert entry.document.url == "http://x.org/a"


@pytest.mark.parametrize(("spare", "fate"), [(0, "kept"), (-1, "too_large")])
def test_a_wet_text_longer_than_the_limit_is_dropped_not_cut(tmp_path, archive, spare, fate):
    for name, times in {"a": 8, "b": 4}.items():
        archive.add(f"http://x.org/{name}", (ENGLISH * times).encode(), kind="conversion")
    path = archive.write(tmp_path / "x.warc.wet.gz")
    longest = max(len(record.body) for record in read_records(path, max_body=10_000))

    found = entries(path, f"screen.max_bytes={longest + spare}")

    assert fates(found) == [fate, "kept"]
    assert found[0].url == "http://x.org/a"


def test_a_damaged_archive_ends_with_a_failed_record(tmp_path, archive):
    for n in range(3):
        archive.page(f"http://x.org/{n}", page(ENGLISH * 6 + str(n)))
    path = archive.write(tmp_path / "x.warc.gz")
    path.write_bytes(path.read_bytes()[: archive.offsets[2] + 40])

    found = entries(path)

    assert fates(found)[:2] == ["kept", "kept"]
    assert fates(found)[-1] == "damaged_archive"
    assert found[-1].note.startswith("damaged at byte")


FINEWEB = [
    {
        "text": ENGLISH * 4,
        "id": "<urn:uuid:0a1f6f0a-1d1c-4a4e-9a3f-7d6c0a6a7a11>",
        "dump": "CC-MAIN-2013-20",
        "url": "http://x.org/a",
        "date": "2013-05-18T05:48:54Z",
        "file_path": "s3://commoncrawl/x.warc.gz",
        "language": "en",
        "language_score": 0.9,
        "token_count": 80,
    },
    {"text": ENGLISH * 4, "language": "en", "language_score": 0.6},
    {"text": GERMAN * 4, "language": "deu", "language_score": 0.9},
]


@pytest.mark.parametrize("where", ["here", "memory", "web"])
def test_parquet_in_finewebs_form_here_and_elsewhere(tmp_path, memory_files, web_files, where):
    path = tmp_path / "00.parquet"
    pq.write_table(pa.Table.from_pylist(FINEWEB), path)
    if where != "here":
        files = {"memory": memory_files, "web": web_files}[where]
        path = files.put("00.parquet", path.read_bytes())

    found = entries(path)

    # The row's own language and score are judged; a code of three letters is none of ours.
    assert fates(found) == ["kept", "uncertain_language", "wrong_language"]
    assert found[0].document == Document(
        doc_id=make_doc_id("", "00.parquet", 0),
        url="http://x.org/a",
        spans=(Text(text=(ENGLISH * 4).strip()),),
        provenance=Provenance(
            source="00.parquet",
            record_id=FINEWEB[0]["id"],
            offset=0,
            crawl="CC-MAIN-2013-20",
            fetched="2013-05-18T05:48:54Z",
        ),
        signals=Signals(language="en", language_score=0.9),
    )


def test_dolmas_rows_in_parquet_with_a_nested_table(tmp_path):
    path = tmp_path / "dolma.parquet"
    meta = {"url": "http://x.org/a", "warc_date": "2020-01-17T12:48:45Z"}
    row = {"id": "1", "text": ENGLISH * 4, "source": "cc", "added": "2023-04-11", "metadata": meta}
    pq.write_table(pa.Table.from_pylist([row]), path)

    (entry,) = entries(path)

    assert (entry.document.url, entry.document.provenance.fetched) == (
        meta["url"],
        meta["warc_date"],
    )


@pytest.mark.parametrize("asked", ["", "body"])
def test_csv_with_a_known_or_a_named_column(tmp_path, asked):
    path = tmp_path / "news.csv"
    name = asked or "content"
    path.write_text(
        f'title,{name},date\nT,"{ENGLISH}\n\n{ENGLISH * 3}",2020-01-02\nU,one,two,three\nV,,\n'
    )

    found = entries(path, text_column=asked)

    assert fates(found) == ["kept", "wrong_number_of_fields", "no_text"]
    document = found[0].document
    assert (document.title, document.provenance.fetched) == ("T", "2020-01-02T00:00:00Z")
    assert "\n\n" in document.texts[0]
    assert found[1].note == "row 2: wrong_number_of_fields: found 4, expected 3"


def test_a_table_without_a_column_of_texts_is_told_before_any_work(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"body": "words"}\n')
    (tmp_path / "b.csv").write_text("id,body\n1,words\n")

    with pytest.raises(InputError, match=r"b\.csv: no column .* --text-column; it has id, body"):
        find_texts([str(tmp_path)])
    assert len(find_texts([str(tmp_path)], "body").archives) == 2


def test_rows_that_damage_took_are_counted_each(tmp_path):
    path = tmp_path / "t.parquet"
    rows = pa.table({"text": [f"{n} {ENGLISH}" for n in range(1000)]})
    pq.write_table(rows, path, compression="none", use_dictionary=False, row_group_size=500)
    data = bytearray(path.read_bytes())
    at = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data[at : at + 100] = b"\xff" * 100
    path.write_bytes(data)

    *_, last = found = entries(path, "language=any", "text.min_words=1")

    assert (len(found), last.record_reason, last.count) == (501, "damaged_file", 500)
    assert last.note.startswith("rows 501 to 1000: damaged_file: ")


def test_a_folder_may_hold_a_mixture(tmp_path, archive, memory_files):
    archive.page("http://x.org/a", page(ENGLISH * 6)).write(tmp_path / "a.warc.gz")
    pq.write_table(pa.table({"text": [ENGLISH]}), tmp_path / "b.parquet")
    (tmp_path / "c.jsonl").write_text("{}")
    (tmp_path / "d.tsv").write_text("id\ttext\n")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    far = memory_files.put("e.csv", b"text\n")

    found = find_texts([str(tmp_path), far])

    names = [source.name for source in found.archives]
    assert names == ["a.warc.gz", "b.parquet", "c.jsonl", "d.tsv", "e.csv"]
    assert found.skipped == ("photo.jpg",)


@pytest.mark.parametrize("where", ["", "/a.warc.gz"])
def test_archives_elsewhere_are_not_built(memory_files, where):
    memory_files.put("a.warc.gz", b"WARC/1.0")

    with pytest.raises(
        NotBuiltError, match=r"a\.warc\.gz: reading remote archives is not built yet"
    ):
        find_texts([memory_files.uri + where])


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("x.jsonl", b"", "table"),
        ("x.JSONL.GZ", b"", "table"),
        ("x.warc.gz", b"", "archive"),
        ("x", b"WARC/1.0\r\n", "archive"),
        ("x.txt", b"words", None),
    ],
)
def test_files_are_told_by_name_or_first_bytes(tmp_path, name, data, form):
    (tmp_path / name).write_bytes(data)

    assert form_of(tmp_path / name) == form
