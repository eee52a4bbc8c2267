"""What must never be fetched again, nor read: addresses, domains and contents that were taken down.

A list is text: a line is an http(s) URL, a domain (or the IPv4 address of a host without one), or
64 hex digits of a SHA-256; blank lines and what follows a `#` after a blank are passed over. The
store keeps what was ever buried in files of `tombstones/` that are named by their hash and only
grow in number.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from openm3w.errors import InputError, OutputError
from openm3w.filters.url import ascii_host, is_public_suffix, url_key
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.users_lists import read_short_lines
from openm3w.shards.uris import is_remote, local_path, shown, why

if TYPE_CHECKING:
    from openm3w.pipeline.fetch.store.memory import Memory

FOLDER = "tombstones"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstones:
    """URLs, domains and contents that are refused."""

    urls: frozenset[str] = frozenset()
    """Canonical URLs without their scheme and user: an address is the same over http and https."""
    domains: frozenset[str] = frozenset()
    sha256: frozenset[str] = frozenset()
    lines: frozenset[str] = field(default=frozenset(), repr=False)
    """All entries, in one spelling each."""

    @classmethod
    def of(cls, entries: Iterable[str], where: str = "tombstones") -> Self:
        """The tombstones of a list's lines; `where` names the list in errors.

        Raises:
            InputError: a line is neither URL, domain nor SHA-256.
        """
        lines = frozenset(
            _entry(text, f"{where}:{number}")
            for number, line in enumerate(entries, 1)
            if (text := _COMMENT.sub("", line).strip())
        )
        return cls(
            urls=frozenset(_address(line) for line in lines if "://" in line),
            domains=frozenset(line for line in lines if "." in line and "://" not in line),
            sha256=frozenset(line for line in lines if "." not in line and "://" not in line),
            lines=lines,
        )

    @classmethod
    def load(cls, memory: "Memory") -> Self:
        """Everything that was ever buried in a store.

        Raises:
            OutputError: a file of tombstones is damaged: what it forbids is not known.
        """
        return cls.of(_buried(memory.blobs))

    def covers(self, url: str) -> bool:
        """Whether an address is buried, by itself or by its domain or one above; never raises."""
        if not self.urls and not self.domains:
            return False
        key = url_key(url)
        return _address(key) in self.urls or any(d in self.domains for d in _above(key))

    def covers_content(self, sha256: str) -> bool:
        """Whether bytes of this hash are buried."""
        return sha256.lower() in self.sha256

    def __len__(self) -> int:
        return len(self.lines)


def read_list(uri: str) -> list[str]:
    """The lines of a list, local or remote.

    Raises:
        InputError: it cannot be read, is no UTF-8 text or no list.
    """
    try:
        return _read(uri).decode("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{shown(uri)}: no such list of tombstones") from None
    except (OSError, OutputError, ValueError) as error:
        # The client's own error: ours would name the file with what its URI keeps secret.
        told = why(error.__cause__ or error).replace(uri, shown(uri))
        raise InputError(f"{shown(uri)}: cannot be read as a list of tombstones ({told})") from None


def _read(uri: str) -> bytes:
    if not is_remote(uri):
        return read_short_lines(Path(local_path(uri)))
    folder, _, name = uri.rpartition("/")
    return Blobs.open(folder).read(name)


def bury(blobs: Blobs, entries: Iterable[str], known: Tombstones) -> int:
    """Adds to a store what is not in it yet; how many entries that was.

    Raises:
        InputError: an entry is neither URL, domain nor SHA-256, or a domain under which anybody
            registers others; nothing is buried then.
        OutputError: the store cannot be written.
    """
    new = Tombstones.of(entries).lines - known.lines
    # Here alone: what a store has buried stays so, whatever becomes a suffix later.
    if suffixes := sorted(line for line in new if "/" not in line and is_public_suffix(line)):
        raise InputError(
            f"{suffixes[0]}: is a public suffix, with the domains of many owners; name theirs"
        )
    if new:
        data = "".join(f"{line}\n" for line in sorted(new)).encode()
        blobs.put(f"{FOLDER}/{_name(data)}", data)
    return len(new)


def names(blobs: Blobs) -> frozenset[str]:
    """The files of tombstones of this moment."""
    return frozenset(name for name in blobs.names(FOLDER) if name.endswith(".txt"))


def _buried(blobs: Blobs) -> Iterator[str]:
    for name in sorted(names(blobs)):
        data = blobs.read(f"{FOLDER}/{name}")
        if _name(data) != name:
            raise OutputError(
                f"{blobs.where(FOLDER)}/{name}: damaged: its bytes are not those that were "
                "written; bury its entries again and remove it"
            )
        yield from data.decode().splitlines()


def _name(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()[:32]}.txt"


def _entry(text: str, where: str) -> str:
    """A line in its one spelling."""
    if _SHA256.fullmatch(text):
        return text.lower()
    if _URL.match(text) and (key := url_key(text)).isprintable() and " " not in key:
        return key
    try:
        domain = ascii_host(text.rstrip("."))
    except ValueError:
        domain = ""
    if _DOMAIN.fullmatch(domain) or _is_ipv4(domain):
        return domain
    raise InputError(
        f"{where}: {text[:80]!r} is neither an http(s) URL, a domain nor 64 hex digits of SHA-256"
    )


def _is_ipv4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def _address(key: str) -> str:
    """A canonical URL without what leads to the same place: scheme, user, a dot after the host."""
    place, _, rest = key.partition("://")[2].partition("/")
    host, colon, port = place.rpartition("@")[2].partition(":")
    return f"{host.rstrip('.')}{colon}{port}/{rest}"


def _above(key: str) -> Iterator[str]:
    """The host of a canonical URL and every domain above it."""
    try:
        host = (urlsplit(key).hostname or "").rstrip(".")
    except ValueError:
        return
    while host:
        yield host
        host = host.partition(".")[2]
