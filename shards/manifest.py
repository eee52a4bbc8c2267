"""The manifest: what a dataset folder holds, and what it must hash to.

`manifest.json` is a wids shard index with more fields. A mixture is a manifest of manifests;
`load` answers with the single datasets of either.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from openm3w.errors import InputError, OutputError, ShardError
from openm3w.shards import commit, storage, uris
from openm3w.shards.sample import KINDS, Kind
from openm3w.shards.storage import Location, RemotePath
from openm3w.shards.terminal import clean_line
from openm3w.shards.typed import make
from openm3w.shards.writer import ShardEntry

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
SUCCESS_NAME = "_SUCCESS"

_MOST_NAMED = 5
"""Datasets in the error about a folder that holds some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One dataset of one kind; `root` is the folder that the shards' URLs are relative to."""

    name: str
    kind: Kind
    shards: tuple[ShardEntry, ...]
    root: Location
    exclude: tuple[str, ...] = ()
    """Keys that readers leave out."""
    keys: Literal["own", "foreign"] = "own"
    """`foreign`: as others wrote them, unique in their shard only, and of any letters."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)
    """Scores by name -> id and preprocessing of the model that made them."""
    versions: Mapping[str, str] = field(default_factory=dict)
    build: str = ""
    """Digits over recipe and inputs: the same command finds its own output by them."""
    counts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """`root` for what writes.

        Raises:
            OutputError: it is not of this machine.
        """
        if isinstance(self.root, RemotePath):
            raise OutputError(
                f"{self.root}: is only read; copy the dataset to this machine to change it"
            )
        return self.root

    @property
    def nsamples(self) -> int:
        return sum(shard.nsamples for shard in self.shards)

    @property
    def images(self) -> int:
        return sum(shard.images for shard in self.shards)

    @property
    def characters(self) -> int:
        return sum(shard.characters for shard in self.shards)

    @property
    def max_images(self) -> int:
        return max((shard.max_images for shard in self.shards), default=0)

    def split(self, name: str) -> tuple[ShardEntry, ...]:
        """The shards of one split, in order."""
        return tuple(shard for shard in self.shards if shard.split == name)

    @property
    def fingerprint(self) -> str:
        """16 hex digits over kind, shard hashes and exclude list: equal data, equal digits."""
        parts = [self.kind, *(shard.sha256 for shard in self.shards), *sorted(self.exclude)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def write(manifest: Manifest) -> Path:
    """Commits `root/manifest.json`, then the empty `_SUCCESS`, and returns the manifest's path."""
    path = manifest.folder / MANIFEST_NAME
    commit.write_json(path, to_json(manifest))
    commit.write_bytes(manifest.folder / SUCCESS_NAME, b"")
    return path


def to_json(manifest: Manifest) -> dict[str, Any]:
    """The manifest as written."""
    return {
        "__kind__": "wids-shard-index-v1",
        "wids_version": 1,
        "format_version": FORMAT_VERSION,
        "name": manifest.name,
        "kind": manifest.kind,
        "nsamples": manifest.nsamples,
        "images": manifest.images,
        "characters": manifest.characters,
        "max_images": manifest.max_images,
        "shardlist": [asdict(shard) for shard in manifest.shards],
        "exclude": list(manifest.exclude),
        "keys": manifest.keys,
        "recipe": dict(manifest.recipe),
        "models": dict(manifest.models),
        "versions": dict(manifest.versions),
        "build": manifest.build,
        "counts": dict(manifest.counts),
    }


def write_mixture(output: Path, manifests: Iterable[Manifest], name: str) -> Path:
    """Commits a manifest of manifests; it names those of this machine relative to itself."""
    commit.write_json(output, mixture_to_json(output, manifests, name), through_link=True)
    return output


def mixture_to_json(output: Path, manifests: Iterable[Manifest], name: str) -> dict[str, Any]:
    """The mixture as written to `output`."""
    base = output.parent.resolve()
    rows = [
        {
            "url": _url(m, base),
            "kind": m.kind,
            "nsamples": m.nsamples,
            "images": m.images,
            "characters": m.characters,
            "fingerprint": m.fingerprint,
        }
        for m in manifests
    ]
    return {"format_version": FORMAT_VERSION, "kind": "mixture", "name": name, "manifests": rows}


def load(path: str | Path | RemotePath) -> tuple[Manifest, ...]:
    """The datasets behind `path`: a manifest, a mixture, or a folder that holds a manifest.

    `path` may be a URI of `gs://`, `s3://` or `https://`; of those, what does not end in `.json`
    is a folder.

    Raises:
        InputError: there is no such file, or it cannot be reached.
        ShardError: it is not a manifest of this version, or a mixture's part has changed.
        MissingError: the package for a URI's scheme is not installed.
    """
    file = _manifest_file(storage.locate(path))
    data = storage.read_if_there(file)
    if data is None:
        shown = uris.shown(path) if isinstance(path, str) else path
        raise InputError(f"{shown}: no manifest there; {_instead(storage.locate(path))}")
    return _load(file, commit.parse_json(data))


def _instead(place: Location) -> str:
    """What to name in the place of a folder without a manifest, or of what is not there."""
    if isinstance(place, RemotePath) or place.is_file():
        return "name a manifest.json, or the folder of one"
    if not place.exists():
        return "there is no such file or folder"
    found = sorted(each.parent.name for each in place.glob(f"*/{MANIFEST_NAME}"))
    if not found:
        return "name a manifest.json, or the folder of one"
    shown = ", ".join(str(place / clean_line(name)) for name in found[:_MOST_NAMED])
    return f"below it are {shown}{' and others' if len(found) > _MOST_NAMED else ''}"


def _manifest_file(location: Location) -> Location:
    if isinstance(location, RemotePath):
        is_folder = not location.name.endswith(".json")
    else:
        is_folder = location.is_dir()
    return location / MANIFEST_NAME if is_folder else location


def _load(file: Location, value: dict[str, Any] | None) -> tuple[Manifest, ...]:
    if value is None or "kind" not in value:
        raise ShardError(f"{file}: not a manifest (no JSON object with a 'kind')")
    if value.get("format_version") != FORMAT_VERSION:
        raise ShardError(
            f"{file}: format version {value.get('format_version')}, "
            f"this OpenM3W reads {FORMAT_VERSION}"
        )
    if value["kind"] == "mixture":
        rows = value.get("manifests")
        if not isinstance(rows, list) or not rows:
            raise ShardError(f"{file}: a mixture without manifests; join it again")
        return tuple(_load_part(file, row) for row in rows)
    return (_from_json(value, file),)


def _load_part(file: Location, row: Any) -> Manifest:
    if not isinstance(row, Mapping) or not {"url", "fingerprint"} <= row.keys():
        raise ShardError(f"{file}: a part of the mixture has no url or fingerprint")
    url = str(row["url"])
    part = _manifest_file(storage.locate(url) if uris.is_uri(url) else file.parent / url)
    if isinstance(file, RemotePath) and not isinstance(part, RemotePath):
        raise ShardError(f"{file}: names a file of this machine; what is elsewhere may not")
    data = storage.read_if_there(part)
    if data is None:
        raise InputError(f"{part}: no manifest there; the mixture {file} names it")
    value = commit.parse_json(data)
    if value is not None and value.get("kind") == "mixture":
        raise ShardError(f"{file}: {part} is a mixture itself; join its datasets instead")
    (found,) = _load(part, value)
    if found.fingerprint != row["fingerprint"]:
        raise ShardError(
            f"{file}: {part} has changed since the mixture was joined; "
            "join it again with `m3w shards join`"
        )
    return found


def _from_json(value: Mapping[str, Any], file: Location) -> Manifest:
    names = {f.name for f in fields(ShardEntry)}
    if value["kind"] not in KINDS:
        raise ShardError(f"{file}: unknown kind {value['kind']!r}; known: {', '.join(KINDS)}")
    try:
        shards = [
            make(ShardEntry, {name: row[name] for name in names if name in row})
            for row in value["shardlist"]
        ]
        known = ("exclude", "keys", "recipe", "models", "versions", "build", "counts")
        _check_sizes(shards)
        about = {name: value[name] for name in known if name in value}
        about |= {"name": value["name"], "kind": value["kind"]}
        return make(Manifest, {**about, "shards": shards, "root": file.parent})
    except (KeyError, TypeError, ValueError) as error:
        raise ShardError(f"{file}: not a manifest of this format: {error!r}") from error


def _check_sizes(shards: Iterable[ShardEntry]) -> None:
    for shard in shards:
        for name in ("nsamples", "filesize", "images", "characters", "max_images"):
            if not 0 <= (size := getattr(shard, name)) < 1 << 63:
                raise ValueError(f"{shard.url}: {name} is {size}")


def _url(part: Manifest, base: Path) -> str:
    """How a mixture in the folder `base` names one of its parts."""
    if isinstance(part.root, RemotePath):
        url = (part.root / MANIFEST_NAME).uri
        if url != uris.shown(url):
            raise OutputError(
                f"{part.root}: its address holds what may be a secret, which would stand in the "
                "mixture; name an address without"
            )
        return url
    return _relative(part.root.resolve() / MANIFEST_NAME, base)


def _relative(path: Path, base: Path) -> str:
    common = 0
    for left, right in zip(path.parts, base.parts, strict=False):
        if left != right:
            break
        common += 1
    return "/".join([".."] * (len(base.parts) - common) + list(path.parts[common:]))
