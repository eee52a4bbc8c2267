"""Packs: tar files of stored images, one after the other, named by their content.

Originals, where a recipe keeps them, lie beside what was made of them. A pack holds each content
once; the ledger's offset points at the image's bytes, so that a reader needs one range of the file
and no tar.

A build's packs are themselves named by what is in them, and in which order: whoever makes a unit
again, or beside another build, never replaces what places that were read before point at.
"""

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from openm3w.errors import OutputError


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes are: a pack's file name, the offset and the length in bytes, and their hash."""

    pack: str
    offset: int
    length: int
    sha256: str
    """What is to be there, in hexadecimal digits."""


def pack_name(unit: str, digest: str) -> str:
    """The file name of a unit's pack with this content."""
    return f"{unit}-{digest}.tar"


def unit_of(pack: str) -> str:
    """The unit of which a pack was made, by its file name."""
    return pack.removesuffix(".tar").rpartition("-")[0]


class PackWriter:
    """Appends images to a pack that is being written to `file`, under their hash and `suffix`."""

    def __init__(self, file: BinaryIO, name: str, suffix: str = ".jpg") -> None:
        self._file = file
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._name = name
        self._suffix = suffix
        self._places: dict[str, Place] = {}
        self._digest = hashlib.blake2b(digest_size=8)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of what was added: each member's hash, suffix and length in turn.

        Eight bytes, as the store's other names have: packs of one unit are few.
        """
        return self._digest.hexdigest()

    def add(self, sha256: str, data: bytes, suffix: str | None = None) -> Place:
        """The place of `data`, which is written unless the pack has it already.

        `suffix`: of this member, where it is another than the pack's.
        """
        place = self._places.get(sha256)
        if place is None:
            name = sha256 + (self._suffix if suffix is None else suffix)
            head = _header(name.encode("ascii"), len(data))
            offset = self._tar.offset + len(head)
            # In one piece: `addfile` makes four of it, and remembers every member.
            whole = b"".join((head, data, bytes(-len(data) % tarfile.BLOCKSIZE)))
            self._file.write(whole)
            self._tar.offset += len(whole)
            self._digest.update(head)
            place = self._places[sha256] = Place(self._name, offset, len(data), sha256)
        return place

    def close(self) -> None:
        """Writes the tar's end; the file stays open."""
        self._tar.close()


def _header(name: bytes, size: int) -> bytes:
    """The bytes of `TarInfo.tobuf`, which makes all fields anew, of a member of this name and size.

    Raises:
        ValueError: a field is too short for its value.
    """
    if len(name) > _NAME or size >= _SIZES:
        raise ValueError(f"a member of {len(name)} letters and {size} bytes does not fit USTAR")
    digits = b"%011o" % size
    # Unsigned, over all bytes, where its own field counts as blanks.
    total = _BLANK_SUM + sum(name) + sum(digits) - 11 * ord("0")
    return b"%s%s%s\0%s%06o%s" % (
        name.ljust(_NAME, b"\0"), _BLANK[100:124], digits, _BLANK[136:148], total, _BLANK[154:],
    )  # fmt: skip


_NAME, _SIZES = 100, 8**11
"""What the fields of a name and of a size hold."""
_BLANK = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)
"""The header of a member without name and bytes."""
_BLANK_SUM = sum(_BLANK[:148]) + 8 * ord(" ") + sum(_BLANK[156:])


class PackReader:
    """Reads images from the packs of a folder, keeping a few files open."""

    def __init__(self, folder: Path, *, max_open: int = 16) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._max_open = max_open

    def read(self, place: Place) -> bytes:
        """The image's bytes.

        Raises:
            OutputError: the pack is missing, shorter than its ledger says, or holds other bytes.
        """
        try:
            file = self._files.pop(place.pack, None) or self._open(place.pack)
            self._files[place.pack] = file  # the most recently used stands last
            file.seek(place.offset)
            data = file.read(place.length)
        except OSError as error:
            raise self._damaged(place.pack, error.strerror or "cannot be read") from error
        if len(data) != place.length:
            raise self._damaged(place.pack, "shorter than its ledger says")
        if hashlib.sha256(data).hexdigest() != place.sha256:
            raise self._damaged(place.pack, "holds other bytes than its ledger says")
        return data

    def _damaged(self, pack: str, what: str) -> OutputError:
        path = self._folder / pack
        return OutputError(
            f"{path}: {what}; remove {unit_of(pack)}.json beside it and run the m3w build of this "
            "store again, which gets these images once more"
        )

    def _open(self, pack: str) -> BinaryIO:
        while len(self._files) >= self._max_open:
            self._files.pop(next(iter(self._files))).close()
        return (self._folder / pack).open("rb")

    def close(self) -> None:
        """Closes all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> "PackReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
