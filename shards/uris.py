"""What a URI is, and how the bytes behind it are asked for: whatever fsspec knows.

What a server or a store cannot give is an error that ends the run: a file that could not be read
today is not a damaged one, and must not be committed as one.
"""

import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, cast

from openm3w import __version__
from openm3w.errors import InputError, MissingError
from openm3w.shards.clients import faults, told

_PAUSES = (1.0, 5.0)
"""Seconds before a read that failed is tried again (ours): what is restarted is back by then."""

_STALL_SECONDS = 60.0
"""A web server that sends nothing for so long has failed (ours)."""
_REQUEST_SECONDS = 600.0
"""Of one request in all (ours): a block at 14 kB/s."""

_URI = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WEB = ("http://", "https://")
_LOCAL = "file://"
_USER = re.compile(r"://[^/]*@")
"""Name and password, in each part of what fsspec chains, as `simplecache::ftp://me:word@host`."""


def is_remote(value: str) -> bool:
    """Whether an input is a URI of something else than a file of this machine."""
    return _URI.match(value) is not None and not is_local(value)


def is_uri(value: str) -> bool:
    """Whether an input is a URI of any scheme, `file` too."""
    return _URI.match(value) is not None


def is_local(value: str) -> bool:
    """Whether an input is a `file://` URI."""
    return value.lower().startswith(_LOCAL)


def is_web(uri: str) -> bool:
    """Whether a URI is that of a web server, which has no folders to list."""
    return uri.lower().startswith(_WEB)


def local_path(value: str) -> str:
    """The path of a `file://` URI; anything else as it is."""
    if not is_local(value):
        return value
    from fsspec.implementations.local import LocalFileSystem

    # As all of fsspec reads it, which knows schemes in small letters alone.
    return str(LocalFileSystem._strip_protocol(_LOCAL + value[len(_LOCAL) :]))  # noqa: SLF001


def shown(uri: str) -> str:
    """A URI as it may be printed and stored: without what may be a secret; a path as it is."""
    if is_local(uri):
        return uri
    if is_web(uri):
        uri = uri.partition("?")[0].partition("#")[0]
    return _USER.sub("://", uri)


def why(error: BaseException) -> str:
    """An error of a server or store in one line; aiohttp's own would hold the whole address."""
    if status := getattr(error, "status", 0):
        return f"{status} {getattr(error, 'message', '')}".strip()
    return told(cast(Exception, error))


def file_system(uri: str, where: str) -> tuple[Any, str]:
    """The file system that fsspec has for a URI, and the path in it; `where` names it in messages.

    Raises:
        InputError: nothing can be read there.
        MissingError: the package for its protocol is not installed.
    """
    import fsspec

    try:
        options = _web_options() if is_web(uri) else {}
        found = fsspec.core.url_to_fs(uri, **options)
    except ImportError as error:
        raise MissingError(
            f"{where}: the package for its scheme is not installed ({error.name or error}); "
            "pip install 'openm3w[remote]'"
        ) from error
    except ValueError as error:
        raise InputError(f"{where}: nothing can be read there ({error})") from error
    except faults() as error:
        raise InputError(f"{where}: cannot be read: {why(error)}") from error
    return cast(tuple[Any, str], found)


def _web_options() -> dict[str, Any]:
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(
        total=_REQUEST_SECONDS, sock_connect=_STALL_SECONDS, sock_read=_STALL_SECONDS
    )
    # The file's own bytes are asked for: neither the server nor the client may unpack them.
    return {
        "headers": {"Accept-Encoding": "identity", "User-Agent": f"openm3w/{__version__}"},
        "client_kwargs": {"auto_decompress": False, "timeout": timeout},
    }


def fetcher(uri: str, size: int) -> Callable[[int, int], bytes]:
    """What reads the bytes from one offset up to another, up to three times where that fails.

    It raises InputError where they cannot be had.
    """
    where = shown(uri)
    fs, path = file_system(uri, where)
    fetch = _web_parts(fs, path, size) if is_web(uri) else None

    def read(start: int, end: int) -> bytes:
        for pause in (*_PAUSES, None):
            try:
                # By keyword: the second argument of s3fs is a version.
                data = fetch(start, end) if fetch else fs.cat_file(path, start=start, end=end)
                if len(data) == end - start:
                    return data
                raise OSError(f"came as {len(data)} bytes of {end - start}")
            except FileNotFoundError as error:
                raise InputError(f"{where}: is not there any more") from error
            except ValueError as error:  # of fsspec, where a server sends another part or all
                raise InputError(
                    f"{where}: its server gives no parts of files; download it first"
                ) from error
            except faults() as error:
                if pause is None:
                    raise InputError(
                        f"{where}: cannot be read: {why(error)}; run the same command again"
                    ) from error
                time.sleep(pause)
        raise AssertionError  # the last turn returns or raises

    return read


def _web_parts(fs: Any, path: str, size: int) -> Callable[[int, int], bytes]:
    # Unlike `cat_file` this does not take a whole file for the part that was asked for.
    file = fs.open(path, "rb", block_size=size, cache_type="none", size=size)
    lock = Lock()

    def read(start: int, end: int) -> bytes:
        with lock:
            file.seek(start)
            return bytes(file.read(end - start))

    return read
