"""A finished build once more, with its images as they were fetched.

Membership, order and names are those of the build, less what was buried since: its last job's rows
are written again, and images read from where the packs have them unchanged. Members keep the names
that end in `.jpg`, whatever their bytes are, so that what reads the one dataset reads the other;
all loaders tell a picture by its bytes.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from PIL import Image as PillowImage

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError
from openm3w.pipeline import claims, exported, publish
from openm3w.pipeline.captions.beside import Img2dataset
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.jobs import all_packs, web
from openm3w.pipeline.jobs.writing import Row, Writing, write_shards
from openm3w.pipeline.publish import Published, Say
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.shards import funnel, manifest, published
from openm3w.shards.document import Image, ImageContent
from openm3w.shards.funnel import Stage, Unit
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import IMAGE_FORMATS, Kind, Sample, document_from_json

_UNITS: Mapping[Kind, Unit] = {"interleaved": "pages", "caption": "pairs"}


def export_originals(
    dataset: Path,
    output: Path,
    runner: Runner,
    *,
    store: Path | None = None,
    say: Say = lambda _: None,
) -> Published:
    """Writes the dataset of a build to `output`, each image with the bytes that were fetched.

    Samples with an image that was buried since the build are left out, counted and told: of a page
    without one of its images the profile might keep nothing, and a pair has no other.

    Raises:
        InputError: `dataset` is no build with images, or was made without `images.originals`; or
            each of its samples has an image that is buried.
        OutputError: its store is gone or damaged; or the output holds something else or cannot be
            written; or what is buried cannot be read.
    """
    built = _built(dataset)
    place = store or claims.find_store(dataset) or claims.default_store(dataset)
    source = _Source.of(built, dataset, place)
    tombstones = web.tombstones(source.fetched)
    left_out = source.buried(tombstones)
    if left_out:
        say(_told(left_out, built, source))
        if len(left_out) == built.nsamples:
            raise InputError(f"{dataset}: nothing is left of it; nothing was written")
    lines = sorted(tombstones.lines)
    mine = {
        "exported": "originals",
        "fingerprint": built.build,
        "kind": built.kind,
        "recipe": dict(built.recipe),
        **({"tombstones": recipes.fingerprint(lines)} if lines else {}),
    }
    with claims.claimed(output, place, mine):
        if (done := published.finished(output)) is not None:
            return Published(manifest=done, already_done=True)
        entries = write_shards(_writing(source, output, left_out, tombstones, mine), runner)
        if sum(entry.nsamples for entry in entries) != built.nsamples - len(left_out):
            raise OutputError(f"{place}: lacks rows of the build in {dataset}; run it again")
        counts = {**built.counts, "stages": _stages(built, len(left_out))}
        result = replace(built, root=output, shards=entries, counts=counts)
        report = {
            "name": result.name,
            "recipe": result.recipe,
            "versions": result.versions,
            "stages": counts["stages"],
            "notes": [_told(left_out, built, source)] if left_out else [],
        }
        named = publish.publish(result, report, mine, place)
        return Published(manifest=named, already_done=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A build, and where its store has what is read."""

    built: Manifest
    store: Path
    selected: Folder
    packs: Folder
    pairs: Folder | None
    """Of captions."""
    columns: Mapping[str, str]
    """Of captions: columns of the input tables that samples carry."""
    fetched: str
    """URI of what is remembered of fetches, and of tombstones."""

    @classmethod
    def of(cls, built: Manifest, dataset: Path, store: Path) -> Self:
        identity = claims.identity_of(dataset, store) or {}
        beside = identity.get(claims.BESIDE, {})
        places = beside.get(exported.STORED, {})
        needed = {"selected", "packs", *(["pairs"] if built.kind == "caption" else [])}
        if not needed <= places.keys():
            raise InputError(
                f"{dataset}: {store} is not the store of its build, or of another version; name it "
                "by --store, or run the same build again"
            )
        folders = {name: exported.folder_at(store, places[name]) for name in needed}
        return cls(
            built=built,
            store=store,
            selected=folders["selected"],
            packs=folders["packs"],
            pairs=folders.get("pairs"),
            columns=beside.get("columns", {}),
            fetched=exported.fetched_of(store, beside),
        )

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self.selected.root.glob("*.json")))

    def buried(self, tombstones: Tombstones) -> frozenset[str]:
        """Ids of samples with an image that is buried."""
        units = all_packs.pack_units(self.packs)
        return exported.buried(self.selected, self.units, self.packs, units, tombstones)

    def beside(self, tombstones: Tombstones) -> Img2dataset | None:
        """What stands beside the shards of captions, where it stands beside those of the build."""
        settings = self.built.recipe["shards"]
        if self.pairs is None or not settings.get("img2dataset_files"):
            return None
        return Img2dataset(
            pairs=self.pairs,
            outcomes=self.selected,
            columns=self.columns,
            val_share=settings["val_share"],
            seed=settings["seed"],
            tombstones=tombstones,
        )


def _writing(
    source: _Source,
    output: Path,
    left_out: frozenset[str],
    tombstones: Tombstones,
    mine: Mapping[str, Any],
) -> Writing:
    built, selected = source.built, source.selected
    settings = built.recipe["shards"]
    return Writing(
        output=output,
        kind=built.kind,
        selected=exported.Without(
            root=selected.root, fingerprint=selected.fingerprint, left_out=left_out
        ),
        units=source.units,
        written=Folder.of(source.store / "originals", recipes.fingerprint([*mine.values()])),
        samples=Originals(source.packs.root),
        samples_per_shard=settings["samples_per_shard"],
        seed=settings["seed"],
        beside=source.beside(tombstones),
    )


def _told(left_out: frozenset[str], built: Manifest, source: _Source) -> str:
    return (
        f"{len(left_out)} of {built.nsamples} samples are left out ({TOMBSTONE}): they have images "
        f"that were buried in {source.fetched} since the build; {built.root} still has them"
    )


def _stages(built: Manifest, buried: int) -> list[Any]:
    """The funnel of the build, with a stage for what was left out, where something was."""
    stages = list(built.counts.get("stages", []))
    if not buried:
        return stages
    kept = built.nsamples - buried
    stage = Stage(
        job="originals",
        unit=_UNITS[built.kind],
        entered=built.nsamples,
        kept=kept,
        dropped={TOMBSTONE: buried},
    )
    return [*stages, funnel.to_json(stage)]


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
