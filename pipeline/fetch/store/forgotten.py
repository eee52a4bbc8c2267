"""Tombstones that do not say what was taken down: keyed hashes in the place of the words.

Who asks to be forgotten does not want to stand in a list of those who did. An entry is

    forgotten:SORT:SALT:DIGEST

with BLAKE2b (RFC 7693) of the entry's one spelling, 16 bytes long, keyed by the salt of its store
(16 random bytes) and personalised by the sort. It can be matched by whoever has the address, and a
domain by whoever has an address below it. The salt lies beside the digests: it keeps two stores
from being compared, and a table made beforehand from being of use; it does not keep one who holds
the store from trying addresses that he knows.
"""

import functools
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

Sort = Literal["url", "domain", "sha256", "doc-id"]
_BYTES = 16
LINE = re.compile(r"forgotten:(url|domain|sha256|doc-id):([0-9a-f]{32}):([0-9a-f]{32})")


def new_salt() -> str:
    """A salt for a store that has none: 32 hex digits."""
    return secrets.token_hex(_BYTES)


def forgotten(sort: Sort, spelling: str, salt: str) -> str:
    """The line for an entry of this sort in its one spelling."""
    return f"forgotten:{sort}:{salt}:{_digest(sort, salt, spelling)}"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Entries of which only hashes are known."""

    digests: frozenset[tuple[str, str, str]] = frozenset()
    """Sort, salt and digest."""
    salts: tuple[tuple[str, str], ...] = ()
    """Each sort with each salt that there is for it."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> Self:
        """Those of lines that have the form of such an entry."""
        found = frozenset(match.groups() for line in lines if (match := LINE.fullmatch(line)))
        return cls(found, tuple(sorted({(sort, salt) for sort, salt, _ in found})))  # type: ignore[arg-type]

    def has(self, sort: Sort) -> bool:
        """Whether there is an entry of this sort."""
        return any(known == sort for known, _ in self.salts)

    def holds(self, sort: Sort, spelling: str) -> bool:
        """Whether this is one of the entries."""
        return any(
            (sort, salt, _digest(sort, salt, spelling)) in self.digests
            for known, salt in self.salts
            if known == sort
        )

    @property
    def salt(self) -> str:
        """The salt that further entries take: the first there is, or ""."""
        return min((salt for _, salt in self.salts), default="")


@functools.lru_cache(maxsize=1 << 14)  # the host of one picture is mostly that of the next
def _digest(sort: str, salt: str, spelling: str) -> str:
    return hashlib.blake2b(
        spelling.encode("utf-8", "surrogatepass"),
        key=bytes.fromhex(salt),
        digest_size=_BYTES,
        person=sort.encode(),
    ).hexdigest()
