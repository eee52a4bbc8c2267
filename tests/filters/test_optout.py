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
        ("content-usage: train-ai=n", None),
        ("noai", None),
        ("", None),
    ],
)
def test_a_signal_counts_if_it_is_for_everyone_or_for_us(signal, reason, document):
    expected = None if reason is None else f"opt_out_{reason}"
    assert OptOut().keep(document("text", opt_out=(signal,))).reason == expected


def test_one_reason_whatever_the_order_of_the_headers():
    signals = ["tdm-reservation: 1", "x-robots-tag: noindex", "meta robots: noai"]
    assert OptOut().judge(signals).reason == OptOut().judge(signals[::-1]).reason == "opt_out_noai"


def test_only_the_directives_of_the_policy_are_acted_on():
    policy = OptOut(directives=("noai",), tdm_reservation=False)
    assert policy.judge(["x-robots-tag: noindex", "tdm-reservation: 1"])
    assert not policy.judge(["x-robots-tag: noindex, noai"])


def test_other_crawlers_may_be_taken_for_us():
    assert not OptOut(agents=("gptbot",)).judge(["x-robots-tag: gptbot: noai"])


def test_an_unknown_directive_is_refused():
    with pytest.raises(ValueError, match="noia"):
        OptOut(directives=("noia",))
