"""Files at URIs: found, told apart, and read by ranges; never copied here whole."""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast
from urllib.parse import urlsplit

from openm3w.errors import InputError
from openm3w.pipeline.ranged import Ranged
from openm3w.shards.clients import faults
from openm3w.shards.uris import fetcher, file_system, is_web, shown, why

HEAD_BYTES = 1 << 20
"""Of a file's beginning, and of its end, that its digest is made from."""

BLOCK_BYTES = 8 << 20
"""Read by one request (ours): at 100 ms a request that is no bound below 80 MB/s."""

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
        return Ranged(fetcher(self.uri, self.size), self.size)


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
        digest = hashlib.blake2b(f"{size} {self.tag}".encode(), digest_size=8)
        if not self.tag and size:
            fetch = fetcher(self.file.uri, size)
            digest.update(fetch(0, min(size, HEAD_BYTES)))
            # Never from 0: a server that gives no parts is found here and not amid the work.
            digest.update(fetch(max(min(1, size - 1), size - HEAD_BYTES), size))
        return digest.hexdigest()


def find(uri: str, option: str) -> list[Found]:
    """The files behind a URI: one, those of a folder at all depths, or those of a pattern.

    Hidden files and folders are left out. `option` stands before the URI in messages.

    Raises:
        InputError: nothing is there, it cannot be read, or HTTP is asked for more than a file.
        MissingError: the package for its protocol is not installed.
    """
    where = f"{option}{shown(uri)}"
    if is_web(uri):
        return [_web_file(uri, where)]
    fs, path = file_system(uri, where)
    try:
        found = list(_listed(fs, path))
    except FileNotFoundError:
        found = []
    except faults() as error:
        raise InputError(f"{where}: cannot be read: {why(error)}") from error
    if not found:
        raise InputError(f"{where}: no such file or folder, or the pattern matches nothing")
    if found[0].alone and not found[0].file.size:
        raise InputError(f"{where}: the file is empty")
    return sorted(found, key=lambda one: one.file.uri)


def _web_file(uri: str, where: str) -> Found:
    parts = urlsplit(uri)
    if "*" in parts.path or parts.path.endswith("/") or not parts.path:
        raise InputError(f"{where}: folders and patterns are not listed over HTTP; name each file")
    fs, path = file_system(uri, where)
    try:
        info = fs.info(path)
    except FileNotFoundError as error:  # of fsspec, whatever went wrong; the cause says what
        raise InputError(f"{where}: cannot be read: {why(error.__cause__ or error)}") from error
    except faults() as error:
        raise InputError(f"{where}: cannot be read: {why(error)}") from error
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
