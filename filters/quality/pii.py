"""Personal data that a pattern can find: e-mail addresses and public IP addresses."""

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import ClassVar

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.quality.shorten import with_score
from openm3w.filters.registry import register
from openm3w.shards.document import Document, Span, Text

EMAILS_REPLACED = "pii_emails"
IPS_REPLACED = "pii_ips"
"""Scores of a document in which some were replaced."""

EMAILS = ("email@example.com", "firstname.lastname@example.org")
IPS = (
    *("22.214.171.124", "126.96.36.199", "188.8.131.52"),
    *("184.108.40.206", "220.127.116.11", "18.104.22.168"),
)

# Begins only where no such sign stands before, so that a long run of them is read once.
_LOCAL = r"\w.!#$%&'*+/=?^`{|}~-"
_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])[{_LOCAL}]++@"
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}|\[[0-9.]+\])",
    re.ASCII,
)
# Begins with a digit and looks back from there: searching for a set of characters is fast.
_IP = re.compile(r"[0-9](?<![0-9.][0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![0-9]|\.[0-9])")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Pii:
    """Replaces e-mail addresses and public IPv4 addresses in the text.

    The replacements are taken in turn, from the first on in each document. Private, reserved and
    local addresses stay. How many were replaced is kept as the document's scores `pii_emails` and
    `pii_ips`; images and their captions stay as they are.

    Source: FineWeb (Penedo et al., 2024, arXiv:2406.17557), section 3, and the replacements of its
    released code: example.com and example.org are reserved for that, and the IP addresses answered
    nobody when they were drawn.
    """

    name: ClassVar[str] = "pii"
    reasons: ClassVar[frozenset[str]] = frozenset()

    emails: tuple[str, ...] = EMAILS
    """None: addresses stay."""
    ips: tuple[str, ...] = IPS

    def apply(self, document: Document) -> Cut:
        emails = _Replacer(_EMAIL, "@", self.emails, lambda _: True)
        ips = _Replacer(_IP, ".", self.ips, _is_public)

        def spans() -> Iterator[tuple[Span, int]]:
            for span, place in numbered(document.spans):
                if isinstance(span, Text):
                    text = ips(emails(span.text))
                    yield (span if text == span.text else Text(text=text)), place
                else:
                    yield span, place

        cut = rebuilt(document, spans())
        counted = with_score(cut.document, EMAILS_REPLACED, emails.times)
        counted = with_score(counted, IPS_REPLACED, ips.times)
        return dataclasses.replace(cut, document=counted)


class _Replacer:
    """Replaces what a pattern finds in one text after another, and counts."""

    def __init__(
        self,
        pattern: re.Pattern[str],
        sign: str,
        replacements: tuple[str, ...],
        wanted: Callable[[str], bool],
    ) -> None:
        self._pattern, self._sign, self._wanted = pattern, sign, wanted
        self._replacements = cycle(replacements) if replacements else None
        self.times = 0

    def __call__(self, text: str) -> str:
        if self._replacements is None or self._sign not in text:
            return text
        return self._pattern.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        if self._replacements is None or not self._wanted(match[0]):
            return match[0]
        self.times += 1
        return next(self._replacements)


def _is_public(address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address).is_global
    except ipaddress.AddressValueError:  # above 255, or with a leading zero
        return False
