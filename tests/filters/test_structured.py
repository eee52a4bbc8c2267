import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.structured import parse_dictionary


@pytest.mark.parametrize(
    ("text", "members"),
    [
        # Examples of RFC 9651, section 3.2.
        ('en="Applepie", da=:w4ZibGV0w6ZydGU=:', {"en": '"Applepie"', "da": ":w4ZibGV0w6ZydGU=:"}),
        ("a=?0, b, c; foo=bar", {"a": "?0", "b": "?1", "c": "?1"}),
        (
            "rating=1.5, feelings=(joy sadness)",
            {"rating": "1.5", "feelings": "(joy sadness)"},
        ),
        (
            "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid",
            {"a": "(1 2)", "b": "3", "c": "4", "d": "(5 6)"},
        ),
        # Parameters and inner lists of sections 3.1.1 and 3.1.2.
        (
            'a=("foo"; a=1;b=2);lvl=5, b=("bar" "baz");lvl=1',
            {"a": '("foo"; a=1;b=2)', "b": '("bar" "baz")'},
        ),
        ("a=(), b=( x )", {"a": "()", "b": "( x )"}),
        # Bare items of section 3.3.
        (
            'i=42, n=-999999999999999, d=4.5, s="a \\"b\\" \\\\", t=foo123/456, x=*a:b',
            {
                "i": "42",
                "n": "-999999999999999",
                "d": "4.5",
                "s": '"a \\"b\\" \\\\"',
                "t": "foo123/456",
                "x": "*a:b",
            },
        ),
        ('d=@1659578233, u=%"f%c3%bc"', {"d": "@1659578233", "u": '%"f%c3%bc"'}),
        # Spaces: section 4.2; tabs and empty space between members: section 4.2.2.
        ("  a=1 \t,\t b=2  ", {"a": "1", "b": "2"}),
        ("", {}),
        ("   ", {}),
        ("a=1, b=2, a=3", {"a": "3", "b": "2"}),
        ("a=1;x=2, a", {"a": "?1"}),
        ("*k_-.*1=x", {"*k_-.*1": "x"}),
    ],
)
def test_a_dictionary_is_read_as_its_standard_says(text, members):
    assert parse_dictionary(text) == members


@pytest.mark.parametrize(
    "text",
    [
        *("A=1", "1=1", "-a=1", "=1", "a=", "a =1", "a= 1", "a=1 b=2", "a=1,", ",a=1", "a=1,,b=2"),
        *("a=1;", "a=1;X", "a=1; =2", "a=1\t", "\ta=1", "a=1\n", "a=é"),
        *(
            "a=1.",
            "a=1.2345",
            "a=1234567890123456",
            "a=1234567890123.1",
            "a=--1",
            "a=.5",
            "a=1.2.3",
        ),
        *('a="x', 'a="\\n"', 'a="\t"', "a=?2", "a=:*:", "a=:YQ==", "a=@1.5", "a=@"),
        *("a=(1", "a=(1,2)", "a=(1(2))", 'a=("a""b")', "a=1)"),
        *('a=%"%C3%BC"', 'a=%"%c3"', 'a=%"x'),
        "a=" + "x" * 10_000,
    ],
)
def test_what_is_no_dictionary_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        parse_dictionary(text)


@given(st.text(st.sampled_from('ab=,;() "\\?1.:@%yn-*\t'), max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        members = parse_dictionary(text)
    except ValueError:
        return
    again = ", ".join(f"{key}={value}" for key, value in members.items())
    assert parse_dictionary(again) == members
