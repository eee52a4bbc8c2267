"""Interleaved samples in tar files as several projects keep them: a JSON, and images by name.

The rules are those of NeMo Curator 1.4 (stages/interleaved/io/readers/webdataset.py), with
Energon's (docs/source/advanced/custom_sample_loader.md) beside them: an entry of `images` is the
full name of a member, or what follows the sample's key and a dot; where no member is named, it
is the one file beside the JSON, and of a TIFF the frames count up. Members may stand in any order.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from openm3w.shards.document import Span, Text
from openm3w.shards.interop import carried, tables
from openm3w.shards.interop.archives import Members
from openm3w.shards.interop.rows import (
    Found,
    Left,
    Picture,
    Row,
    each,
    entries,
    parallel,
    text,
)

_DEFAULT = ("jpg", "jpeg", "png", "tif", "tiff", "webp", "bmp", "gif")
"""Suffixes of the one file beside a JSON, in Curator's order (utils/constants.py)."""
_TIFF = (".tif", ".tiff")


class Resolved(Protocol):
    """Where the bytes of an entry of `images` are."""

    def __call__(
        self, token: str, *, original_width: int = 0, original_height: int = 0
    ) -> Picture: ...


Convert = Callable[[str, Mapping[str, Any], Resolved], Row]


def read_tar(path: Path, convert: Convert) -> Iterator[Found]:
    """The samples of a tar, in the order of their JSONs.

    Args:
        path: The tar.
        convert: Key, JSON and the images' places to a row.

    Raises:
        InputError: the tar is damaged.
    """
    with Members(path) as members:
        for name in members:
            if name.endswith(".json"):
                yield from _sample(members, name, convert)
        for name in members.repeated:
            if name.endswith(".json"):
                yield Left(reason="duplicate_id", outcome="dropped")


def carried_row(key: str, value: Mapping[str, Any], resolved: Resolved) -> Row:
    """A sample with no fields but `texts` and `images`, and those that our exports add.

    Raises:
        MalformedError: the lists are not parallel.
    """
    pairs = parallel(value["texts"], value["images"])
    about = entries(value.get(carried.IMAGES), len(pairs))
    spans: list[Span] = []
    pictures: list[Picture] = []
    for (words, name), entry in zip(pairs, about, strict=True):
        if name is None:
            spans.append(Text(text=words or ""))
            continue
        spans.append(carried.image(entry))
        pictures.append(resolved(name))
    document = carried.document(value.get(carried.FIELD), tuple(spans), url=text(value.get("url")))
    # Curator's writer escapes an id for its members' names, and has it whole in the JSON.
    own_id = text(value.get("sample_id")) or key
    return Row(document=document, pictures=tuple(pictures), own_id=own_id)


def _sample(members: Members, name: str, convert: Convert) -> Iterator[Found]:
    data = members.read(name)
    if data is None:
        yield Left(reason="too_large")
        return
    stem = name.removesuffix(".json")
    resolve = _Resolver(members, stem)
    key = stem.rpartition("/")[2]
    yield from each([tables.json_object(data)], lambda value: convert(key, value, resolve))


class _Resolver:
    """The members of one sample; a TIFF is read once, and its frames are counted."""

    def __init__(self, members: Members, stem: str) -> None:
        self._members, self._stem = members, stem
        self._frames: dict[str, int] = {}
        self._read: dict[str, bytes | None] = {}

    def __call__(self, token: str, *, original_width: int = 0, original_height: int = 0) -> Picture:
        name, is_named = self._name(token)
        is_tiff, number = name.lower().endswith(_TIFF), self._frames.get(name, 0)
        self._frames[name] = number + 1
        # A file of one picture, which no entry names, can be one entry's only.
        is_spent = number > 0 and not is_tiff and not is_named
        return Picture(
            data=None if is_spent else self._bytes(name),
            frame=number if is_tiff else None,
            names=(token,),
            original_width=original_width,
            original_height=original_height,
        )

    def _name(self, token: str) -> tuple[str, bool]:
        """The member, and whether the entry names it."""
        folder, slash, _ = self._stem.rpartition("/")
        for name in (token, f"{self._stem}.{token}", f"{folder}{slash}{token}"):
            if name in self._members:
                return name, True
        beside = (f"{self._stem}.{suffix}" for suffix in _DEFAULT)
        return next((name for name in beside if name in self._members), ""), False

    def _bytes(self, name: str) -> bytes | None:
        if not name.lower().endswith(_TIFF):
            return self._members.read(name) if name else None
        if name not in self._read:
            self._read[name] = self._members.read(name)
        return self._read[name]
