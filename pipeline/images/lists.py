"""Lists that users name: images that must not be stored, and pictures of evaluation sets.

Text files, one hash a line; blank lines and what follows a `#` are passed over. A blocklist's hash
is told by its length: 32 hex digits are MD5, 64 are SHA-256, and 64 after `pdq:` are PDQ. A plain
line of 64 digits is never taken for PDQ.
"""

import functools
import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from openm3w.errors import InputError, MissingError
from openm3w.filters.images.copies import EVAL_DISTANCE
from openm3w.pipeline.images.decode import Encoded
from openm3w.pipeline.users_lists import read_short_lines

PDQ_DISTANCE = 31
"""Bits of 256: the threshold that PDQ's authors recommend (github.com/facebook/ThreatExchange)."""
PDQ_MIN_QUALITY = 50
"""Of 100: below it, say PDQ's authors, hashes of unlike pictures meet."""

_BLOCKLISTS, _EVALUATION = "images.blocklists", "images.evaluation_images"

BLOCKED = frozenset({"blocked_sha256", "blocked_md5", "blocked_pdq"})

_INSTALL = (
    "a blocklist has PDQ hashes, and pdqhash is not installed; "
    'pip install "openm3w[safety]" (it is compiled where it is installed)'
)
_PHASH = re.compile(r"[0-9a-f]{16}")
_KINDS = {
    "md5": re.compile(r"[0-9a-f]{32}"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "pdq": re.compile(r"pdq:[0-9a-f]{64}"),
}


class Hamming:
    """Hashes of some 64-bit words, to be compared with one more by the bits that differ."""

    def __init__(self, hashes: Iterable[str], *, words: int) -> None:
        data = bytes.fromhex("".join(hashes))
        self._rows = np.frombuffer(data, dtype=np.uint64).reshape(-1, words)

    def __len__(self) -> int:
        return len(self._rows)

    def nearest(self, digits: str) -> int:
        """The least number of bits in which `digits` differs from one of the hashes.

        Raises:
            ValueError: there are none.
        """
        differing = self._rows ^ np.frombuffer(bytes.fromhex(digits), dtype=np.uint64)
        return int(_ones(differing).sum(axis=1, dtype=np.int64).min())


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocklist:
    """Hashes of images that are not stored."""

    md5: frozenset[str] = frozenset()
    sha256: frozenset[str] = frozenset()
    pdq: Hamming = field(default_factory=lambda: Hamming((), words=4))

    def refuses_bytes(self, data: bytes) -> str:
        """Why these bytes, as fetched or as they would be stored, are refused, or ""."""
        if self.sha256 and hashlib.sha256(data).hexdigest() in self.sha256:
            return "blocked_sha256"
        if self.md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() in self.md5:
            return "blocked_md5"
        return ""

    def refuses(self, encoded: Encoded) -> str:
        """Why this image is not stored, by the bytes to store and by what they show, or ""."""
        if reason := self.refuses_bytes(encoded.data):
            return reason
        if encoded.pdq is not None and len(self.pdq):
            digits, quality = encoded.pdq
            if quality >= PDQ_MIN_QUALITY and self.pdq.nearest(digits) <= PDQ_DISTANCE:
                return "blocked_pdq"
        return ""

    def __str__(self) -> str:
        return f"{len(self.sha256)} SHA-256, {len(self.md5)} MD5 and {len(self.pdq)} PDQ hashes"


def read_blocklist(paths: Iterable[str]) -> Blocklist:
    """The blocklist in these files.

    Raises:
        InputError: a file cannot be read, or a line is no hash.
        MissingError: there are PDQ hashes, and pdqhash is not installed.
    """
    found: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    for path in paths:
        for number, line in _lines(Path(path), "images.blocklists"):
            kind = next((k for k, form in _KINDS.items() if form.fullmatch(line)), None)
            if kind is None:
                raise InputError(
                    f"images.blocklists: {path}:{number}: {line[:80]!r} is no hash; 32 hex digits "
                    "are MD5, 64 are SHA-256, 64 after pdq: are PDQ"
                )
            found[kind].add(line.removeprefix("pdq:"))
    if found["pdq"] and importlib.util.find_spec("pdqhash") is None:
        raise MissingError(_INSTALL)
    return Blocklist(
        md5=frozenset(found["md5"]),
        sha256=frozenset(found["sha256"]),
        pdq=Hamming(sorted(found["pdq"]), words=4),
    )


def read_evaluation_images(paths: Iterable[str]) -> Hamming:
    """The perceptual hashes in these files.

    Raises:
        InputError: a file cannot be read, or a line is no hash.
    """
    found: set[str] = set()
    for path in paths:
        for number, line in _lines(Path(path), "images.evaluation_images"):
            if not _PHASH.fullmatch(line):
                raise InputError(
                    f"images.evaluation_images: {path}:{number}: {line[:80]!r} is no perceptual "
                    "hash of 16 hex digits; m3w filters phash makes such a list"
                )
            found.add(line)
    return Hamming(sorted(found), words=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The files that a recipe names, and what was in them when the build was planned.

    Each kind has digits of its own: what must not be stored decides about packs, evaluation
    pictures only about numbers that are made of stored hashes.
    """

    blocklists: tuple[str, ...] = ()
    evaluation_images: tuple[str, ...] = ()
    blocked_digest: str = ""
    """Of the blocklists' contents, wherever they are."""
    evaluation_digest: str = ""
    """Of the contents of evaluation lists."""

    @classmethod
    def of(cls, blocklists: tuple[str, ...], evaluation_images: tuple[str, ...]) -> "Lists":
        """The lists as they are now.

        Raises:
            InputError: a file cannot be read.
        """
        return cls(
            blocklists=blocklists,
            evaluation_images=evaluation_images,
            blocked_digest=_digest(_BLOCKLISTS, blocklists),
            evaluation_digest=_digest(_EVALUATION, evaluation_images),
        )

    def blocked(self) -> Blocklist:
        """What must not be stored; read once in each process.

        Raises:
            InputError: a file cannot be read, is no list, or has changed since `of`.
            MissingError: there are PDQ hashes, and pdqhash is not installed.
        """
        return _blocked(self.blocklists, self.blocked_digest)

    def evaluation(self) -> Hamming:
        """The pictures of evaluation sets; read once in each process.

        Raises:
            InputError: a file cannot be read, is no list, or has changed since `of`.
        """
        return _evaluation(self.evaluation_images, self.evaluation_digest)

    def distance(self, phash: str | None) -> dict[str, float]:
        """The score `eval_distance` of a picture with this hash; {} without a hash or pictures.

        Raises:
            InputError: as of `evaluation`.
        """
        if not phash or not self.evaluation_images:
            return {}
        known = self.evaluation()
        return {EVAL_DISTANCE: float(known.nearest(phash))} if len(known) else {}


@functools.lru_cache(maxsize=2)
def _blocked(paths: tuple[str, ...], digest: str) -> Blocklist:
    _check_unchanged(_BLOCKLISTS, paths, digest)
    return read_blocklist(paths)


@functools.lru_cache(maxsize=2)
def _evaluation(paths: tuple[str, ...], digest: str) -> Hamming:
    _check_unchanged(_EVALUATION, paths, digest)
    return read_evaluation_images(paths)


def _check_unchanged(option: str, paths: tuple[str, ...], digest: str) -> None:
    if _digest(option, paths) != digest:
        raise InputError(
            f"{', '.join(paths)}: changed during the build; run the same command again"
        )


def _digest(option: str, paths: Iterable[str]) -> str:
    parts = sorted(hashlib.sha256(_read(Path(path), option)).hexdigest() for path in paths)
    return hashlib.sha256(f"{option} {' '.join(parts)}\n".encode()).hexdigest()


def _lines(path: Path, option: str) -> Iterator[tuple[int, str]]:
    try:
        text = _read(path, option).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{option}: {path}: no text: {error.reason}") from error
    entries = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if bare := line.partition("#")[0].strip().lower():
            entries += 1
            yield number, bare
    if not entries:
        raise InputError(f"{option}: {path}: a list without an entry; take it out, or fill it")


def _read(path: Path, option: str) -> bytes:
    try:
        return read_short_lines(path)
    except OSError as error:
        raise InputError(f"{option}: {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{option}: {path}: {error}") from error


_COUNTS = np.array([value.bit_count() for value in range(1 << 16)], dtype=np.uint8)


def _ones(rows: Any) -> Any:
    if hasattr(np, "bitwise_count"):  # from numpy 2
        return np.bitwise_count(rows)
    return _COUNTS[rows.view(np.uint16)]
