"""Where a dataset lies: in a folder of this machine, in an object store, or behind a web server.

A `Location` is a `pathlib.Path`, or a `RemotePath`, which has those of its methods that reading
needs. fsspec is imported for what is remote, and only then.
"""

import contextlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

from openm3w.errors import InputError
from openm3w.shards import uris
from openm3w.shards.clients import faults, is_denied

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
"""Two letters or more: one alone is a drive of Windows."""


@dataclass(frozen=True, slots=True, repr=False)
class RemotePath:
    """A file or folder of a store or web server; it is printed without what may be a secret.

    A query, as that of a signed web address, stays with every name below.
    """

    uri: str

    def __str__(self) -> str:
        return uris.shown(self.uri)

    def __repr__(self) -> str:
        return f"RemotePath({str(self)!r})"

    def __truediv__(self, name: str) -> "RemotePath":
        name = quote(name) if uris.is_web(self.uri) else name
        # Joined by hand: `..` never leads out of the bucket or the server.
        path = f"{self._path}/{name}".lstrip("/")  # of two slashes in front POSIX keeps both
        return self._with_path(posixpath.normpath(f"/{path}"))

    @property
    def name(self) -> str:
        return posixpath.basename(self._path)

    @property
    def parent(self) -> "RemotePath":
        return self._with_path(posixpath.dirname(self._path))

    def with_name(self, name: str) -> "RemotePath":
        return self.parent / name

    def resolve(self) -> "RemotePath":
        """Itself: what stands for it elsewhere nobody knows."""
        return self

    def size(self) -> int | None:
        """Bytes of the file; None where there is none.

        Raises:
            InputError: the store or server does not answer, or has no such bucket or permission.
        """
        with self._asked() as (fs, path):
            try:
                info = fs.info(path)
            except FileNotFoundError:
                return None
            if info.get("type") == "directory":
                return None
            if info.get("size") is None:
                raise InputError(f"{self}: its server does not tell its size; download it first")
            return int(info["size"])

    def is_file(self) -> bool:
        return self.size() is not None

    def read_bytes(self) -> bytes:
        """All of the file.

        Raises:
            FileNotFoundError: there is none.
            InputError: it cannot be read.
        """
        with self._asked() as (fs, path):
            return bytes(fs.cat_file(path))

    def names_below(self) -> list[str]:
        """Names of all files below the folder, relative to it.

        A web server tells of none, nor does a store that lets this account read and not list.
        """
        if uris.is_web(self.uri):
            return []
        with self._asked() as (fs, path):
            # A listing of another moment would hide what was written since.
            fs.invalidate_cache()
            try:
                return [name.removeprefix(f"{path}/") for name in fs.find(path)]
            except faults() as error:
                if is_denied(error):
                    return []
                raise

    @property
    def _path(self) -> str:
        return urlsplit(self.uri).path if uris.is_web(self.uri) else self._split()[1]

    def _split(self) -> tuple[str, str]:
        """Scheme with bucket, and path: an object's name may hold `?` and `#`."""
        scheme, _, rest = self.uri.partition("://")
        bucket, slash, path = rest.partition("/")
        return f"{scheme}://{bucket}", slash + path

    def _with_path(self, path: str) -> "RemotePath":
        if uris.is_web(self.uri):
            return RemotePath(urlunsplit(urlsplit(self.uri)._replace(path=path, fragment="")))
        return RemotePath(self._split()[0] + ("" if path == "/" else path))

    @contextlib.contextmanager
    def _asked(self) -> Iterator[tuple[Any, str]]:
        fs, path = uris.file_system(self.uri, str(self))
        try:
            yield fs, path
        except FileNotFoundError:
            raise
        except faults() as error:
            raise InputError(f"{self}: cannot be read: {uris.why(error)}") from error


Location: TypeAlias = Path | RemotePath


def locate(value: str | Path | RemotePath) -> Location:
    """What a user or a mixture names: a path, or a URI of a scheme that we read.

    Raises:
        InputError: it is of another scheme, as `pipe:`, which in webdataset runs a command.
    """
    if not isinstance(value, str):
        return value
    if uris.is_local(value):
        return Path(uris.local_path(value))
    found = _SCHEME.match(value)
    if found is None or (not uris.is_remote(value) and Path(value).exists()):
        return Path(value)
    scheme = found[1].lower()
    if scheme not in uris.SCHEMES or not uris.is_remote(value):
        # Without the rest: of a command or of another scheme nobody knows what is a secret.
        raise InputError(
            f"{scheme}: nothing is read there; name a path, or a URI of gs://, s3:// or https://"
        )
    if not uris.is_web(value):
        value = value.rstrip("/")
    return RemotePath(scheme + value[len(scheme) :])


def names_below(folder: Location) -> list[str]:
    """Names of all files below a folder, relative to it, sorted; [] where it is not there."""
    if isinstance(folder, RemotePath):
        return sorted(folder.names_below())
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def read_if_there(location: Location) -> bytes | None:
    """The bytes of a small file; None where there is none."""
    try:
        return location.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
