"""A list of perceptual hashes from a folder of pictures."""

from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import InputError
from openm3w.pipeline.images.decode import Encoding, UnusableImageError, phash_of
from openm3w.shards import commit

SUFFIXES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a folder's pictures."""

    hashes: int
    unusable: int
    """Those that cannot be decoded, or show next to nothing."""


def write_phashes(folder: Path, output: Path) -> Written:
    """Writes a line for each picture under `folder`: its hash, and its name as a comment.

    Raises:
        InputError: there is no such folder, or no picture in it can be decoded.
        OutputError: the file cannot be written.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no folder; name one that holds pictures")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    lines, unusable = [], 0
    for path in files:
        try:
            digits = phash_of(path.read_bytes(), Encoding())
        except UnusableImageError:
            digits = ""
        if not digits:
            unusable += 1
            continue
        # A name may hold line breaks and bytes that are no text.
        name = path.relative_to(folder).as_posix().encode("ascii", "backslashreplace").decode()
        lines.append(f"{digits}  # {' '.join(name.split())}\n")
    if not lines:
        raise InputError(
            f"{folder}: no picture that can be decoded and shows something among {len(files)} "
            f"files ending in {', '.join(SUFFIXES)}"
        )
    with commit.committed(output, through_link=True) as file:
        file.write("".join(lines).encode())
    return Written(hashes=len(lines), unusable=unusable)
