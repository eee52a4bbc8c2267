import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.optout import OptOut
from openm3w.pipeline.fetch.outcomes import Answer
from openm3w.pipeline.fetch.settings import Manners
from openm3w.pipeline.fetch.wishes.signals import of_answer, refuses, retry_after

NOW = 1_800_000_000.0


def answer(*headers):
    return Answer(url="https://a.example/x.jpg", status=200, headers=headers)


def test_all_headers_of_use_are_recorded_in_their_order():
    found = of_answer(
        answer(
            ("content-type", "image/jpeg"),
            ("x-robots-tag", "otherbot: noai"),
            ("tdm-reservation", "1"),
            ("x-robots-tag", "noimageai, unavailable_after: Wed, 01 Jan 2020 10:00:00 GMT"),
            ("tdm-policy", "https://a.example/policy"),
            ("content-usage", "train-ai=n"),
            ("tdm-reservation", ""),
        )
    )
    assert found == (
        "x-robots-tag: otherbot: noai",
        "tdm-reservation: 1",
        "x-robots-tag: noimageai, unavailable_after: Wed, 01 Jan 2020 10:00:00 GMT",
        "tdm-policy: https://a.example/policy",
        "content-usage: train-ai=n",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  noai \t noindex ", "noai noindex"),
        ("na\udcefve\udcff", "na\ufffdve\ufffd"),
        ("caf\udcc3\udca9", "café"),
        ("a" * 8193, "a" * 8192),
    ],
)
def test_a_signal_is_one_line_that_a_file_can_hold(value, expected):
    (found,) = of_answer(answer(("x-robots-tag", value)))
    assert found == f"x-robots-tag: {expected}"
    found.encode()


@given(st.text())
def test_any_value_becomes_a_signal_that_a_file_can_hold(value):
    for found in of_answer(answer(("x-robots-tag", value))):
        found.encode()
        assert "\n" not in found


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ((), ""),
        (("x-robots-tag: noai",), "opt_out"),
        (("x-robots-tag: nofollow",), ""),
        (("x-robots-tag: openm3w: noimageai",), "opt_out"),
        (("x-robots-tag: otherbot: noai",), ""),
        (("x-robots-tag: unavailable_after: Wed, 01 Jan 2020 10:00:00 GMT, noai",), "opt_out"),
        (("tdm-reservation: 1",), "opt_out"),
        (("tdm-reservation: 0",), ""),
        (("tdm-policy: https://a.example/policy",), ""),
        (("content-usage: train-ai=n",), "opt_out"),
        (("content-usage: train-ai=y",), ""),
        (("content-usage: search=n",), ""),
        (("content-usage: train-ai=n", "content-usage: train-ai=y"), ""),  # lines of one header
        (("tdmrep.json tdm-reservation: 1",), "opt_out"),
        (("tdmrep.json tdm-reservation: 0",), ""),
        (("robots.txt content-usage: train-ai=n",), "opt_out"),
        (("robots.txt content-usage: train-ai=y",), ""),
        # Sources of their own: the most restrictive counts, in either order.
        (("robots.txt content-usage: train-ai=n", "content-usage: train-ai=y"), "opt_out"),
        (("robots.txt content-usage: train-ai=y", "content-usage: train-ai=n"), "opt_out"),
        (
            ("robots.txt content-usage: train-ai=n", "robots.txt content-usage: train-ai=y"),
            "opt_out",
        ),
        (("ai.txt: disallow",), "ai_txt"),
        (("ai.txt: disallow", "x-robots-tag: noai"), "opt_out"),
    ],
)
def test_what_is_said_is_obeyed_by_default(signals, expected):
    assert refuses(Manners(), signals) == expected


@pytest.mark.parametrize(
    ("manners", "signal"),
    [
        (Manners(ai_txt=False), "ai.txt: disallow"),
        (Manners(opt_out=OptOut(directives=("noai",))), "x-robots-tag: noindex"),
        (Manners(opt_out=OptOut(tdm_reservation=False)), "tdm-reservation: 1"),
        (Manners(opt_out=OptOut(tdm_reservation=False)), "tdmrep.json tdm-reservation: 1"),
        (Manners(opt_out=OptOut(content_usage=())), "robots.txt content-usage: train-ai=n"),
    ],
)
def test_the_settings_decide_what_is_obeyed(manners, signal):
    assert refuses(Manners(), (signal,))
    assert not refuses(manners, (signal,))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("9" * 400, 31_536_000.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW, usegmt=True), 0.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        ("Friday, 15-Jan-27 08:01:30 GMT", 90.0),  # RFC 850
        ("Fri Jan 15 08:01:30 2027", 90.0),  # asctime
        ("Fri, 15 Jan 2027 09:01:30 +0100", 90.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 31_536_000.0),
        ("soon", None),
        ("", None),
        ("1e9", None),
        ("١٢", None),
        ("nan", None),
        ("inf", None),
        ("Fri, 99 Jan 2027 99:99:99 GMT", None),
        ("0x10", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, expected):
    assert retry_after(answer(("retry-after", value)), NOW) == expected


def test_a_date_without_a_zone_is_one_of_greenwich(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        header = ("retry-after", "Fri Jan 15 08:01:30 2027")
        assert retry_after(answer(header), NOW) == 90.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_header_asks_for_no_wait():
    assert retry_after(answer(), NOW) is None


def test_of_several_headers_the_longest_wait_counts():
    headers = (("retry-after", "10"), ("retry-after", "soon"), ("retry-after", "30"))
    assert retry_after(answer(*headers), NOW) == 30.0


@given(st.text(max_size=40))
def test_no_retry_after_raises(value):
    wait = retry_after(answer(("retry-after", value)), NOW)
    assert wait is None or 0 <= wait <= 31_536_000
