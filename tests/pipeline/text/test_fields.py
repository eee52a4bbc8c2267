import datetime as dt
import json

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.text.fields import MAX_PART, About, about, find_text, text_of

PILE = {"text": "words", "meta": {"pile_set_name": "Wikipedia (en)"}}
DOLMA = {
    "id": "cc_en_head-0-1",
    "text": "words",
    "source": "common-crawl",
    "added": "2023-04-11T09:57:03.044571+00:00",
    "created": "2020-01-17T12:48:45Z",
    "metadata": {"url": "http://x.org/a", "warc_date": "2020-01-17T12:48:45Z", "length": 5},
}
FINEWEB = {
    "text": "words",
    "id": "<urn:uuid:0a1f6f0a-1d1c-4a4e-9a3f-7d6c0a6a7a11>",
    "dump": "CC-MAIN-2013-20",
    "url": "http://x.org/b",
    "date": "2013-05-18T05:48:54Z",
    "file_path": "s3://commoncrawl/crawl-data/x.warc.gz",
    "language": "en",
    "language_score": 0.912345,
    "token_count": 717,
}
C4 = {"text": "words", "timestamp": dt.datetime(2019, 4, 25, 12, 57, 54), "url": "http://x.org/c"}  # noqa: DTZ001


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (PILE, About(part="Wikipedia (en)")),
        (
            DOLMA,
            About(url="http://x.org/a", fetched="2020-01-17T12:48:45Z", part="common-crawl"),
        ),
        (
            {**DOLMA, "metadata": {}},
            About(fetched="2023-04-11T09:57:03Z", part="common-crawl"),
        ),
        (
            FINEWEB,
            About(
                url="http://x.org/b",
                record_id=FINEWEB["id"],
                crawl="CC-MAIN-2013-20",
                fetched="2013-05-18T05:48:54Z",
                language="en",
                language_score=0.9123,
            ),
        ),
        (C4, About(url="http://x.org/c", fetched="2019-04-25T12:57:54Z")),
    ],
)
def test_published_rows_say_what_they_know(row, said):
    assert about(row) == said
    assert text_of(row, "") == "words"


@pytest.mark.parametrize(
    ("meta", "url"),
    [
        ({"url": "http://a"}, "http://a"),
        (json.dumps({"url": "http://a"}), "http://a"),
        ("{broken", ""),
        ("{" * 100_000, ""),
        ("[1]", ""),
        ({"url": 7}, ""),
        (7, ""),
        (None, ""),
    ],
)
def test_a_nested_table_may_be_json_and_anything_else_is_nothing(meta, url):
    assert about({"meta": meta}).url == about({"metadata": meta}).url == url


def test_the_row_goes_before_what_is_nested():
    assert about({"url": "http://row", "meta": {"url": "http://meta"}}).url == "http://row"


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ({"meta": {"redpajama_set_name": "RedPajamaBook"}}, "RedPajamaBook"),
        ({"red_pajama_subset": "arxiv"}, "arxiv"),
        ({"source": "wiki", "meta": {"pile_set_name": "ArXiv"}}, "ArXiv"),
        ({"source": " two\nlines "}, "two lines"),
        ({"source": "a" * MAX_PART}, "a" * MAX_PART),
        ({"source": "a" * (MAX_PART + 1)}, ""),
        ({"source": "https://x.org/a"}, ""),
        ({"source": 7}, ""),
        ({"source": None}, ""),
    ],
)
def test_a_part_is_a_name_and_no_address(row, part):
    assert about(row).part == part


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2020-01-02T03:04:05+02:00", "2020-01-02T01:04:05Z"),
        ("2020-01-02 03:04:05", "2020-01-02T03:04:05Z"),
        ("2020-01-02", "2020-01-02T00:00:00Z"),
        (dt.date(2020, 1, 2), "2020-01-02T00:00:00Z"),
        (dt.datetime(2020, 1, 2, 3, tzinfo=dt.UTC), "2020-01-02T03:00:00Z"),
        ("0001-01-01T00:00:00+14:00", ""),
        ("last Tuesday", ""),
        ("", ""),
        (1_577_934_245, ""),
    ],
)
def test_dates_are_those_of_archives_or_none(cell, date):
    assert about({"date": cell}).fetched == date


@pytest.mark.parametrize(
    ("code", "score", "language"),
    [
        ("en", 1.0, ("en", 1.0)),
        ("en", "0.5", ("en", 0.5)),
        ("en", 0, ("en", 0.0)),
        ("en", 1.01, ("", 0.0)),
        ("en", float("nan"), ("", 0.0)),
        ("en", None, ("", 0.0)),
        ("eng_Latn", 0.9, ("", 0.0)),
        ("EN", 0.9, ("", 0.0)),
        (None, 0.9, ("", 0.0)),
    ],
)
def test_a_language_counts_with_its_code_and_score(code, score, language):
    found = about({"language": code, "language_score": score})

    assert (found.language, found.language_score) == language


@pytest.mark.parametrize(
    ("row", "asked", "text"),
    [
        ({"text": "a", "content": "b"}, "", "a"),
        ({"text": None, "content": "b"}, "", "b"),
        ({"body": "c"}, "", None),
        ({"text": "a", "body": "c"}, "body", "c"),
        ({"text": "a"}, "body", None),
    ],
)
def test_the_text_is_in_the_column_asked_for_or_one_known(row, asked, text):
    assert text_of(row, asked) == text


def test_a_table_without_a_text_is_told():
    assert find_text(dict.fromkeys(["id", "content"], "string"), "", "t.csv") == "content"
    with pytest.raises(InputError, match=r"t\.csv: no column .* --text-column; it has id, body"):
        find_text(dict.fromkeys(["id", "body"], "string"), "", "t.csv")


@pytest.mark.parametrize(
    ("have", "asked", "message"),
    [
        ({"text": "struct<a: string>"}, "", "'text' holds no texts but struct<a: string>"),
        ({"text": "list<string>"}, "", "'text' holds no texts but list<string>"),
        ({"text": "string", "d": "date32"}, "d", "'d' holds no texts but date32; name another"),
        ({"text": "twice"}, "", "two columns 'text'"),
        ({"text": "string", "url": "twice"}, "", "two columns 'url'"),
    ],
)
def test_a_column_that_never_holds_a_text_or_is_there_twice_is_told(have, asked, message):
    with pytest.raises(InputError, match=rf"t\.parquet: .*{message}"):
        find_text(have, asked, "t.parquet")


def test_what_is_not_read_may_be_there_twice():
    have = {"text": "string", "content": "twice", "other": "twice", "date": "date32"}

    assert find_text(have, "text", "t") == "text"


def test_what_spark_writes_as_bytes_is_text():
    row = {"url": b"http://x.org/", "meta": b'{"title": "t"}', "id": b"\xff"}

    assert (about(row).url, about(row).title, about(row).record_id) == ("http://x.org/", "t", "")
