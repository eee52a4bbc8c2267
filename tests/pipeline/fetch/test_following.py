"""What comes after an answer, both sides of each bound."""

from dataclasses import replace

import pytest

from openm3w.pipeline.fetch.following import Again, Errand, after, ended
from openm3w.pipeline.fetch.outcomes import FAULTS, PASSING, Answer
from openm3w.pipeline.fetch.settings import FetchSettings, Limits, Manners

URL = "https://example.org/a.jpg"
NOW = 1_800_000_000.0
SETTINGS = FetchSettings()


def step(answer, errand=None, settings=SETTINGS, chance=0.5):
    errand = errand or Errand(url=URL, at=URL)
    return errand, after(errand, answer, settings, NOW, chance=chance)


def test_a_body_is_fetched_with_what_was_said_of_it():
    headers = (
        ("content-type", "image/jpeg"),
        ("etag", '"a"'),
        ("x-robots-tag", "noimageindex, other"),
        ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
    )
    lax = replace(SETTINGS, manners=Manners(opt_out=replace(Manners().opt_out, directives=())))
    answer = Answer(url=URL, status=200, headers=headers, body=b"jpeg", seconds=0.25)
    _, found = step(answer, settings=lax)
    assert (found.outcome, found.reason, found.data) == ("fetched", "", b"jpeg")
    assert (found.content_type, found.etag, found.seconds) == ("image/jpeg", '"a"', 0.25)
    assert found.signals == ("x-robots-tag: noimageindex, other",)
    assert found.fetched_at == "2027-01-15T08:00:00Z"


def test_a_body_that_must_not_be_used_is_not_kept():
    answer = Answer(url=URL, status=200, headers=(("x-robots-tag", "noai"),), body=b"jpeg")
    _, found = step(answer)
    assert (found.outcome, found.reason, found.data) == ("dropped", "opt_out", b"")
    assert found.signals == ("x-robots-tag: noai",)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "not_found"), (410, "not_found"), (403, "http_status"), (204, "http_status")],
)
def test_other_statuses_end_the_errand(status, reason):
    _, found = step(Answer(url=URL, status=status))
    assert (found.outcome, found.reason, found.status) == ("failed", reason, status)


def test_nothing_is_an_image_of_no_bytes():
    _, found = step(Answer(url=URL, status=200))
    assert (found.outcome, found.reason) == ("failed", "empty")


def test_a_redirect_goes_on_until_there_are_too_many():
    settings = replace(SETTINGS, limits=Limits(max_redirects=2))
    errand = Errand(url=URL, at=URL)
    for at in range(2):
        _, next_step = step(
            Answer(url=errand.at, status=302, location=f"{URL}?{at}"), errand, settings
        )
        assert next_step == Again()
        assert errand.at == f"{URL}?{at}"
    _, found = step(Answer(url=errand.at, status=302, location=f"{URL}?2"), errand, settings)
    assert (found.reason, found.redirects, found.final_url) == ("too_many_redirects", 2, f"{URL}?1")


@pytest.mark.parametrize("location", [URL, "https://example.org/b.jpg"])
def test_a_loop_is_seen_at_its_first_return(location):
    errand, found = step(Answer(url=URL, status=302, location=location))
    if location != URL:
        _, found = step(Answer(url=location, status=301, location=URL), errand)
    assert found.reason == "redirect_loop"


@pytest.mark.parametrize("reason", sorted(FAULTS))
def test_only_faults_that_pass_are_tried_again_and_only_once(reason):
    errand, first = step(Answer(url=URL, reason=reason, seconds=1.0))
    assert isinstance(first, Again) == (reason in PASSING)
    if isinstance(first, Again):
        _, first = step(Answer(url=URL, reason=reason, seconds=2.0), errand)
        assert (first.attempts, first.seconds) == (2, 3.0)
    assert (first.outcome, first.reason) == ("failed", reason)


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)])
def test_second_attempts_are_spread(chance, wait):
    _, again = step(Answer(url=URL, reason="connection_lost"), chance=chance)
    assert again == Again(wait=wait)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("7", Again(wait=7.0, pause=7.0)),
        ("120", Again(wait=120.0, pause=120.0)),
        ("121", "asked_to_wait"),
        ("99999999999999999999", "asked_to_wait"),
        ("soon", Again(wait=1.0)),
        ("Fri, 15 Jan 2027 08:00:30 GMT", Again(wait=30.0, pause=30.0)),
    ],
)
def test_a_server_that_asks_to_wait_is_waited_for_up_to_a_bound(status, asked, expected):
    _, found = step(Answer(url=URL, status=status, headers=(("retry-after", asked),)))
    assert (found if isinstance(found, Again) else found.reason) == expected


def test_who_stays_overloaded_is_left_alone():
    errand, _ = step(Answer(url=URL, status=503))
    _, found = step(Answer(url=URL, status=503), errand)
    assert (found.outcome, found.reason, found.status) == ("failed", "http_status", 503)


def test_files_count_as_asked_where_every_site_on_the_way_was_asked_for_them():
    errand = Errand(url=URL, at=URL)
    assert ended(errand, "deadline", NOW).wishes == ()
    errand.hear(("robots.txt content-usage: train-ai=y",), ())  # could not be read, and later can
    errand.hear((), ("robots.txt", "tdmrep.json"))
    _, again = step(Answer(url=URL, status=302, location="https://b.example/"), errand)
    assert again == Again()
    assert errand.wishes == ("robots.txt", "tdmrep.json")
    errand.hear((), ("robots.txt", "ai.txt"))
    _, found = step(Answer(url=errand.at, status=200, body=b"jpeg"), errand)
    assert found.wishes == ("robots.txt",)
    assert found.signals == ("robots.txt content-usage: train-ai=y",)


def test_what_ends_without_a_request_counts_none():
    assert ended(Errand(url=URL, at=URL), "robots_disallowed", NOW).attempts == 0
    _, found = step(Answer(url=URL, status=404))
    assert found.attempts == 1


def test_what_a_redirect_says_is_not_of_the_image_that_never_came():
    headers = (("x-robots-tag", "noai"),)
    answer = Answer(url=URL, status=302, headers=headers, location="https://example.org/b.jpg")
    errand, _ = step(answer)
    assert ended(errand, "deadline", NOW).signals == ("earlier x-robots-tag: noai",)
