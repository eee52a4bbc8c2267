"""Patterns of paths, as robots.txt, Content-Usage rules and tdmrep.json write them."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_KEPT = b"/%"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A prefix of paths, where `*` stands for anything and a last `$` for the end (RFC 9309 2.2.3).

    Escapes are brought to one spelling on both sides, as Protego does it for Allow and Disallow,
    so that a path means the same in every rule of a file.
    """

    parts: tuple[str, ...]
    """What stands between the stars."""
    anchored: bool

    @property
    def octets(self) -> int:
        """Length in its one spelling: of several rules that match, the longest counts."""
        return sum(map(len, self.parts)) + len(self.parts) - 1 + self.anchored

    def matches(self, target: str) -> bool:
        """Whether it covers what `target_of` gave; linear in both, however many stars."""
        first, *rest = self.parts
        if not target.startswith(first):
            return False
        if not rest:
            return not self.anchored or target == first
        at = len(first)
        *inner, last = rest
        for part in inner:
            found = target.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        if self.anchored:
            return target.endswith(last) and len(target) - len(last) >= at
        return target.find(last, at) >= 0


def pattern_of(text: str) -> Pattern:
    """The pattern that a rule writes."""
    parts = text.removesuffix("$").split("*")
    return Pattern(tuple(map(_one_spelling, parts)), text.endswith("$"))


def target_of(url: str) -> str:
    """Path and query of a URL in the spelling in which patterns are compared.

    Raises:
        ValueError: the URL does not parse.
    """
    url = url.partition("#")[0]
    parts = urlsplit(url)
    query = f"?{parts.query}" if "?" in url else ""
    return _one_spelling(f"{parts.path or '/'}{query}")


def _one_spelling(text: str) -> str:
    def decoded(match: re.Match[bytes]) -> bytes:
        byte = bytes((int(match[1], 16),))
        return match[0].upper() if byte in _KEPT else byte

    return quote(_ESCAPE.sub(decoded, text.encode(errors="replace")), safe="/%=")
