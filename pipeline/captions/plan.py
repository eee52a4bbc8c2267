"""A caption build, resolved at the desk: recipe, tables, places of images, and fingerprints."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from openm3w import __version__, recipe
from openm3w.filters.caption_profile import CaptionProfile
from openm3w.pipeline import claims, exported, progress, publish
from openm3w.pipeline.captions.alt_texts import Imported
from openm3w.pipeline.captions.recipe import CaptionRecipe
from openm3w.pipeline.captions.tables import Table, column_types
from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.images.lists import Lists
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.jobs.web import Web
from openm3w.pipeline.remote import RemoteFile
from openm3w.pipeline.store import Folder

Job = Literal["rows", "index", "images", "select", "shards"]

STORE_VERSION = 8
"""Raised when a job's output changes for the same recipe, so that old units are done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionPlan:
    """Everything that workers need; small, frozen and picklable."""

    recipe: CaptionRecipe
    profile: CaptionProfile
    tables: tuple[Table, ...]
    places: tuple[ImagePlace, ...]
    beside: bool
    """Each table's images are looked up in its own folder and nowhere else."""
    output: Path
    store: Path
    lists: Lists
    """Of images that must not be stored, and of evaluation pictures."""
    again: Again = field(default_factory=Again)
    """Which images are asked for again."""
    fetched: str
    """URI of what is remembered of fetches, and of tombstones."""
    imported: Imported | None = None
    """The build of which rows and images are taken, in the place of tables and files."""

    @property
    def units(self) -> tuple[str, ...]:
        """One unit of rows for each table."""
        return tuple(table.source.unit for table in self.tables)

    @property
    def web(self) -> Web | None:
        """How images are asked of the web; None where they are not."""
        if self.recipe.images.source != "http":
            return None
        return Web(settings=self.recipe.fetch, store=self.fetched, again=self.again)

    def scope_of(self, table: Table) -> str:
        """Where the images of a table's rows are looked up: the unit of its folder, "" everywhere.

        Nothing is beside a table that is elsewhere: its scope is that of no place.
        """
        if not self.beside:
            return ""
        if isinstance(table.source.file, RemoteFile):
            return "elsewhere"
        return next(p.unit for p in self.places if p.path == table.source.path.parent)

    def fingerprint(self, job: Job) -> str:
        """What a job's units are made from: its part of the recipe and its parents' digits."""
        r, profile = self.recipe, self.profile
        corpus = (profile.captions.max_occurrences, profile.captions.drop_duplicates)
        # Of lists their contents count, not where they are; evaluation pictures are asked last.
        images = replace(r.images, blocklists=(), evaluation_images=())
        bounds = replace(profile.images, evaluation_distance=-1)
        evaluation = (profile.images.evaluation_distance, self.lists.evaluation_digest)
        asks = r.images.source == "http"
        fetching = (r.fetch.deciding, self.again.since) if asks else ()
        parts: dict[Job, tuple[object, ...]] = {
            "rows": (
                [_identity(table) for table in self.tables],
                r.captions,
                *map(recipe.to_plain, profile.row_filters()),
                *map(recipe.to_plain, profile.language_filters()),
                # Scopes are in the rows.
                [self.scope_of(table) for table in self.tables] if self.beside else False,
            ),
            "index": ([place.identity for place in self.places],),
            "images": (images, bounds, r.resize, self.lists.blocked_digest, *fetching),
            "select": (r.shards.val_share, r.shards.seed, *corpus, *evaluation),
            "shards": (r.shards, r.name),
        }
        return recipe.chained(f"captions {STORE_VERSION}", parts)[job]

    def folder(self, job: Job) -> Folder:
        """A job's folder in the store."""
        return Folder.of(self.store / job, self.fingerprint(job))

    @property
    def identity(self) -> dict[str, Any]:
        """What makes this build another one than the one that was there before."""
        return {
            "fingerprint": self.fingerprint("shards"),
            "recipe": publish.recipe_table(self.recipe),
            "profile": recipe.to_plain(self.profile),
            "sources": [_identity(table) for table in self.tables],
            "images": [list(place.identity) for place in self.places],
            claims.BESIDE: {
                progress.JOBS: progress.noted(self.store, self._parts()),
                # In a store it is found again wherever the store lies.
                "fetched": exported.fetched_elsewhere(self.fetched, self.store, Path.cwd()),
                "columns": column_types(self.tables),
                exported.STORED: exported.stored(
                    self.store,
                    selected=self.folder("select"),
                    packs=self.folder("images"),
                    pairs=self.folder("rows"),
                ),
                **({claims.AGAIN: recipe.to_plain(self.again)} if self.web else {}),
            },
        }

    def _parts(self) -> Iterator[progress.Row]:
        """What `m3w status` counts."""
        yield "rows", "", self.folder("rows"), len(self.tables)
        if indexed := [place for place in self.places if place.kind != "folder"]:
            yield "index", "", self.folder("index"), len(indexed)
        yield "images", "", self.folder("images"), "listed"
        yield "select", "", self.folder("select"), "blocks"
        yield "shards", "", self.folder("shards"), "shards"

    @property
    def versions(self) -> dict[str, str]:
        """What is written into the manifest about the software."""
        return {
            "openm3w": __version__,
            "store": str(STORE_VERSION),
            "img2dataset": metadata.version("img2dataset"),
            "opencv": metadata.version("opencv-python-headless"),
        }


def _identity(table: Table) -> list[str]:
    columns = table.columns
    names = [columns.url, columns.text, columns.page, *sorted(columns.scores.values())]
    return [table.source.name, table.source.digest, *names]
