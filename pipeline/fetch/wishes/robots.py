"""robots.txt: may we ask, how often, and for what may it be used (RFC 9309 and AIPREF)."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from protego import Protego

from openm3w.filters.structured import MAX_CHARS
from openm3w.pipeline.extraction.encodings import decode, find_encoding
from openm3w.pipeline.fetch.outcomes import REFUSED, Answer
from openm3w.pipeline.fetch.settings import NAMES
from openm3w.pipeline.fetch.wishes.paths import Pattern, pattern_of, target_of

Get = Callable[[str, int], Awaitable[Answer]]
"""One hop: URL and the most bytes of a body that are read. Never raises."""

MAX_BYTES: Final = 512_000
"""500 KiB, the least that a crawler must read (RFC 9309, section 2.5). The rest is ignored."""
MAX_REDIRECTS: Final = 5
"""As many as RFC 9309, section 2.3.1.2, asks to follow."""
MAX_LINE: Final = 16_664
"""Characters of a line that are read, as Google's parser has it (2,083 x 8)."""
MAX_STATEMENTS: Final = 16
"""Content-Usage rules with one path that are heard. Ours: all are recorded with every image, and
one path needs one."""

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
# A header that names these is mistaken: the file is to be UTF-8 (section 2.3).
_NEEDS_MARK: Final = ("utf-16le", "utf-16be", "replacement")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
# As generous with names as Protego, which then reads the lines of the groups that are ours.
_AGENT_LINE: Final = re.compile(r"user[- ]?agent(?:\s*:|\s)\s*(.*)", re.IGNORECASE)
_PART_OF_NO_GROUP: Final = re.compile(r"(?:site-?maps?|host)(?:\s*:|\s)", re.IGNORECASE)
_RULE: Final = re.compile(r"[^:]+:|(?:di|allow|crawl|request|visit)", re.IGNORECASE)
_NO_TOKEN: Final = re.compile(r"[^\w-]")
_USAGE: Final = re.compile(
    r"content-usage[ \t]*:[ \t]*(?:(/[^ \t]*)(?:[ \t]+|$))?(.*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a robots.txt says to us. Without rules everything is allowed."""

    parsed: Protego | None = None
    """Of the groups that are ours, under the name `*`."""
    usages: tuple[tuple[Pattern, str], ...] = ()
    """Content-Usage: path, and the statement as written."""
    chars: int = 0
    """Of text that was kept, by which caches weigh it."""

    def allows(self, url: str) -> bool:
        return self.parsed is None or self.parsed.can_fetch(url, "*")

    @property
    def crawl_delay(self) -> float:
        """Seconds between requests, 0 where nothing is said."""
        return (self.parsed and self.parsed.crawl_delay("*")) or 0.0

    def usage(self, url: str) -> tuple[str, ...]:
        """The statements whose path is the longest that matches.

        Several with the same path apply each for itself (draft-ietf-aipref-attach-05, section 3.1).
        What is disallowed has none; that is the caller's to know.
        """
        if not self.usages:
            return ()
        target = target_of(url)
        found = [(path.octets, said) for path, said in self.usages if path.matches(target)]
        longest = max((octets for octets, _ in found), default=0)
        said = dict.fromkeys(said for octets, said in found if octets == longest)
        return tuple(said)[:MAX_STATEMENTS]


NO_RULES: Final = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What came of asking for a robots.txt."""

    rules: Rules = NO_RULES
    reason: str = ""
    """`robots_unreachable`, or why the site itself may not be asked; then nothing is allowed."""
    fault: str = ""
    """Why the file could not be read, where the reason is that and no status is to blame."""


def read_rules(body: bytes, content_type: str = "") -> Rules:
    """The rules of a robots.txt; never raises.

    Groups that name one of `NAMES` count, and those of `*` where none does (RFC 9309, section
    2.2.1).
    """
    text = read_text(body, content_type)
    # Protego makes a set of rules for each name in a group: 2,000 names over 2,000 rules, 65 KB,
    # took it 25 s and 289 MB. It is given one name.
    lines = list(_our_lines(text))
    if not lines:
        return NO_RULES
    kept = "\n".join(("User-agent: *", *lines))
    return Rules(Protego.parse(kept), tuple(_usages(lines)), len(kept))


def read_text(body: bytes, content_type: str = "") -> str:
    """The lines in the first 500 KiB: by byte order mark, by header, else UTF-8; never raises."""
    if len(body) > MAX_BYTES:  # half of `Disallow: /x` would disallow everything
        body = body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]
    for mark, name in _MARKS:
        if body.startswith(mark):
            return decode(body[len(mark) :], name)
    named = _CHARSET.search(content_type)
    name = find_encoding(named[1]) if named else ""
    return decode(body, name if name and name not in _NEEDS_MARK else "utf-8")


async def ask_robots(origin: str, get: Get) -> Robots:
    """What the robots.txt of `scheme://host:port` says.

    A status of 4xx, and more redirects than are followed, mean that there is none: all is allowed.
    A status of 5xx and no answer mean that it is unreachable: nothing is (section 2.3.1). So does a
    redirect to where we may not go; a site whose own address we may not ask is refused for that.
    """
    answer, redirects = await follow(f"{origin}/robots.txt", get, MAX_BYTES + 1)
    if answer.reason in REFUSED and not redirects and not answer.status:
        return Robots(reason=answer.reason)
    if answer.reason in ("too_many_redirects", "empty"):
        return Robots()
    if answer.reason and not _is_cut(answer):
        return Robots(reason="robots_unreachable", fault=answer.reason)
    if answer.status >= 500:
        return Robots(reason="robots_unreachable")
    if answer.status != 200:
        return Robots()
    content_type = next(iter(answer.values("content-type")), "")
    return Robots(rules=read_rules(answer.body, content_type))


async def follow(url: str, get: Get, max_bytes: int) -> tuple[Answer, int]:
    """The answer behind at most five redirects, and their number.

    The reason is `too_many_redirects` where a sixth would follow.
    """
    for redirects in range(MAX_REDIRECTS + 1):
        answer = await get(url, max_bytes)
        if answer.reason or not answer.location:
            return answer, redirects
        url = answer.location
    return Answer(url=url, reason="too_many_redirects"), MAX_REDIRECTS


def _is_cut(answer: Answer) -> bool:
    return answer.reason == "too_large" and bool(answer.body)


def _our_lines(text: str) -> Iterator[str]:
    groups = list(_groups(text))
    us = set(NAMES) if any(names.intersection(NAMES) for names, _ in groups) else {"*"}
    return (line for names, lines in groups if names & us for line in lines)


def _groups(text: str) -> Iterator[tuple[set[str], list[str]]]:
    """Names and lines of each group. Lines before the first name are of none."""
    names: set[str] = set()
    lines: list[str] = []
    in_rules = False
    for raw in text.splitlines():
        line = raw[:MAX_LINE].partition("#")[0].strip()
        named = _AGENT_LINE.match(line)
        if named:
            if in_rules:
                yield names, lines
                names, lines, in_rules = set(), [], False
            names.add(_name(named[1]))
        elif names and line:
            lines.append(line)
            in_rules = in_rules or bool(_RULE.match(line) and not _PART_OF_NO_GROUP.match(line))
    if names:
        yield names, lines


def _name(value: str) -> str:
    """A product token in lower case; `OpenMMMW/1.0 (...)` and `openmmmw*` mean us too."""
    value = value.strip().lower()
    return value if value == "*" else _NO_TOKEN.split(value, maxsplit=1)[0]


def _usages(lines: list[str]) -> Iterator[tuple[Pattern, str]]:
    for line in lines:
        rule = _USAGE.fullmatch(line)
        # A longer statement is no dictionary of structured fields that we would read.
        if rule and (said := rule[2].strip()) and len(said) <= MAX_CHARS:
            yield pattern_of(rule[1] or ""), said
