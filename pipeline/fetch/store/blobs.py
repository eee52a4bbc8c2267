"""Immutable files under a URI: a local folder, or any object store that fsspec knows.

Every file has a name that no other attempt gives, is never changed, and appears whole or not at
all: locally by a temporary file, fsync and rename; in an object store by one upload, which is
visible when it is complete. A store over a protocol that shows files while they grow (SFTP) is
served too: what is half there is then found damaged by its checksum, never taken for whole.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias, cast

from openm3w.errors import InputError, MissingError, OutputError
from openm3w.pipeline.ranged import Ranged
from openm3w.shards import commit
from openm3w.shards.clients import faults, told
from openm3w.shards.uris import shown

_ONE_PUT = 64 << 20
"""Bytes up to which an upload is one request from memory; longer ones come from a file (ours)."""


Range: TypeAlias = tuple[str, int, int | None]
"""Name of a file, first byte, and the byte after the last or None for all that follow."""


class Blobs:
    """The files of one store, named by their path below its URI."""

    def __init__(self, uri: str, fs: Any, root: str, *, local: bool) -> None:
        """`fs` is the file system of what is not `local`, as fsspec has it."""
        self.uri = uri.rstrip("/") or uri
        self._fs = fs
        self._root = root.rstrip("/")
        self._local = local

    @classmethod
    def open(cls, uri: str) -> Self:
        """The files below a URI; nothing is created yet.

        Raises:
            InputError: the URI is empty, of a protocol that fsspec does not know, or a file.
            MissingError: the package for its protocol is not installed.
        """
        if not uri.strip():
            raise InputError("the store's URI is empty; name a folder, or a URI as s3://bucket/dir")
        fs, root = _file_system(uri)
        if fs is None:
            with contextlib.suppress(
                OSError
            ):  # a folder above that hides it is told when it is read
                if Path(root).is_file():
                    raise InputError(f"{shown(uri)}: is a file; a store is a folder")
            return cls(root, None, root, local=True)  # absolute: workers stand in other folders
        return cls(uri, fs, root, local=False)

    def where(self, name: str) -> str:
        """A file as a user would name it."""
        return f"{self.shown}/{name}"

    @property
    def shown(self) -> str:
        """The URI as it may be printed."""
        return shown(self.uri)

    def names(self, folder: str) -> dict[str, int]:
        """Name in the folder -> size in bytes of every file that is committed, read afresh.

        Raises:
            OutputError: the folder cannot be listed.
        """
        try:
            found = self._local_files(folder) if self._local else self._remote_files(folder)
        except FileNotFoundError:
            return {}
        except faults() as error:
            raise self._unreadable(folder, error) from error
        # A file that is being written is hidden; some object stores list the folder as a file.
        return {name: size for name, size in found if not name.startswith(".") and name != folder}

    def _local_files(self, folder: str) -> list[tuple[str, int]]:
        found = []
        with os.scandir(self._path(folder)) as entries:
            for entry in entries:
                # What is renamed or removed meanwhile must not end the list of the others.
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file():
                        found.append((entry.name, entry.stat().st_size))
        return found

    def _remote_files(self, folder: str) -> list[tuple[str, int]]:
        path = self._path(folder)
        self._fs.invalidate_cache(path)
        try:
            found = self._fs.ls(path, detail=True)
        except KeyError:  # of memory://, for what is removed while it is listed
            return self._remote_files(folder)
        files = (one for one in found if one["type"] == "file")
        return [(one["name"].rpartition("/")[2], one["size"]) for one in files]

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file to write, which appears under `name` when the block ends well.

        Raises:
            OutputError: the store cannot be written or is full; nothing is left behind.
        """
        if self._local:
            with commit.committed(Path(self._path(name)), option="--store") as file:
                yield file
            return
        with tempfile.NamedTemporaryFile() as spool:
            yield cast(BinaryIO, spool)
            try:
                spool.flush()
                self._upload(name, spool)
            except faults() as error:
                raise self.unwritable(name, error) from error

    def put(self, name: str, data: bytes) -> None:
        """Commits `data` under `name`.

        Raises:
            OutputError: the store cannot be written or is full.
        """
        with self.writing(name) as file:
            try:
                file.write(data)
            except OSError as error:
                raise self.unwritable(name, error) from error

    def _upload(self, name: str, spool: Any) -> None:
        if spool.tell() <= _ONE_PUT:
            spool.seek(0)
            self._fs.pipe_file(self._path(name), spool.read())
        else:
            self._fs.put_file(spool.name, self._path(name))

    def read(self, name: str) -> bytes:
        """A whole file.

        Raises:
            FileNotFoundError: it is not there.
            OutputError: it cannot be read.
        """
        return self.read_ranges([(name, 0, None)])[0]

    def read_ranges(self, ranges: Sequence[Range]) -> list[bytes]:
        """Parts of files; at once where it can be.

        A part beyond a file's end is shorter, as a slice is.

        Raises:
            FileNotFoundError: a file is not there.
            OutputError: a file cannot be read.
        """
        found = self._local_parts(ranges) if self._local else self._remote_parts(ranges)
        for (name, _, _), data in zip(ranges, found, strict=True):
            if isinstance(data, FileNotFoundError):
                raise FileNotFoundError(self.where(name)) from data
            if isinstance(data, Exception):
                raise self._unreadable(name, data) from data
        return [bytes(data) for data in found]

    def _local_parts(self, ranges: Sequence[Range]) -> list[Any]:
        found: list[Any] = []
        for name, start, end in ranges:
            try:
                with Path(self._path(name)).open("rb") as file:
                    file.seek(start)
                    found.append(file.read(-1 if end is None else end - start))
            except OSError as error:
                found.append(error)
        return found

    def _remote_parts(self, ranges: Sequence[Range]) -> list[Any]:
        paths = [self._path(name) for name, _, _ in ranges]
        starts, ends = [r[1] for r in ranges], [r[2] for r in ranges]
        try:
            return list(self._fs.cat_ranges(paths, starts, ends, on_error="return"))
        except faults() as error:
            return [error] * len(paths)

    def source(self, name: str, size: int) -> Any:
        """What pyarrow reads a file from: only the ranges that it asks for."""
        if self._local:
            return self._path(name)
        return Ranged(lambda start, end: self.read_ranges([(name, start, end)])[0], size)

    def remove(self, names: Iterable[str]) -> None:
        """Removes files; those that are gone already are passed over.

        Raises:
            OutputError: a file cannot be removed.
        """
        for name in names:
            try:
                if self._local:
                    Path(self._path(name)).unlink()
                else:
                    self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                continue
            except faults() as error:
                raise OutputError(
                    f"{self.where(name)}: cannot be removed: {told(error)}; give this account "
                    "the right to, then run the same command again"
                ) from error

    def sweep(self, folder: str, *, older_than_seconds: float) -> None:
        """Removes temporary files that nothing was written to for so long; only locally is any."""
        if not self._local:
            return
        for path in Path(self._path(folder)).glob(".*.tmp"):
            with contextlib.suppress(OSError):  # its writer may be quicker
                if time.time() - path.stat().st_mtime > older_than_seconds:
                    path.unlink()

    def unwritable(self, name: str, error: Exception) -> OutputError:
        """The one line on a file that cannot be written."""
        return OutputError(
            f"{self.where(name)}: cannot be written: {told(error)}; {commit.advice(error)}"
            "choose another --store, then run the same command again"
        )

    def _unreadable(self, name: str, error: Exception) -> OutputError:
        return OutputError(
            f"{self.where(name)}: cannot be read: {told(error)}; see that this account may read it"
        )

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _file_system(uri: str) -> tuple[Any, str]:
    """What fsspec has for a URI, None for a local folder, and the path in it."""
    if uri.startswith("/") and "::" not in uri:  # as workers are told it: they need not load fsspec
        return None, uri.rstrip("/") or "/"
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        fs, root = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        raise MissingError(f"{shown(uri)}: {error}") from error
    except ValueError as error:
        raise InputError(f"{shown(uri)}: no store can be there ({error})") from error
    return (None if isinstance(fs, LocalFileSystem) else fs), root
