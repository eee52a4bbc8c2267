"""What sites say about use in files of their own: tdmrep.json and ai.txt."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from openm3w.pipeline.fetch.outcomes import Answer
from openm3w.pipeline.fetch.wishes.paths import Pattern, pattern_of, target_of
from openm3w.pipeline.fetch.wishes.robots import NO_RULES, Get, Rules, follow, read_rules, read_text

TDMREP_PATH: Final = "/.well-known/tdmrep.json"
AI_TXT_PATH: Final = "/ai.txt"
MAX_BYTES: Final = 512_000
"""Of either file, as of robots.txt (ours). A longer one says nothing."""
MAX_POLICY: Final = 2_000
"""Characters of a policy's address that is recorded (ours, about what browsers take as a URL)."""
DISALLOWED_BY_AI_TXT: Final = "ai.txt: disallow"
"""The signal of an ai.txt that disallows a URL."""

_RESERVATIONS: Final = {"0": "0", "1": "1", "true": "1", "false": "0"}
_SUFFIX_RULE: Final = re.compile(
    r"(\s*(?:dis)?allow\s*:\s*\*\.[a-z0-9]+)\s*(?:#.*)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """One rule of a tdmrep.json."""

    location: Pattern
    reserved: str
    """`1` or `0`."""
    policy: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """What both files of a site say; by default nothing."""

    reservations: tuple[Reservation, ...] = ()
    media: Rules = NO_RULES
    chars: int = 0
    """Of files that say something, by which caches weigh them."""

    def signals(self, url: str) -> tuple[str, ...]:
        """What is said of one URL: of several reservations the first that matches."""
        found = tuple(self._reserved(target_of(url))) if self.reservations else ()
        disallowed = not self.media.allows(_by_suffix(url))
        return (*found, DISALLOWED_BY_AI_TXT) if disallowed else found

    def _reserved(self, target: str) -> Iterator[str]:
        rules = (rule for rule in self.reservations if rule.location.matches(target))
        if rule := next(rules, None):
            yield f"tdmrep.json tdm-reservation: {rule.reserved}"
            if rule.policy:
                yield f"tdmrep.json tdm-policy: {rule.policy}"


def read_tdmrep(body: bytes) -> tuple[Reservation, ...]:
    """The rules of a tdmrep.json in their order; none of what is no such file; never raises.

    Source: TDM Reservation Protocol, final report of 10 May 2024, section "TDM File on the Origin
    Server". More is taken than it has, in favour of who reserves: a rule without its brackets, and
    `"1"` and `true` as 1.
    """
    if len(body) > MAX_BYTES:
        return ()
    try:
        found = json.loads(read_text(body))
    except (ValueError, RecursionError):
        return ()
    rules = found if isinstance(found, list) else [found]
    return tuple(rule for item in rules for rule in _reservation(item))


def read_ai_txt(body: bytes, content_type: str = "") -> Rules:
    """The rules of an ai.txt; none of a page of HTML and of what is too long.

    The grammar is that of robots.txt, as Spawning's generator writes it: `Disallow: *.jpg`. A rule
    of a suffix covers paths that end with it in either case; as robots.txt would read it, `*.c`
    would cover a JPEG of `/www.c-store.example/`.
    """
    text = read_text(body, content_type)
    if len(body) > MAX_BYTES or text.lstrip().startswith("<"):
        return NO_RULES
    lines = map(_anchored, text.splitlines())
    return read_rules("\n".join(lines).encode(errors="replace"))


async def ask_tdmrep(origin: str, get: Get) -> tuple[tuple[Reservation, ...], int]:
    """The rules of a site's tdmrep.json, and their weight in characters."""
    answer = await _file(origin + TDMREP_PATH, get)
    rules = read_tdmrep(answer.body) if answer else ()
    return rules, len(answer.body) if answer and rules else 0


async def ask_ai_txt(origin: str, get: Get) -> tuple[Rules, int]:
    """The rules of a site's ai.txt, and their weight in characters."""
    answer = await _file(origin + AI_TXT_PATH, get)
    if answer is None:
        return NO_RULES, 0
    rules = read_ai_txt(answer.body, next(iter(answer.values("content-type")), ""))
    return rules, rules.chars


async def _file(url: str, get: Get) -> Answer | None:
    answer, _ = await follow(url, get, MAX_BYTES + 1)  # one more tells what is too long
    return None if answer.reason or answer.status != 200 else answer


def _reservation(item: Any) -> Iterator[Reservation]:
    if not isinstance(item, dict):
        return
    location, policy = item.get("location"), item.get("tdm-policy")
    reserved = _RESERVATIONS.get(str(item.get("tdm-reservation")).strip().lower())
    if isinstance(location, str) and reserved:
        yield Reservation(pattern_of(location), reserved, _line(policy))


def _line(policy: Any) -> str:
    if not isinstance(policy, str) or len(policy) > MAX_POLICY:
        return ""
    # JSON can hold lone surrogates, which no file takes.
    return " ".join(policy.encode(errors="replace").decode().split())


def _anchored(line: str) -> str:
    rule = _SUFFIX_RULE.fullmatch(line)
    return f"{rule[1].lower()}$" if rule else line


def _by_suffix(url: str) -> str:
    """The URL without its query, and what follows its last dot in lower case."""
    parts = urlsplit(url)
    stem, dot, suffix = parts.path.rpartition(".")
    return f"{parts.scheme}://{parts.netloc}{stem}{dot}{suffix.lower() if dot else suffix}"
