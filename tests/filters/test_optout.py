import pytest

from openm3w.filters.optout import OptOut


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        ("x-robots-tag: noai", "noai"),
        ("x-robots-tag: NoAI, NoIndex", "noai"),
        ("X-Robots-Tag:noimageai", "noimageai"),
        ("x-robots-tag: noindex", "noindex"),
        ("x-robots-tag: noindex nofollow", "noindex"),
        ("x-robots-tag: nofollow; noimageindex", "noimageindex"),
        ("x-robots-tag: none", "noindex"),
        ("x-robots-tag: all", None),
        ("x-robots-tag: index, follow", None),
        ("x-robots-tag: noarchive, nosnippet", None),
        ("x-robots-tag: noaircraft", None),
        ("x-robots-tag:", None),
        ("meta robots: noimageai", "noimageai"),
        ("meta robots: index, follow, max-image-preview:large", None),
        ("meta ROBOTS: NOINDEX", "noindex"),
        ("meta ccbot: noai", "noai"),
        ("meta googlebot: noindex", None),
        ("meta description: noai is a directive", None),
        # Values with colons and commas of their own.
        ("x-robots-tag: unavailable_after: 25 Jun 2030 15:00:00 PST, noai", "noai"),
        ("x-robots-tag: unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, noindex", "noindex"),
        ("x-robots-tag: unavailable_after: 2030-06-25T15:00:00Z", None),
        ("x-robots-tag: max-snippet:20, noindex", "noindex"),
        # Directives for one crawler.
        ("x-robots-tag: otherbot: noai", None),
        ("x-robots-tag: otherbot: noindex, nofollow", None),
        ("x-robots-tag: otherbot: nofollow, ccbot: noai", "noai"),
        ("x-robots-tag: CCBot: noindex", "noindex"),
        ("x-robots-tag: openm3w: noai", "noai"),
        ("x-robots-tag: *: noai", "noai"),
        ("x-robots-tag: noindex, otherbot: noai", "noindex"),
        ("x-robots-tag: noindex otherbot: noai", "noindex"),
        ("x-robots-tag: otherbot: unavailable_after: 25 Jun 2030 15:00:00 PST", None),
        # Text and data mining.
        ("tdm-reservation: 1", "tdm_reservation"),
        ("TDM-Reservation: 1", "tdm_reservation"),
        ("meta tdm-reservation: 1", "tdm_reservation"),
        ("tdm-reservation: 0", None),
        ("tdm-reservation: 10", None),
        ("tdm-policy: https://example.org/1", None),
        ("Content-Usage: train-ai=n", "content_usage"),
        # Directives after a date of each form; its comma ends nothing.
        ("x-robots-tag: unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT, noai", "noai"),
        ("x-robots-tag: unavailable_after: Wednesday, 01-Jan-20 00:00:00 GMT, noindex", "noindex"),
        ("x-robots-tag: unavailable_after: 2020-01-01, noai", "noai"),
        ("x-robots-tag: unavailable_after: 2020-01-01T00:00:00+01:00, noai", "noai"),
        ("x-robots-tag: unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT", None),
        ("x-robots-tag: noai, unavailable_after: Wednesday, 01-Jan-20 00:00:00 GMT", "noai"),
        ("x-robots-tag: otherbot: unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT, noai", None),
        ("x-robots-tag: ccbot: unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT, noai", "noai"),
        ("meta robots: unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT, noai", "noai"),
        # An address holds until the next one.
        ("x-robots-tag: googlebot: nofollow, otherbot: noindex, nofollow", None),
        ("x-robots-tag: googlebot: noindex, *: nofollow", None),
        ("x-robots-tag: googlebot: nofollow, *: noindex", "noindex"),
        ("x-robots-tag: googlebot: max-snippet: 20, noindex", None),
        (
            "x-robots-tag: max-snippet: 20, googlebot: noindex, ccbot: max-snippet: 3, noindex",
            "noindex",
        ),
        ("noai", None),
        ("", None),
    ],
)
def test_a_signal_counts_if_it_is_for_everyone_or_for_us(signal, reason, document):
    expected = None if reason is None else f"opt_out_{reason}"
    assert OptOut().keep(document("text", opt_out=(signal,))).reason == expected


@pytest.mark.parametrize(
    ("statement", "disallowed"),
    [
        # The drafts' own examples and words.
        ("train-ai=n", True),
        ("train-ai=y, search=n", False),
        ("train-ai=n;exemptions, search=y", True),
        ("search=n", False),
        ("", False),
        ("train-ai=?0", False),
        ("train-ai", False),
        ('train-ai="n"', False),
        ("train-ai=no", False),
        ("train-ai=N", False),
        # A key that is named twice: the last counts. What is no dictionary says nothing.
        ("train-ai=y, train-ai=n", True),
        ("train-ai=n, train-ai=y", False),
        ("train-ai=n, Train-AI=n", False),
        ("train-ai=n,", False),
        ("train-ai = n", False),
        # Earlier revisions: the narrower label counts, else the wider.
        ("all=n", True),
        ("bots=n", True),
        ("tdm=n", True),
        ("all=n, train-ai=y", False),
        ("bots=y, train-ai=n", True),
        ("train-ai=y, train-genai=n", True),
        ("train-ai=n, train-genai=y", False),
        ("genai=n", True),
        ("all=n, search=y", True),
        ("all=y", False),
        ("bots=n, train-ai=unknown", True),
    ],
)
def test_usage_preferences_count_where_they_disallow_training(statement, disallowed):
    for name in ("content-usage", "meta content-usage"):
        reason = OptOut().judge([f"{name}: {statement}"]).reason
        assert reason == ("opt_out_content_usage" if disallowed else None)


@pytest.mark.parametrize(
    ("signals", "disallowed"),
    [
        (["content-usage: train-ai=y", "content-usage: train-ai=n"], True),
        # Two lines of a header are one field, in which the last word counts.
        (["content-usage: train-ai=n", "content-usage: train-ai=y"], False),
        # Two statements are two, and the most restrictive counts.
        (["content-usage: train-ai=n", "meta content-usage: train-ai=y"], True),
        (["content-usage: train-ai=y", "meta content-usage: bots=n"], True),
        (["content-usage: train-ai=y", "meta content-usage: search=n"], False),
        # One that is broken leaves the other as it is.
        (["content-usage: train-ai=", "meta content-usage: train-ai=n"], True),
    ],
)
def test_statements_of_usage_preferences_combine_as_the_draft_says(signals, disallowed):
    assert (not OptOut().judge(signals)) == disallowed


def test_the_policy_names_the_usages_that_matter():
    assert OptOut(content_usage=()).judge(["content-usage: train-ai=n"])
    assert OptOut(content_usage=("search",)).judge(["content-usage: train-ai=n"])
    assert not OptOut(content_usage=("search",)).judge(["content-usage: search=n"])
    assert not OptOut(content_usage=("ai-use",)).judge(["content-usage: ai-output=n"])
    with pytest.raises(ValueError, match="'training' is none of train-ai"):
        OptOut(content_usage=("training",))


def test_one_reason_whatever_the_order_of_the_headers():
    signals = ["tdm-reservation: 1", "x-robots-tag: noindex", "meta robots: noai"]
    assert OptOut().judge(signals).reason == OptOut().judge(signals[::-1]).reason == "opt_out_noai"


def test_only_the_directives_of_the_policy_are_acted_on():
    policy = OptOut(directives=("noai",), tdm_reservation=False)
    assert policy.judge(["x-robots-tag: noindex", "tdm-reservation: 1"])
    assert not policy.judge(["x-robots-tag: noindex, noai"])


def test_other_crawlers_may_be_taken_for_us():
    for name in ("gptbot", "GPTBot"):
        assert not OptOut(agents=(name,)).judge(["x-robots-tag: gptbot: noai"])


def test_headers_are_judged_one_by_one():
    signals = ["x-robots-tag: otherbot: nofollow", "x-robots-tag: noindex"]
    assert OptOut().judge(signals).reason == "opt_out_noindex"


def test_an_unknown_directive_is_refused():
    with pytest.raises(ValueError, match="noia"):
        OptOut(directives=("noia",))


def test_a_header_of_nothing_but_scopes_is_read_piece_by_piece():
    # Each scope holds until the next: the last one alone speaks, and it is none of ours.
    value = "a:" * 200_000 + "noai"
    assert OptOut().judge([f"X-Robots-Tag: {value}"])
    assert not OptOut().judge([f"X-Robots-Tag: {value}, ccbot: noai"])
