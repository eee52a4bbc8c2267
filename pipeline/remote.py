"""Files at URIs: whatever fsspec knows, told apart and read by ranges, never copied here whole.

What a server or a store cannot give is an error that ends the run: a file that could not be read
today is not a damaged one, and must not be committed as one.
"""

import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast
from urllib.parse import urlsplit

from openm3w import __version__
from openm3w.errors import InputError, MissingError
from openm3w.pipeline.fetch.store.clients import faults, told
from openm3w.pipeline.ranged import Ranged

HEAD_BYTES = 1 << 20
"""Of a file's beginning, and of its end, that its digest is made from."""

BLOCK_BYTES = 8 << 20
"""Read by one request (ours): at 100 ms a request that is no bound below 80 MB/s."""

_PAUSES = (1.0, 5.0)
"""Seconds before a read that failed is tried again (ours): what is restarted is back by then."""

_URI = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WEB = ("http://", "https://")
_LOCAL = "file://"
_MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file at a URI. Small and picklable: workers open it again."""

    uri: str
    size: int

    @property
    def name(self) -> str:
        """The last part of its path."""
        return shown(self.uri).rpartition("/")[2]

    def __str__(self) -> str:
        return shown(self.uri)

    def open(self, mode: Literal["rb"]) -> BinaryIO:  # noqa: ARG002 - as `Path.open` is called
        """The file for reading, from any place in it.

        Its reads raise InputError where the server or store fails.
        """
        return cast(BinaryIO, io.BufferedReader(self.ranged(), buffer_size=BLOCK_BYTES))

    def ranged(self) -> Ranged:
        """As `open`, without reading ahead: each read is a request for so many bytes."""
        return Ranged(_fetcher(self), self.size)


File = Path | RemoteFile
"""A file here or elsewhere: both have `name`, `open("rb")`, and a string to tell it by."""


def first_bytes(file: File, count: int) -> bytes:
    """The beginning of a file.

    Raises:
        OSError: it cannot be read.
        InputError: it is elsewhere and cannot be read.
    """
    with file.open("rb") if isinstance(file, Path) else file.ranged() as stream:
        return stream.read(count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file behind a URI that a user named."""

    file: RemoteFile
    name: str
    """Its path below what the user named; holds no host and no bucket."""
    tag: str
    """What the store calls this content; "" where it says nothing that can be relied on."""
    alone: bool
    """Whether the URI names this file and not a folder or a pattern."""

    def digest(self) -> str:
        """16 hex digits over size and tag, else over size, beginning and end.

        Raises:
            InputError: it cannot be read, or not in parts.
        """
        size = self.file.size
        digest = hashlib.blake2b(f"{size}{self.tag}".encode(), digest_size=8)
        if not self.tag and size:
            fetch = _fetcher(self.file)
            digest.update(fetch(0, min(size, HEAD_BYTES)))
            # Never from 0: a server that gives no parts is found here and not amid the work.
            digest.update(fetch(max(min(1, size - 1), size - HEAD_BYTES), size))
        return digest.hexdigest()


def is_remote(value: str) -> bool:
    """Whether an input is a URI of something else than a file of this machine."""
    return _URI.match(value) is not None and not value.lower().startswith(_LOCAL)


def local_path(value: str) -> str:
    """The path of a `file://` URI; anything else as it is."""
    if not value.lower().startswith(_LOCAL):
        return value
    from fsspec.implementations.local import LocalFileSystem

    return str(LocalFileSystem._strip_protocol(value))  # noqa: SLF001 - as all of fsspec reads it


def shown(uri: str) -> str:
    """A URI as it may be printed and stored: without what may be a secret; a path as it is."""
    if not is_remote(uri):
        return uri
    scheme, _, rest = uri.partition("://")
    if uri.lower().startswith(_WEB):
        rest = rest.partition("?")[0].partition("#")[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def find(uri: str, option: str) -> list[Found]:
    """The files behind a URI: one, those of a folder at all depths, or those of a pattern.

    Hidden files and folders are left out. `option` stands before the URI in messages.

    Raises:
        InputError: nothing is there, it cannot be read, or HTTP is asked for more than a file.
        MissingError: the package for its protocol is not installed.
    """
    where = f"{option}{shown(uri)}"
    if uri.lower().startswith(_WEB):
        return [_web_file(uri, where)]
    fs, path = _file_system(uri, where)
    try:
        found = list(_listed(fs, path))
    except FileNotFoundError:
        found = []
    except faults() as error:
        raise InputError(f"{where}: cannot be read: {told(error)}") from error
    if not found:
        raise InputError(f"{where}: no such file or folder, or the pattern matches nothing")
    if found[0].alone and not found[0].file.size:
        raise InputError(f"{where}: the file is empty")
    return sorted(found, key=lambda one: one.file.uri)


def _web_file(uri: str, where: str) -> Found:
    parts = urlsplit(uri)
    if "*" in parts.path or parts.path.endswith("/") or not parts.path:
        raise InputError(f"{where}: folders and patterns are not listed over HTTP; name each file")
    fs, path = _file_system(uri, where)
    try:
        info = fs.info(path)
    except FileNotFoundError as error:  # of fsspec, whatever went wrong; the cause says what
        why = told(cast(Exception, error.__cause__ or error))
        raise InputError(f"{where}: cannot be read: {why}") from error
    except faults() as error:
        raise InputError(f"{where}: cannot be read: {told(error)}") from error
    if info["size"] is None:
        raise InputError(f"{where}: its server does not say how long it is; download it first")
    if not info["size"]:
        raise InputError(f"{where}: the file is empty")
    file = RemoteFile(uri=uri, size=info["size"])
    # Two machines behind one name may tag the same file differently: its bytes are asked.
    return Found(file=file, name=file.name, tag="", alone=True)


def _listed(fs: Any, path: str) -> Iterator[Found]:
    try:
        info = fs.info(path)
    except FileNotFoundError:
        if not (magic := _MAGIC.search(path)):
            raise
        fixed = path[: magic.start()].rpartition("/")[0]
        for name, info in _shown(fs.glob(path, detail=True), fixed):
            yield _found(fs, info, name.rpartition("/")[2], alone=False)
        return
    if info["type"] == "file":
        yield _found(fs, info, info["name"].rpartition("/")[2], alone=True)
        return
    for name, info in _shown(fs.find(path, detail=True), path):
        yield _found(fs, info, name, alone=False)


def _shown(
    infos: Mapping[str, Mapping[str, Any]], root: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The files that are not hidden, each with its path below the root."""
    for path, info in infos.items():
        name = path.removeprefix(root.rstrip("/") + "/")
        hidden = any(part.startswith(".") for part in name.split("/"))
        # Some stores list a folder as an empty file.
        if info["type"] == "file" and not hidden and not path.endswith("/"):
            yield name, info


def _found(fs: Any, info: Mapping[str, Any], name: str, *, alone: bool) -> Found:
    file = RemoteFile(uri=fs.unstrip_protocol(info["name"]), size=info["size"] or 0)
    tag = next((str(info[key]) for key in ("md5Hash", "ETag", "etag") if info.get(key)), "")
    return Found(file=file, name=name, tag=tag, alone=alone)


def _file_system(uri: str, where: str) -> tuple[Any, str]:
    import fsspec

    # The file's own bytes are asked for: neither the server nor the client may unpack them.
    web = {
        "headers": {"Accept-Encoding": "identity", "User-Agent": f"openm3w/{__version__}"},
        "client_kwargs": {"auto_decompress": False},
    }
    try:
        found = fsspec.core.url_to_fs(uri, **(web if uri.lower().startswith(_WEB) else {}))
    except ImportError as error:
        raise MissingError(f"{where}: {error}") from error
    except ValueError as error:
        raise InputError(f"{where}: nothing can be read there ({error})") from error
    except faults() as error:
        raise InputError(f"{where}: cannot be read: {told(error)}") from error
    return cast(tuple[Any, str], found)


def _fetcher(file: RemoteFile) -> Callable[[int, int], bytes]:
    """What reads a part of a file, up to three times where that fails."""
    fs, path = _file_system(file.uri, str(file))
    fetch = _web_parts(fs, path, file.size) if file.uri.lower().startswith(_WEB) else None

    def read(start: int, end: int) -> bytes:
        for pause in (*_PAUSES, None):
            try:
                data = fetch(start, end) if fetch else bytes(fs.cat_file(path, start, end))
                if len(data) == end - start:
                    return data
                raise OSError(f"came as {len(data)} bytes of {end - start}")
            except FileNotFoundError as error:
                raise InputError(f"{file}: is not there any more") from error
            except ValueError as error:  # of fsspec, where a server sends another part or all
                raise InputError(
                    f"{file}: its server gives no parts of files; download it first"
                ) from error
            except faults() as error:
                if pause is None:
                    raise InputError(
                        f"{file}: cannot be read: {told(error)}; run the same command again"
                    ) from error
                time.sleep(pause)
        raise AssertionError  # the last turn returns or raises

    return read


def _web_parts(fs: Any, path: str, size: int) -> Callable[[int, int], bytes]:
    # Unlike `cat_file` this does not take a whole file for the part that was asked for.
    file = fs.open(path, "rb", block_size=BLOCK_BYTES, cache_type="none", size=size)

    def read(start: int, end: int) -> bytes:
        file.seek(start)
        return bytes(file.read(end - start))

    return read
