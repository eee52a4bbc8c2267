"""Images of a caption build out of the packs of an interleaved one, as its ledger has them.

Where the resizer leaves the stored copy as it is, its bytes are
taken and no pixel is decoded; else it is decoded once more, or the fetched original where the
build kept it and more pixels are asked for than the copy has. What is known of an image is the
ledger's in each case: sizes, digests and hashes are the original's and not the copy's.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.errors import OutputError
from openm3w.filters.caption_profile import CaptionImageRules
from openm3w.pipeline.captions.lookup import reference_of
from openm3w.pipeline.captions.resize import Resizing, size_after, stays
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.decode import Encoded, UnusableImageError
from openm3w.pipeline.images.ledger import original_place, stored_place
from openm3w.pipeline.images.lists import Blocklist
from openm3w.pipeline.images.measures import Measures, Original
from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs import images as build_images
from openm3w.pipeline.jobs.packing import Read
from openm3w.pipeline.jobs.reading import heeding
from openm3w.pipeline.jobs.web import Body
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.store import Folder

_COLUMNS = ("url_key", "outcome", "reason", "offset")


def held(pipeline: beam.Pipeline, images: PCollection[str], build: Plan) -> PCollection[Found]:
    """Where the build has each image: a unit of its packs, or the reason why it has none."""
    ledger = (
        pipeline
        | "Packs of the build" >> beam.Create(build_images.pack_units(build))
        | "Held" >> beam.FlatMap(lambda unit: _held(build, unit))
    )
    wanted = images | "By URL" >> beam.Map(lambda image: (reference_of(image), image))
    return (
        {"wanted": wanted, "held": ledger}
        | "Join with the ledger" >> beam.CoGroupByKey()
        | "In the build" >> beam.FlatMap(lambda joined: _found(build, joined))
    )


def _held(build: Plan, unit: str) -> Iterator[tuple[str, tuple[str, int, str]]]:
    for row in _packs(build).rows(unit, _COLUMNS):
        reason = "" if row["outcome"] == "kept" else row["reason"]
        yield row["url_key"], (unit, row["offset"] or 0, reason)


def _found(build: Plan, joined: tuple[str, dict[str, Any]]) -> Iterator[Found]:
    url, sides = joined
    held = list(sides["held"])
    for image in sides["wanted"]:
        if not held:
            raise _damaged(_packs(build), f"no ledger has {url}, which a page's image is from")
        unit, offset, reason = held[0]
        yield Found(image, reason=reason) if reason else Found(image, unit, offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImages:
    """The images of one unit of a build's packs."""

    build: Plan
    rows: dict[str, dict[str, Any]]
    """`url_key` -> the ledger's row."""
    resizing: Resizing
    bounds: CaptionImageRules
    blocklist: Blocklist
    tombstones: Tombstones = field(default_factory=Tombstones)

    @classmethod
    def of(cls, build: Plan, unit: str, **judging: Any) -> "StoredImages":
        """Reads the ledger of a unit; there is none for images that are in no pack.

        `judging`: the fields that say what is done with an image.

        Raises:
            OutputError: it is missing or damaged.
        """
        rows = {row["url_key"]: row for row in _packs(build).rows(unit)} if unit else {}
        return cls(build=build, rows=rows, **judging)

    @contextlib.contextmanager
    def reading(self, unit: str) -> Iterator[Read]:  # noqa: ARG002 - the ledger says which pack
        """A function that reads an image's bytes: the copy's, or the original's where it is needed.

        What is not as the ledger says raises OutputError: nobody decodes it.
        """
        with PackReader(_packs(self.build).root) as reader:

            def read(found: Found) -> bytes:
                row = self._row(found.origin)
                return reader.read(self._original(row) or stored_place(row))

            yield heeding(read, self.tombstones, reference_of)

    def encode(self, body: Body) -> Encoded:
        """The image as the caption build stores it.

        Raises:
            UnusableImageError: with the reason.
        """
        row = self._row(body.origin)
        self._check_original(row)
        if kept := self._kept(row, body.data):
            return kept
        return replace(self.resizing(body.data), **_known(row))

    def _row(self, origin: str) -> dict[str, Any]:
        return self.rows[reference_of(origin)]

    def _check_original(self, row: dict[str, Any]) -> None:
        """Judges what was fetched, by what the ledger says of it."""
        if row["original_sha256"] in self.blocklist.sha256:
            raise UnusableImageError("blocked_sha256")
        if row["original_md5"] in self.blocklist.md5:
            raise UnusableImageError("blocked_md5")
        if self.tombstones.covers_content(row["original_sha256"]):
            raise UnusableImageError(TOMBSTONE)
        if row["original_bytes"] < self.bounds.min_crawled_bytes:
            raise UnusableImageError("too_few_bytes")

    def _original(self, row: dict[str, Any]) -> Place | None:
        """Where the fetched bytes are, if these are taken."""
        images, resize = self.resizing.images, self.resizing.resize
        asked = size_after(resize, row["original_width"], row["original_height"])
        if images.originals or max(asked) > max(row["width"], row["height"]):
            return original_place(row)
        return None

    def _kept(self, row: dict[str, Any], data: bytes) -> Encoded | None:
        """The stored copy as it is, where nothing would be changed but the encoding."""
        resizing = self.resizing
        is_known = row["pdq"] is not None or not resizing.with_pdq
        if self._original(row) or not resizing.images.keep_bytes or not is_known:
            return None
        if not stays(resizing.resize, row["width"], row["height"]):
            return None
        return Encoded(
            data=data,
            sha256=row["sha256"],
            width=row["width"],
            height=row["height"],
            **_known(row),
        )


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of an encoded image that are not of its copy."""
    names = ("original_width", "original_height", "original_format", "original_frames")
    measures = ("grey_deviation", "entropy", "sharpness", "phash")
    return {
        **{name: row[name] for name in names},
        "original": Original(
            num_bytes=row["original_bytes"],
            sha256=row["original_sha256"],
            md5=row["original_md5"],
        ),
        "measures": Measures(**{name: row[name] for name in measures}),
        **({} if row["pdq"] is None else {"pdq": (row["pdq"], row["pdq_quality"])}),
    }


def _packs(build: Plan) -> Folder:
    return build.folder("images", "packs")


def _damaged(packs: Folder, what: str) -> OutputError:
    return OutputError(
        f"{packs.root}: {what}; remove its .json files and run the m3w build of this store again, "
        "which reads its images again"
    )
