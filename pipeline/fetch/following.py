"""What comes after an answer: the end, the next address, or the same one again. Pure."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from openm3w.pipeline.fetch.outcomes import (
    PASSING,
    PASSING_STATUS,
    REFUSED,
    Answer,
    Fetched,
    Outcome,
)
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.wishes import signals

GONE = frozenset({404, 410})
BACKOFF = 1.0
"""Seconds before a second attempt, times 0.5 to 1.5 at random and doubled each time. Ours."""


@dataclass(slots=True)
class Errand:
    """One URL on its way."""

    url: str
    at: str
    """The address that is asked next: the URL, or where it was redirected to."""
    redirects: int = 0
    attempts: int = 1
    """Rounds at this address and the ones before; a redirect is none."""
    seconds: float = 0.0
    asked: set[str] = field(default_factory=set)
    """Addresses that redirected."""
    signals: dict[str, None] = field(default_factory=dict)
    """What was said about use, in the order in which it was found."""
    heard: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By address: the files that its site was asked for its wishes."""

    def hear(self, signals: Iterable[str], wishes: tuple[str, ...]) -> None:
        """Takes what the site of `at` says of it, and in which of its files it could."""
        self.signals.update(dict.fromkeys(signals))
        self.heard[self.at] = wishes  # of a second attempt in place of the first

    @property
    def wishes(self) -> tuple[str, ...]:
        """Files that every site so far was asked for its wishes."""
        first = next(iter(self.heard.values()), ())
        return tuple(name for name in first if all(name in each for each in self.heard.values()))


class Again(NamedTuple):
    """Ask `Errand.at`, not before so many seconds have passed."""

    wait: float = 0.0
    pause: float = 0.0
    """Seconds for which nothing else of this domain is asked either."""


def after(
    errand: Errand, answer: Answer, settings: FetchSettings, now: float, *, chance: float
) -> Again | Fetched:
    """The next step; changes `errand` where it goes on.

    `now` is the time in seconds since 1970, `chance` a number of 0 to 1 that spreads attempts.
    """
    errand.seconds += answer.seconds
    step = _step(errand, answer, settings, now, chance)
    if isinstance(step, Again):  # what a redirect says, or a page of an error, is not of the image
        errand.signals.update(dict.fromkeys(map(signals.earlier, signals.of_answer(answer))))
    return step


def _step(
    errand: Errand,
    answer: Answer,
    settings: FetchSettings,
    now: float,
    chance: float,
) -> Again | Fetched:
    if answer.reason:
        if answer.reason in PASSING and errand.attempts <= settings.manners.retries:
            return _again(errand, 0.0, chance)
        return ended(errand, answer.reason, now, answer)
    if answer.location:
        return _redirected(errand, answer, settings, now)
    if answer.status == 200:
        reason = signals.refuses(settings.manners, signals.of_answer(answer))
        return ended(errand, reason or ("" if answer.body else "empty"), now, answer)
    if answer.status in PASSING_STATUS:
        return _asked_to_wait(errand, answer, settings, now, chance)
    reason = "not_found" if answer.status in GONE else "http_status"
    return ended(errand, reason, now, answer)


def ended(errand: Errand, reason: str, now: float, answer: Answer | None = None) -> Fetched:
    """The outcome of an errand that goes no further at `now`, in seconds since 1970."""
    last = answer or Answer(url=errand.at)
    outcome: Outcome = "dropped" if reason in REFUSED else "failed" if reason else "fetched"
    return Fetched(
        url=errand.url,
        outcome=outcome,
        reason=reason,
        status=last.status,
        final_url=errand.at if errand.at != errand.url else "",
        redirects=errand.redirects,
        attempts=errand.attempts - (answer is None),  # nothing was asked in this round
        fetched_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        seconds=round(errand.seconds, 3),
        content_type=_first(last, "content-type"),
        etag=_first(last, "etag"),
        last_modified=_first(last, "last-modified"),
        signals=tuple(dict.fromkeys((*errand.signals, *signals.of_answer(last)))),
        wishes=errand.wishes,
        data=b"" if reason else last.body,
    )


def _redirected(
    errand: Errand, answer: Answer, settings: FetchSettings, now: float
) -> Again | Fetched:
    errand.asked.add(errand.at)
    if answer.location in errand.asked:
        return ended(errand, "redirect_loop", now, answer)
    if errand.redirects == settings.limits.max_redirects:
        return ended(errand, "too_many_redirects", now, answer)
    errand.redirects += 1
    errand.at = answer.location
    return Again()


def _asked_to_wait(
    errand: Errand, answer: Answer, settings: FetchSettings, now: float, chance: float
) -> Again | Fetched:
    asked = signals.retry_after(answer, now) or 0.0
    if asked > settings.manners.max_retry_after:
        return ended(errand, "asked_to_wait", now, answer)
    if errand.attempts > settings.manners.retries:
        return ended(errand, "http_status", now, answer)
    return _again(errand, asked, chance)


def _again(errand: Errand, asked: float, chance: float) -> Again:
    backoff = BACKOFF * 2 ** (errand.attempts - 1) * (0.5 + chance)
    errand.attempts += 1
    return Again(wait=max(asked, backoff), pause=asked)


def _first(answer: Answer, name: str) -> str:
    return next(iter(answer.values(name)), "")[:_MAX_HEADER]


_MAX_HEADER = 200
"""Characters of a header that are kept. Ours: an ETag is rarely longer than 70."""
