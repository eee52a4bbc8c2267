import pytest

from openm3w.filters.quality.kosmos import Gibberish


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        ("\U0001f600", "too_many_emoji"),
        ("\u2764\ufe0f", "too_many_emoji"),
        ("#holiday", "too_many_hashtags"),
        ("https://example.org/", "too_many_links"),
        ("HTTP://example.org/", "too_many_links"),
        ("www.example.org", "too_many_links"),
    ],
)
def test_one_sign_for_ten_words_is_kept(sign, reason, facts, filler):
    rule = Gibberish()
    words = facts(sign).kinds.spoken
    for signs, expected in ((10, None), (11, reason)):
        others = filler(100 - words * signs)
        text = facts(" ".join([*others, *[sign] * signs]))
        assert text.kinds.spoken == 100
        assert rule.keep(text).reason == expected


@pytest.mark.parametrize(
    "text",
    [
        "#1 #2 #3",  # no letter
        "C# F# a#b",
        "&#x27; https://example.org/#part is one link",
        "\u2122 \u00a9 \u2192 \u2022",
        "wwwhat",
    ],
)
def test_what_is_no_such_sign(text, facts, filler):
    assert Gibberish().keep(facts(f"{text} {' '.join(filler(5))}")).reason is None


def test_an_emoji_with_its_colour_and_what_is_joined_to_it_is_one(facts, filler):
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    thumb = "\U0001f44d\U0001f3fd"
    flag = "\U0001f1e9\U0001f1ea"
    words = " ".join(filler(10))
    rule = Gibberish()
    assert rule.keep(facts(f"{words} {family}"))
    assert rule.keep(facts(f"{words} {thumb}"))
    assert rule.keep(facts(f"{words} {flag}"))
    assert not rule.keep(facts(f"{words} {thumb}{thumb}"))


def test_signs_without_a_word_are_dropped_and_nothing_is_kept(facts):
    assert Gibberish().keep(facts("\U0001f600")).reason == "too_many_emoji"
    assert Gibberish().keep(facts(""))


def test_a_negative_bound_is_refused():
    with pytest.raises(ValueError, match="max_links_per_word is -1"):
        Gibberish(max_links_per_word=-1)
