"""Where the images of a table are: folders, tar files and web archives, and how they are named.

A reference is what a table's cell says. An http(s) URL is looked up in archives by its canonical
spelling, and in folders as `host/path`, which is how mirroring tools store it. Anything else is a
name: a path inside a folder, a member of a tar, or, where no two members share it, a member's
last part.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from openm3w.errors import InputError
from openm3w.filters.url import url_key
from openm3w.pipeline.images.named import OPTION, ImagePlace, PlaceKind
from openm3w.pipeline.remote import File
from openm3w.pipeline.sources import find_sources, looks_like_archive
from openm3w.shards.manifest import MANIFEST_NAME, SUCCESS_NAME
from openm3w.shards.uris import local_path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif")
_CHUNK = 1 << 20


class Member(NamedTuple):
    """A regular file inside a tar."""

    name: str
    offset: int
    """Of its header."""
    length: int


def find_places(
    values: Iterable[str],
    tables: Iterable[File],
    *,
    fetching: bool = False,
    own: Iterable[Path] = (),
) -> tuple[ImagePlace, ...]:
    """What `--images` names; without it the folders of the tables.

    In a named folder the loose files come first, then the tar files and archives in it. `fetching`
    says that the web is asked, too: then the folder of a table is not walked, since it may hold
    anything, and only what the table names is looked up. `own` are the build's output and store,
    which are never walked.

    Raises:
        InputError: nothing is there, a file is neither tar nor archive, or a table is elsewhere and
            nothing says where its images are.
    """
    named = list(map(local_path, values))
    apart = frozenset(path.resolve() for path in own)
    if not named:
        return _beside(tables, apart, fetching=fetching)
    places: list[ImagePlace] = []
    for value in named:
        if not value.strip():
            raise InputError(f"{OPTION}'': an empty name; is a variable of the shell not set?")
        path = Path(value)
        if path.is_dir():
            files = _walk(path, lambda folder: folder.resolve() in apart)
            places.append(_folder(path, path.resolve().name, files))
            packed = [str(p) for p in files if _is_packed(p)]
        else:
            packed = [value]
        places += [place for file in packed for place in _packed(file)]
    return tuple({place.unit: place for place in places}.values())


def is_url(reference: str) -> bool:
    """Whether a reference is an http(s) URL and not a name."""
    return reference.lower().startswith(("http://", "https://"))


def reference_key(reference: str) -> str:
    """One spelling for each image: references with equal keys are the same image."""
    return url_key(reference) if is_url(reference) else _clean_name(reference)


def relative_path(reference: str) -> str | None:
    """Where a folder would hold the image, or None where the name leads out of it."""
    name = reference
    if is_url(reference):
        try:
            parts = urlsplit(reference)
            name = f"{parts.hostname or ''}{unquote(parts.path)}"
        except ValueError:
            return None
    name = _clean_name(name)
    parts_of_name = PurePosixPath(name).parts
    if not parts_of_name or name.startswith("/") or ".." in parts_of_name or "\0" in name:
        return None
    return name


def file_in(folder: Path, reference: str) -> Path | None:
    """The file in `folder` that a reference names, or None."""
    name = relative_path(reference)
    if name is None:
        return None
    try:
        path = folder / name
        return path if path.is_file() else None
    except OSError:  # a name too long for the file system
        return None


def members(path: Path) -> Iterator[Member]:
    """The regular files of a tar, also of one that is cut off, up to the cut.

    Raises:
        tarfile.TarError, OSError: there is no tar, or it is damaged: tarfile itself ends without a
            word where a header is none.
    """
    size = path.stat().st_size
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            if member.isreg() and member.offset_data + member.size <= size:
                yield Member(_clean_name(member.name), member.offset, member.size)
            # tarfile keeps every header it saw; a tar may have a million.
            tar.members.clear()  # type: ignore[attr-defined]
        _check_end(file, tar.offset)


def _check_end(file: BinaryIO, offset: int) -> None:
    """Looks whether a tar ends at `offset`, by zeros (POSIX: two blocks) and nothing behind."""
    file.seek(offset)
    block = file.read(tarfile.BLOCKSIZE)
    if not block:
        raise tarfile.ReadError(f"no mark of its end at byte {offset}: it may be cut off")
    if any(block):
        raise tarfile.ReadError(f"no header at byte {offset}; the rest was not read")
    while rest := file.read(_CHUNK):
        if any(rest):
            raise tarfile.ReadError(f"more follows its end at byte {offset}, and was not read")


def _clean_name(name: str) -> str:
    name = name.strip().replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name


def _beside(
    tables: Iterable[File], apart: frozenset[Path], *, fetching: bool
) -> tuple[ImagePlace, ...]:
    def is_foreign(folder: Path) -> bool:
        return folder.resolve() in apart or _is_no_pictures(folder)

    folders = dict[Path, None]()
    for table in tables:
        if isinstance(table, Path):
            folders[table.parent] = None
        elif not fetching:
            raise InputError(
                f"{table}: no images are beside a table that is elsewhere; name them by --images, "
                "or ask the web with --fetch"
            )
    # Folders are told from each other by their order: where they lie is of this machine.
    return tuple(
        _folder(path, f"beside {at}", () if fetching else _walk(path, is_foreign))
        for at, path in enumerate(folders, start=1)
    )


def _is_no_pictures(folder: Path) -> bool:
    """Whether a folder beside a table is hidden, a dataset, or a build's store."""
    hidden, store = folder.name.startswith("."), folder.name.endswith(".work")
    return (
        hidden or store or any((folder / name).exists() for name in (MANIFEST_NAME, SUCCESS_NAME))
    )


def _walk(top: Path, is_foreign: Callable[[Path], bool]) -> list[Path]:
    """The files in and below a folder, in order, without what stands in foreign folders."""
    found = []
    for folder, below, names in os.walk(top):
        here = Path(folder)
        below[:] = [name for name in below if not is_foreign(here / name)]
        found += [here / name for name in names if (here / name).is_file()]
    return sorted(found)


def _folder(path: Path, name: str, files: Iterable[Path]) -> ImagePlace:
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        if file.suffix.lower() in IMAGE_SUFFIXES:
            digest.update(f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n".encode())
    return ImagePlace(kind="folder", path=path, name=name, digest=digest.hexdigest())


def _is_packed(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith((".tar", ".warc", ".warc.gz", ".arc", ".arc.gz"))


def _packed(value: str) -> Iterator[ImagePlace]:
    found = find_sources([value], accepts=_accepted, what="tar or web archive", option=OPTION)
    if found.unreadable:
        raise InputError(f"{OPTION}{found.unreadable[0]}")
    for source in found.archives:
        kind: PlaceKind = "tar" if _is_tar(source.path) else "archive"
        yield ImagePlace(kind=kind, path=source.path, name=source.name, digest=source.digest)


def _accepted(path: Path) -> bool:
    if path.name.lower().endswith((".tar.gz", ".tgz", ".tar.zst", ".zip")):
        raise InputError(f"{OPTION}{path}: compressed; images are read by offset, so unpack it")
    return _is_tar(path) or looks_like_archive(path)


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(263)[257:262] == b"ustar" or path.name.lower().endswith(".tar")
