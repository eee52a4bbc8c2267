"""The three inputs of the demo, made once for each version of what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openm3w import __version__
from openm3w.pipeline.demo import content, photos, site, texts
from openm3w.recipe import fingerprint
from openm3w.shards import commit

_STAMP: Final = "sources.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What stands in the folder."""

    counts: Mapping[str, int]
    """`responses`, `captions` and `texts`."""
    already_done: bool


def make_sources(folder: Path) -> Made:
    """Writes archive, captions and texts into `folder`, unless it has them already.

    Raises:
        MissingError: scikit-image is not installed.
        OutputError: the folder cannot be written.
    """
    photos.folder()  # fails here rather than half way
    said = content.load()
    about = {"content": fingerprint(said), "openm3w": __version__}
    found = commit.read_json(folder / _STAMP) or {}
    if {name: found.get(name) for name in about} == about:
        return Made(counts=found["counts"], already_done=True)
    counts = {
        "responses": site.write_archive(said, folder / site.ARCHIVE_NAME),
        "captions": texts.write_captions(said, folder),
        "texts": texts.write_texts(said, folder),
    }
    commit.write_json(folder / _STAMP, {**about, "counts": counts})
    return Made(counts=counts, already_done=False)
