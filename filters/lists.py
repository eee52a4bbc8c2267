"""Files that name domains or URLs: plain lists, and compact sets of hashes for the long ones.

A list is text in UTF-8, one entry a line; lines that begin with `#`, and what follows a space and
a `#`, are comments. A domain has a dot; `.org` is all of a top-level domain. A folder stands for
the file `domains` or `urls` in it, as the University of Toulouse's blacklists (UT1) are laid out. A
list is read once a process, when it is first asked.

A hash set is 24 bytes of header (magic, kind, number of entries) and the sorted 64-bit BLAKE2b
hashes of its entries, little endian. It is read through once, to check it, and mapped into memory
that all processes of a machine share. A name that is not in a set of n entries is taken for one of
them once in 2^64 / n times: 2.5e-13 for UT1's 4.6 million.
"""

import functools
import hashlib
import os
import re
import stat
import struct
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from openm3w.errors import InputError
from openm3w.filters.url import ascii_host, url_key
from openm3w.shards import commit

Kind = Literal["domain", "url"]
KINDS: tuple[Kind, ...] = ("domain", "url")

MAGIC = b"M3WHSET1"
_HEADER = struct.Struct("<8s8sQ")
_IN_FOLDER: dict[Kind, str] = {"domain": "domains", "url": "urls"}
_COMMENT = re.compile(r"(^|\s)#.*")
# Underscores and the like occur in names that resolve; what cannot be part of a host cannot match.
_HOST = re.compile(r"[^\s\x00-\x1f\x7f/:?#@\[\].%*]+(\.[^\s\x00-\x1f\x7f/:?#@\[\].%*]+)*")
_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_MAX_LABEL, _MAX_HOST = 63, 253  # RFC 1035, 2.3.4
_SEVERAL = 64  # lists that one process holds at a time


@dataclass(frozen=True, slots=True, eq=False)
class HashSet:
    """Asks a mapped file whether it holds the hash of a string."""

    hashes: Any
    """uint64[n], sorted."""

    def __contains__(self, key: object) -> bool:
        import numpy as np

        if not isinstance(key, str) or not len(self.hashes):
            return False
        wanted = np.uint64(entry_hash(key))
        place = int(np.searchsorted(self.hashes, wanted))
        return place < len(self.hashes) and bool(self.hashes[place] == wanted)


def entry_hash(key: str) -> int:
    """64 bits of BLAKE2b."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def load(path: str, kind: Kind) -> Container[str]:
    """The keys of a list or hash set: host names, or `url_key`s.

    Raises:
        InputError: it is not there, a line is no domain or URL, or the set is damaged or of the
            other kind.
    """
    found, stamp = _stamped(path, kind)
    return _load(found, kind, stamp)


def content_digest(path: str, kind: Kind) -> str:
    """Digest of the file's bytes, 32 hex digits: equal content, equal digits, wherever it lies.

    Raises:
        InputError: it is not there.
    """
    return _digest(*_stamped(path, kind))


def domain_keys(url: str) -> tuple[str, ...]:
    """The host of a URL and every domain that it is under, longest first; () where there is none.

    An IP address is under nothing.
    """
    try:
        host = ascii_host(urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        return ()
    if not host:
        return ()
    labels = host.split(".")
    if ":" in host or labels[-1].isdecimal():
        return (host,)
    return tuple(".".join(labels[at:]) for at in range(len(labels)))


def write_hash_set(paths: Iterable[str], kind: Kind, output: Path) -> int:
    """Writes one hash set of all entries of these lists and sets; returns their number.

    Raises:
        InputError: a list does not load.
        OutputError: the file cannot be written.
    """
    import numpy as np

    paths = list(paths)
    if any(output.exists() and output.samefile(_stamped(path, kind)[0]) for path in paths):
        raise InputError(f"{output}: is one of the lists; name another file for the hash set")
    arrays = [_hashes(path, kind) for path in paths]
    merged = np.unique(np.concatenate([np.zeros(0, "<u8"), *arrays])).astype("<u8")
    with commit.committed(output, through_link=True) as file:
        file.write(_HEADER.pack(MAGIC, kind.encode(), len(merged)))
        file.write(merged.tobytes())
    return len(merged)


Stamp = tuple[int, int, int]
"""Tells one state of a file from the next: inode, time of the last change, size."""


def _stamped(path: str, kind: Kind) -> tuple[str, Stamp]:
    found = path
    try:
        about = os.stat(found)  # noqa: PTH116 - for each page, and a Path takes twice as long
        if stat.S_ISDIR(about.st_mode):
            found = f"{path}/{_IN_FOLDER[kind]}"
            about = os.stat(found)  # noqa: PTH116
    except OSError as error:
        raise InputError(f"{found}: no such list of {kind}s ({error.strerror})") from None
    return found, (about.st_ino, about.st_mtime_ns, about.st_size)


@functools.lru_cache(maxsize=_SEVERAL)
def _load(name: str, kind: Kind, stamp: Stamp) -> Container[str]:
    path = Path(name)
    if _is_hash_set(path):
        return HashSet(_mapped(path, kind, stamp[2]))
    keys = frozenset(_keys(path, kind))
    if not keys:
        raise InputError(f"{path}: a list without an entry; take it out, or fill it")
    return keys


@functools.lru_cache(maxsize=_SEVERAL)
def _digest(name: str, stamp: Stamp) -> str:
    del stamp
    path = Path(name)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _hashes(path: str, kind: Kind) -> Any:
    import numpy as np

    name, stamp = _stamped(path, kind)
    found = Path(name)
    if _is_hash_set(found):
        return _mapped(found, kind, stamp[2])
    return np.fromiter(map(entry_hash, _keys(found, kind)), "<u8")


def _is_hash_set(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _mapped(path: Path, kind: Kind, size: int) -> Any:
    import numpy as np

    with path.open("rb") as file:
        head = file.read(_HEADER.size)
    count = _HEADER.unpack(head)[2] if len(head) == _HEADER.size else -1
    if size != _HEADER.size + 8 * count:
        raise InputError(f"{path}: a hash set that is cut off or damaged; make it again")
    holds = head[8:16].rstrip(b"\0").decode("ascii", "replace")
    if holds != kind:
        raise InputError(f"{path}: a hash set of {holds}s, where {kind}s are asked for")
    mapped = np.memmap(path, "<u8", "r", _HEADER.size) if count else np.zeros(0, "<u8")
    hashes = np.asarray(mapped)  # indexing a memmap makes an object each time
    if not np.all(hashes[1:] > hashes[:-1]):
        raise InputError(f"{path}: a hash set whose hashes are not in order; make it again")
    return hashes


def _keys(path: Path, kind: Kind) -> Iterator[str]:
    read: Callable[[str], tuple[str, ...]] = _read_domain if kind == "domain" else _read_url
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                    if entry := _COMMENT.sub("", text).strip():
                        yield from read(entry)
                except ValueError as error:
                    # Of a file that is no text a line may be of any length.
                    raise InputError(f"{path}, line {number}: {str(error)[:200]}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _read_domain(entry: str) -> tuple[str, ...]:
    host = ascii_host(entry.strip("."))
    if _HASH.fullmatch(host):
        raise ValueError(f"{entry[:80]!r} is a hash as of a blocklist of images, and no domain")
    # A list of other things must not pass for one of domains. Who means a whole top-level domain
    # says so by a dot: `.example`.
    too_long = len(host) > _MAX_HOST or any(len(label) > _MAX_LABEL for label in host.split("."))
    if not _HOST.fullmatch(host) or "." not in entry or too_long:
        raise ValueError(f"{entry[:80]!r} is no domain, expected one as example.org")
    return (host,)


def _read_url(entry: str) -> tuple[str, ...]:
    urls = (entry,) if "://" in entry else (f"http://{entry}", f"https://{entry}")
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
            raise ValueError(f"{entry[:80]!r} is no URL, expected one as https://example.org/page")
    return tuple(map(url_key, urls))
