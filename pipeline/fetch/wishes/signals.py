"""What answers and sites say about the use of an image, and whether it is heeded."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from openm3w.filters.structured import MAX_CHARS
from openm3w.pipeline.fetch.outcomes import Answer
from openm3w.pipeline.fetch.settings import Manners
from openm3w.pipeline.fetch.wishes.wishes import DISALLOWED_BY_AI_TXT

HEADERS: Final = ("x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage")
"""Headers that speak of use."""
DISALLOWED_BY_ROBOTS: Final = "robots.txt: disallow"
"""The signal of a robots.txt that disallows a URL."""
MAX_WAIT: Final = 31_536_000.0
"""Seconds, a year. A longer Retry-After is cut to it, so that every wait is an ordinary number."""

_FILES: Final = ("robots.txt ", "tdmrep.json ")
"""What a signal begins with that a site's file gave, and not a header."""
_DISALLOWED: Final = (DISALLOWED_BY_ROBOTS, DISALLOWED_BY_AI_TXT)
_EARLIER: Final = "earlier "
"""What a signal begins with that stood in an answer before the last one; it decides nothing."""
_SECONDS: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def of_answer(answer: Answer) -> tuple[str, ...]:
    """Raw signals of an answer's headers, all of them in their order: `x-robots-tag: noai`.

    Each is one line that can be written as UTF-8, cut where `filters.structured` reads no more.
    """
    return tuple(
        f"{name}: {_one_line(value)}"
        for name, value in answer.headers
        if name in HEADERS and value.strip()
    )


def earlier(signal: str) -> str:
    """A header's signal as it is recorded where its answer is not the image."""
    return _EARLIER + signal


def of_site(signals: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these signals that files of the site gave."""
    return tuple(s for s in signals if s.startswith(_FILES) or s in _DISALLOWED)


def refuses(manners: Manners, signals: tuple[str, ...]) -> str:
    """`opt_out`, `ai_txt`, or "" where nothing said is to be obeyed.

    Each source is judged by itself and the most restrictive counts (draft-ietf-aipref-vocab-08,
    section 5.1): all headers of an answer are one, each statement of a file is another. Which
    signal it was is among the signals.
    """
    if not signals:  # as of nearly all
        return ""
    no_header = (*_FILES, *_DISALLOWED, _EARLIER)
    headers = [signal for signal in signals if not signal.startswith(no_header)]
    files = [[signal.partition(" ")[2]] for signal in signals if signal.startswith(_FILES)]
    if not all(manners.opt_out.judge(said) for said in (headers, *files)):
        return "opt_out"
    return "ai_txt" if manners.ai_txt and DISALLOWED_BY_AI_TXT in signals else ""


def retry_after(answer: Answer, now: float) -> float | None:
    """Seconds that an answer asks to wait, 0 where the time has passed; None where it does not ask.

    Args:
        answer: with Retry-After as seconds or as an HTTP date (RFC 9110, section 10.2.3).
        now: seconds since 1970.
    """
    waits = [
        wait for value in answer.values("retry-after") if (wait := _wait(value, now)) is not None
    ]
    return min(max(waits), MAX_WAIT) if waits else None


def _wait(value: str, now: float) -> float | None:
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return max(0.0, float(value))
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)  # asctime's form names no zone
    return max(0.0, date.timestamp() - now)


def _one_line(value: str) -> str:
    # Servers send bytes; what is no UTF-8 arrives as lone surrogates, which no file takes.
    text = value.encode(errors="surrogateescape").decode(errors="replace")
    return " ".join(text.split())[:MAX_CHARS]
