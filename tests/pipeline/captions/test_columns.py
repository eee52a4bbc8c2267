import math
from decimal import Decimal

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.captions.columns import captions_of, find_columns, own_of, scores_of

LAION = ["URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "hash", "pwatermark", "punsafe"]
RELAION = ["key", "hash", "url", "caption", "similarity", "original_width", "original_height"]
COYO = ["id", "url", "text", "width", "height", "image_phash", "text_length"]
DATACOMP = ["uid", "url", "text", "original_width", "clip_b32_similarity_score", "sha256"]
CC2DATASET = ["uid", "url", "alt", "cc_filename", "page_url"]
FLICKR8K = ["image", "captions"]


@pytest.mark.parametrize(
    ("have", "url", "text", "page"),
    [
        (LAION, "URL", "TEXT", ""),
        (RELAION, "url", "caption", ""),
        (COYO, "url", "text", ""),
        (DATACOMP, "url", "text", ""),
        (CC2DATASET, "url", "alt", "page_url"),
        (FLICKR8K, "image", "captions", ""),
    ],
)
def test_public_tables_need_no_options(have, url, text, page):
    found = find_columns(dict.fromkeys(have, "string"), url="", text="", table="t")

    assert (found.url, found.text, found.page) == (url, text, page)


def test_what_is_asked_for_goes_before_what_is_known():
    found = find_columns(
        dict.fromkeys(["url", "text", "de"], "string"), url="", text="de", table="t"
    )

    assert found.names == ["url", "de"]


@pytest.mark.parametrize(
    ("have", "url", "text", "message"),
    [
        (
            ["a", "b"],
            "",
            "",
            "t.parquet: no column is known by name; name it with --url-column; it has a, b",
        ),
        (
            ["url", "b"],
            "",
            "",
            "t.parquet: no column is known by name; name it with --text-column; it has url, b",
        ),
        (["url", "text"], "uri", "", "t.parquet: no column 'uri'; it has url, text"),
    ],
)
def test_a_missing_column_is_an_error_that_lists_the_columns(have, url, text, message):
    with pytest.raises(InputError) as caught:
        find_columns(dict.fromkeys(have, "string"), url=url, text=text, table="t.parquet")

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("cell", "captions"),
    [
        ("a cat", ["a cat"]),
        (" a \n cat ", ["a cat"]),
        (["a cat", "", "two cats"], ["a cat", "two cats"]),
        ("a \ud800 cat", ["a ? cat"]),
        (None, []),
        ("", []),
        ([], []),
        (7, None),
        (["a cat", 7], None),
        ({"en": "a cat"}, None),
    ],
)
def test_captions_of_a_cell(cell, captions):
    assert captions_of(cell) == captions


@pytest.mark.parametrize(
    "value", [10**400, float("inf"), float("nan"), True, "much", "", "nan", "inf", [0.3], None]
)
def test_what_is_no_number_of_json_is_no_score(value):
    found = find_columns(
        dict.fromkeys(["url", "text", "similarity"], "string"), url="", text="", table="t"
    )

    assert math.isnan(scores_of({"similarity": value}, found)["similarity_b32"])


@pytest.mark.parametrize(
    ("column", "value", "scores"),
    [
        ("similarity", "0.31", {"similarity_b32": 0.31}),  # of CSV all is text
        ("similarity", 0.3100000143051147, {"similarity_b32": 0.31}),
        ("NSFW", "UNLIKELY", {"nsfw_tag": 0.0}),
        ("NSFW", "UNSURE", {"nsfw_tag": 0.5}),
        ("NSFW", "NSFW", {"nsfw_tag": 1.0}),
        ("AESTHETIC_SCORE", 6.5, {"aesthetic": 6.5}),
        ("similarity", Decimal("0.50"), {"similarity_b32": 0.5}),
    ],
)
def test_scores_are_numbers_texts_of_numbers_and_known_words(column, value, scores):
    found = find_columns(
        dict.fromkeys(["url", "text", column], "string"), url="", text="", table="t"
    )

    assert scores_of({column: value}, found) == scores


def test_a_word_that_is_none_of_the_columns_is_no_score():
    found = find_columns(
        dict.fromkeys(["url", "text", "NSFW"], "string"), url="", text="", table="t"
    )

    assert math.isnan(scores_of({"NSFW": "LIKELY"}, found)["nsfw_tag"])


def test_samples_carry_decimals_as_numbers_and_bytes_as_text():
    have = {"url": "string", "text": "string", "n": "double", "b": "string", "d": "date32[day]"}
    found = find_columns(have, url="", text="", table="t", own=["n", "b", "d"])

    row = {"n": Decimal("0.50"), "b": b"bytes"}
    assert own_of(row, found) == {"n": 0.5, "b": "bytes", "d": None}
    assert found.own == {"n": "double", "b": "string", "d": "string"}
    assert own_of({"n": Decimal("NaN")}, found)["n"] is None


@pytest.mark.parametrize(
    ("have", "message"),
    [
        ({"url": "struct<a: int8>"}, "t: column 'url' holds no texts but struct<a: int8>"),
        ({"url": "date32[day]"}, "but date32.day.; name another with --url-column"),
        ({"url": "list<string>"}, "'url' holds no texts but list<string>"),
        ({"text": "date32[day]"}, "'text' holds no texts but date32.day.; name another with --text"),
        ({"text": "map<string, string>"}, "'text' holds no texts but map<string, string>"),
        ({"url": "twice"}, "t: there are two columns 'url'; rename one of them"),
        ({"similarity": "twice"}, "there are two columns 'similarity'"),
    ],
)  # fmt: skip
def test_a_column_of_no_texts_or_there_twice_is_told_before_the_run(have, message):
    with pytest.raises(InputError, match=message):
        find_columns({"url": "string", "text": "string"} | have, url="", text="", table="t")


def test_captions_may_be_lists_and_what_is_not_read_there_twice():
    have = {"url": "string", "text": "list<string>", "other": "twice"}

    assert find_columns(have, url="", text="", table="t").names == ["url", "text"]
