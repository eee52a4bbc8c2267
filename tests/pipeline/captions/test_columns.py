import math

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.captions import columns
from openm3w.pipeline.captions.columns import captions_of, find_columns

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


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), True, "0.3", None])
def test_what_is_no_number_of_json_is_no_score(value):
    assert math.isnan(columns._number(value))
