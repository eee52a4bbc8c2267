"""A finished build once more, with its images as they were fetched.

Membership, order and names are those of the build: its last job's rows are written again, and
images read from where the packs have them unchanged. Members keep the names that end in `.jpg`,
whatever their bytes are, so that what reads the one dataset reads the other; all loaders tell a
picture by its bytes.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from openm3w.errors import InputError, OutputError
from openm3w.pipeline import publish
from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.jobs.writing import Row, Writing, write_shards
from openm3w.pipeline.publish import Published
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.shards import manifest
from openm3w.shards.document import Image, ImageContent
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import IMAGE_FORMATS, Sample, document_from_json

STORED = "stored"
"""Key, beside a build's identity, of where its store has rows and packs."""


def stored(store: Path, selected: Folder, packs: Folder) -> dict[str, str]:
    """Where a build's store has the rows of kept samples and the packs, for `export_originals`."""
    folders = {"selected": selected.root, "packs": packs.root}
    return {name: root.relative_to(store).as_posix() for name, root in folders.items()}


def export_originals(
    dataset: Path, output: Path, runner: Runner, *, store: Path | None = None
) -> Published:
    """Writes the dataset of a build to `output`, each image with the bytes that were fetched.

    Raises:
        InputError: `dataset` is no build with images, or was made without `images.originals`.
        OutputError: its store is gone or damaged; or the output holds something else or cannot be
            written.
    """
    built = _built(dataset)
    place = store or publish.find_store(dataset) or publish.default_store(dataset)
    identity = publish.identity_of(dataset, place) or {}
    folders = identity.get(publish.BESIDE, {}).get(STORED)
    if folders is None:
        raise InputError(
            f"{dataset}: {place} is not the store of its build, or of another version; name it by "
            "--store, or run the same build again"
        )
    selected = Folder.of((place / folders["selected"]).parent, Path(folders["selected"]).name)
    settings = built.recipe["shards"]
    mine = {
        "exported": "originals",
        "fingerprint": built.build,
        "kind": built.kind,
        "recipe": dict(built.recipe),
    }
    with publish.claimed(output, place, mine):
        if (done := publish.finished(output)) is not None:
            return Published(manifest=done, already_done=True)
        writing = Writing(
            output=output,
            kind=built.kind,
            selected=selected,
            units=_units(selected),
            written=Folder.of(place / "originals", built.build),
            samples=Originals(place / folders["packs"]),
            samples_per_shard=settings["samples_per_shard"],
            seed=settings["seed"],
        )
        entries = write_shards(writing, runner)
        if sum(entry.nsamples for entry in entries) != built.nsamples:
            raise OutputError(f"{place}: lacks rows of the build in {dataset}; run it again")
        result = replace(built, root=output, shards=entries)
        report = {"name": result.name, "recipe": result.recipe, "versions": result.versions,
                  "stages": result.counts.get("stages", [])}  # fmt: skip
        named = publish.publish(result, report, mine, place)
        return Published(manifest=named, already_done=False)


@dataclass(frozen=True, slots=True)
class Originals:
    """Rows of kept samples to samples, their images as they were fetched."""

    packs: Path

    def __call__(self, selected: Iterable[Row]) -> Iterator[Sample]:
        with PackReader(self.packs) as packs:
            for row in selected:
                document = document_from_json(json.loads(row["document"]))
                images = tuple(_read(packs, row))
                told = document.with_images(map(_as_fetched, document.images, images))
                extra = json.loads(row.get("extra", "{}"))  # of captions
                yield Sample(key=row["doc_id"], document=told, images=images, extra=extra)


def _built(dataset: Path) -> Manifest:
    found = manifest.load(dataset)
    if len(found) > 1:
        raise InputError(f"{dataset}: is a mixture; name one dataset at a time")
    (built,) = found
    if built.kind == "text":
        raise InputError(f"{dataset}: holds texts and no images")
    images: Mapping[str, Any] = built.recipe.get("images", {})
    if not images.get("originals"):
        raise InputError(
            f"{dataset}: the build did not keep what it fetched; run it with --set "
            "images.originals=true into another --output"
        )
    return built


def _units(selected: Folder) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in selected.root.glob("*.json")))


def _read(packs: PackReader, row: Row) -> Iterator[bytes]:
    for place in json.loads(row["originals"]):
        if place is None:
            raise OutputError(f"sample {row['doc_id']}: its store has no original of an image")
        yield packs.read(Place(*place))


def _as_fetched(image: Image, data: bytes) -> Image:
    """The image with what is true of its original; the size is the file's own, before any turn."""
    if not isinstance(image.content, ImageContent):
        raise OutputError(f"{image.url}: kept, and never decoded; run the build again")
    with PillowImage.open(io.BytesIO(data), formats=IMAGE_FORMATS) as picture:
        width, height = picture.size
    content = replace(
        image.content,
        sha256=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        num_bytes=len(data),
    )
    return replace(image, content=content)
