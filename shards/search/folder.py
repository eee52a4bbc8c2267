"""An index folder: what clip-retrieval writes and reads, and beside it what leads to documents.

    img_emb/img_emb_0000.npy         float16[N, D], unit length, a file for each shard
    text_emb/text_emb_0000.npy       the same for what is said of each picture
    metadata/metadata_0000.parquet   a row for each embedding
    image.index  text.index          faiss, made by autofaiss; image.json, text.json about them
    openm3w/rows_0000.npy            int32[N, 2]: number in the shard from 0, picture from 1
    openm3w/part_0000.json           what this part was made from
    openm3w/index.json               the whole, written last

The first four are those of clip-retrieval 2.45 (clip_inference/writer.py, clip_index.py,
clip_back.py): row i of one kind belongs to row i of the others, files in the order of their names.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from openm3w.errors import InputError, ShardError
from openm3w.shards import commit
from openm3w.shards.manifest import MANIFEST_NAME
from openm3w.shards.typed import make

FORMAT_VERSION = 1

Side = Literal["image", "text"]
SIDES: tuple[Side, ...] = ("image", "text")

What = Literal["images", "texts", "both"]
SIDES_OF: Mapping[What, tuple[Side, ...]] = {
    "images": ("image",),
    "texts": ("text",),
    "both": SIDES,
}
"""What is embedded -> the sides that have embeddings."""

INSTALL = "pip install 'openm3w[search]'"
"""What brings clip-retrieval, autofaiss and faiss; clip-retrieval wants NumPy 1."""

OWN = "openm3w"
"""The subfolder that clip-retrieval knows nothing of."""

_EMBEDDINGS = {"image": "img_emb", "text": "text_emb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The embeddings of one shard."""

    number: int
    sha256: str
    """Of the shard."""
    rows: int
    counts: Mapping[str, int]
    """Outcome -> pictures, or documents without a picture."""
    excluded: tuple[str, ...] = ()
    """Keys that were left out, by the manifest's exclude list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What a whole index says of itself."""

    model: str
    """As a user names it; "" where that would be the path of a file."""
    model_id: str
    preprocessing: str
    dim: int
    what: What
    fingerprints: tuple[str, ...]
    """Of the datasets, in order."""
    finished: bool = False
    indexed: bool = False
    """Whether image.index and text.index are of these embeddings."""
    parts: tuple[Part, ...] = field(default=())

    @property
    def sides(self) -> tuple[Side, ...]:
        return SIDES_OF[self.what]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


def beside(where: str) -> Path:
    """The folder of the index of `where` if none is named: `out.index` of `out` and `out.json`.

    Raises:
        InputError: `where` is not on this machine.
    """
    if "://" in where:
        raise InputError(f"{where}: an index lies in a folder of this machine; name one")
    path = Path(where).resolve()
    path = path.parent if path.name == MANIFEST_NAME else path
    path = path.with_name(f"{path.name.removesuffix('.json')}.index")
    return path if Path(where).is_absolute() else Path(os.path.relpath(path))


def embeddings_path(folder: Path, side: Side, number: int) -> Path:
    """Of part `number`; it has none where the part has no rows."""
    name = _EMBEDDINGS[side]
    return folder / name / f"{name}_{number:04d}.npy"


def metadata_path(folder: Path, number: int) -> Path:
    """Of part `number`: a row for each embedding."""
    return folder / "metadata" / f"metadata_{number:04d}.parquet"


def rows_path(folder: Path, number: int) -> Path:
    """Of part `number`: which sample and picture each row is."""
    return folder / OWN / f"rows_{number:04d}.npy"


def part_path(folder: Path, number: int) -> Path:
    """Of part `number`: what it was made from; committed last."""
    return folder / OWN / f"part_{number:04d}.json"


def about_path(folder: Path) -> Path:
    """What the whole says of itself."""
    return folder / OWN / "index.json"


def nearest_path(folder: Path, side: Side) -> Path:
    """The index of nearest neighbours of a side."""
    return folder / f"{side}.index"


def part_files(folder: Path, number: int) -> tuple[Path, ...]:
    """Everything that a part may have, the file that vouches for the others first."""
    embeddings = [embeddings_path(folder, side, number) for side in SIDES]
    others = (rows_path(folder, number), metadata_path(folder, number))
    return (part_path(folder, number), *embeddings, *others)


def write(folder: Path, index: Index) -> None:
    """Commits what the index says of itself."""
    value = {"format_version": FORMAT_VERSION, **asdict(index)}
    commit.write_json(about_path(folder), value)


def find(folder: Path) -> Index | None:
    """What is in `folder`, or None where nothing is.

    Raises:
        ShardError: its openm3w/index.json is not of this version or does not decode.
    """
    file = about_path(folder)
    value = commit.read_json(file)
    if value is None:
        if file.exists():
            raise ShardError(
                f"{file}: not a JSON object: damaged; remove the folder and index anew"
            )
        return None
    if value.pop("format_version", None) != FORMAT_VERSION:
        raise ShardError(f"{file}: of another version of OpenM3W; remove the folder and index anew")
    try:
        parts = tuple(make(Part, part) for part in value.pop("parts", ()))
        return make(Index, {**value, "parts": parts})
    except (TypeError, ValueError) as error:
        raise ShardError(f"{file}: not an index of this version: {error}") from error


def read(folder: Path, again: str) -> Index:
    """The index in `folder`, which must be whole; `again` is the command that makes it so.

    Raises:
        InputError: there is none, or it was not finished.
        ShardError: see `find`.
    """
    index = find(folder)
    if index is None:
        raise InputError(f"{folder}: no index there; make one with `{again}`")
    if not index.finished:
        raise InputError(f"{folder}: the index was not finished; `{again}` goes on with it")
    return index


def read_part(folder: Path, number: int) -> Part | None:
    """What part `number` says of itself, or None where it is not whole."""
    value: dict[str, Any] | None = commit.read_json(part_path(folder, number))
    if value is None:
        return None
    try:
        return make(Part, value)
    except (TypeError, ValueError):
        return None  # of another version: made again
