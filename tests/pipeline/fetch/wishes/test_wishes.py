import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.pipeline.fetch.wishes.wishes import MAX_BYTES, Wishes, read_ai_txt, read_tdmrep

SITE = "https://a.example"

# The example of the TDMRep report, section "TDM File on the Origin Server".
REPORT = [
    {"location": "/directory-a/", "tdm-reservation": 1},
    {
        "location": "/directory-b/html/",
        "tdm-reservation": 1,
        "tdm-policy": "https://provider.com/policies/policy.json",
    },
    {"location": "/directory-b/images/*.jpg", "tdm-reservation": 0},
]


def tdm(rules, path):
    return Wishes(reservations=read_tdmrep(json.dumps(rules).encode())).signals(SITE + path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/directory-a/x.pdf", ("tdmrep.json tdm-reservation: 1",)),
        (
            "/directory-b/html/x",
            (
                "tdmrep.json tdm-reservation: 1",
                "tdmrep.json tdm-policy: https://provider.com/policies/policy.json",
            ),
        ),
        ("/directory-b/images/x.jpg", ("tdmrep.json tdm-reservation: 0",)),
        ("/directory-b/images/x.png", ()),
        ("/", ()),
    ],
)
def test_the_reports_example_is_read_as_it_says(path, expected):
    assert tdm(REPORT, path) == expected


def test_the_first_rule_that_matches_counts():
    rules = [
        {"location": "/a/open/", "tdm-reservation": 0},
        {"location": "/", "tdm-reservation": 1},
        {"location": "/b/open/", "tdm-reservation": 0},
    ]
    assert tdm(rules, "/a/open/x") == ("tdmrep.json tdm-reservation: 0",)
    assert tdm(rules, "/b/open/x") == ("tdmrep.json tdm-reservation: 1",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "1"), ("1", "1"), (True, "1"), (0, "0"), ("0", "0"), (False, "0")],
)
def test_a_reservation_is_read_also_as_a_string_or_a_boolean(value, expected):
    found = tdm([{"location": "/", "tdm-reservation": value}], "/x")
    assert found == (f"tdmrep.json tdm-reservation: {expected}",)


@pytest.mark.parametrize(
    "rule",
    [
        {"location": "/"},
        {"tdm-reservation": 1},
        {"location": 1, "tdm-reservation": 1},
        {"location": "/", "tdm-reservation": 2},
        {"location": "/", "tdm-reservation": [1]},
        "/",
        None,
        [],
    ],
)
def test_what_is_no_rule_is_passed_over(rule):
    assert tdm([rule], "/x") == ()
    assert tdm([rule, {"location": "/", "tdm-reservation": 1}], "/x") != ()


def test_a_rule_without_its_brackets_counts():
    assert tdm(REPORT[0], "/directory-a/x") == ("tdmrep.json tdm-reservation: 1",)


@pytest.mark.parametrize(
    ("policy", "recorded"),
    [("p" * 2000, True), ("p" * 2001, False), (7, False), ("", False)],
)
def test_a_policy_is_recorded_if_it_is_an_address_of_some_length(policy, recorded):
    found = tdm([{"location": "/", "tdm-reservation": 1, "tdm-policy": policy}], "/x")
    assert (f"tdmrep.json tdm-policy: {policy}" in found) is recorded


def test_a_policy_can_be_written_to_a_file():
    body = rb'[{"location": "/\udc00", "tdm-reservation": 1, "tdm-policy": "a\n\ud800"}]'
    (rule,) = read_tdmrep(body)
    assert rule.policy == "a ?"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"[",
        b"[" * 200_000,
        b'{"a":' * 80_000,
        b"7",
        b'"/"',
        b"null",
        b"[" + b"9" * 5_000 + b"]",
        b"\xff\xff",
    ],
)
def test_what_is_no_tdmrep_json_says_nothing(body):
    assert read_tdmrep(body) == ()


def test_a_tdmrep_json_that_is_too_long_says_nothing():
    rule = b'[{"location": "/", "tdm-reservation": 1}]'
    assert len(read_tdmrep(rule.ljust(MAX_BYTES))) == 1
    assert read_tdmrep(rule.ljust(MAX_BYTES + 1)) == ()


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_no_part_of_tdmrep_json(mark):
    assert len(read_tdmrep(mark + b'[{"location": "/", "tdm-reservation": 1}]')) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["location", "tdm-reservation", "tdm-policy", "x"]), inner, max_size=3
        )
    ),
)


@given(json_values)
def test_no_json_raises(value):
    found = tdm(value, "/x")
    "".join(found).encode()


# --- ai.txt ---

# What Spawning's generator writes where images and code are disallowed and text is allowed.
GENERATED = """\
# Spawning AI
# Prevent datasets from using the following file types

User-Agent: *
Allow: *.txt
Allow: *.html
Disallow: *.gif
Disallow: *.jpg
Disallow: *.c
"""


def ai_txt(text, path):
    body = text if isinstance(text, bytes) else text.encode()
    return Wishes(media=read_ai_txt(body)).signals(SITE + path)


@pytest.mark.parametrize(
    ("path", "disallowed"),
    [
        ("/x.jpg", True),
        ("/a/b/x.JPG", True),
        ("/x.jpg?width=100", True),
        ("/x.jpgx", False),
        ("/x.png", False),
        ("/x.txt", False),
        ("/x", False),
        ("/www.c-store.example/x.png", False),  # *.c is a suffix
        ("/x.c", True),
        ("/x?f=y.jpg", False),
    ],
)
def test_ai_txt_speaks_of_suffixes(path, disallowed):
    assert ai_txt(GENERATED, path) == (("ai.txt: disallow",) if disallowed else ())


@pytest.mark.parametrize("rule", ["Disallow: /", "Disallow: *", "disallow:/  # all"])
def test_ai_txt_can_disallow_everything(rule):
    assert ai_txt(f"User-Agent: *\n{rule}", "/x") == ("ai.txt: disallow",)


def test_a_suffix_that_is_allowed_is_more_than_a_site_that_is_not():
    text = "User-Agent: *\nAllow: *.jpg\nDisallow: /"
    assert ai_txt(text, "/x.JPG") == ()
    assert ai_txt(text, "/x.png") == ("ai.txt: disallow",)


def test_paths_of_ai_txt_keep_their_case():
    text = "User-Agent: *\nDisallow: /Private/"
    assert ai_txt(text, "/Private/x.jpg") == ("ai.txt: disallow",)
    assert ai_txt(text, "/private/x.jpg") == ()


def test_ai_txt_may_name_us_or_others():
    others = "User-Agent: GPTBot\nDisallow: /"
    assert ai_txt(others, "/x.jpg") == ()
    assert ai_txt(f"{others}\n\nUser-Agent: OpenM3W\nDisallow: *.jpg", "/x.jpg") != ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_ai_txt_end_as_they_like(end):
    text = GENERATED.replace("\n", end)
    assert ai_txt(text, "/x.jpg") != ()
    assert ai_txt(text, "/x.jpgx") == ()


@pytest.mark.parametrize("piece", ["\n", " ", "allow ", "Disallow: *.a\t", "Allow:*.a#"])
def test_an_ai_txt_of_one_thing_repeated_is_read(piece):
    # Each of them would take hours if a rule were looked for at every place anew.
    assert ai_txt(piece * (MAX_BYTES // len(piece)), "/x.jpg") == ()


def test_a_page_of_html_is_no_ai_txt():
    rules = b"User-Agent: *\nDisallow: /\n"
    assert ai_txt(rules, "/x") != ()
    assert ai_txt(b"\xef\xbb\xbf \n<html>\n" + rules, "/x") == ()


def test_an_ai_txt_that_is_too_long_says_nothing():
    rules = b"User-Agent: *\nDisallow: /\n"
    assert ai_txt(rules.ljust(MAX_BYTES), "/x") != ()
    assert ai_txt(rules.ljust(MAX_BYTES + 1), "/x") == ()


def test_no_file_says_nothing():
    assert Wishes().signals(f"{SITE}/x.jpg") == ()
