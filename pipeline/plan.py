"""A build, resolved at the desk: recipe, sources, and what each job's folder must be made from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openm3w import __version__, recipe
from openm3w.filters.floor import Floor, floor
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.sources import Source
from openm3w.pipeline.store import Folder
from openm3w.shards.document import Document
from openm3w.shards.sample import document_from_json

Job = Literal["documents", "dedup", "images", "scores", "shards"]
JOBS: tuple[Job, ...] = ("documents", "dedup", "images", "scores", "shards")

STORE_VERSION = 1
"""Raised when a job's output changes for the same recipe, so that old units are done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that workers need; small, frozen and picklable."""

    recipe: BuildRecipe
    sources: tuple[Source, ...]
    output: Path
    store: Path
    model: str
    """The similarity model, resolved: never `auto`."""

    @property
    def units(self) -> tuple[str, ...]:
        """One unit of pages for each archive."""
        return tuple(source.unit for source in self.sources)

    @property
    def floor(self) -> Floor:
        return floor(self.recipe.floor_profiles())

    def fingerprint(self, job: Job) -> str:
        """What a job's units are made from: its part of the recipe and its parents' digits."""
        r = self.recipe
        parts: dict[Job, tuple[object, ...]] = {
            "documents": (
                [(source.name, source.digest) for source in self.sources],
                r.screen, r.extract, self.floor, r.pages_per_archive,
            ),
            "dedup": (),
            "images": (r.images,),
            "scores": (r.scores, self.model),
            "shards": (r.load_profile(), r.shards, r.name),
        }  # fmt: skip
        at = JOBS.index(job)
        parent = self.fingerprint(JOBS[at - 1]) if at else f"{STORE_VERSION}"
        return recipe.fingerprint([parent, *parts[job]])

    def folder(self, job: Job, part: str = "") -> Folder:
        """A job's folder in the store; `part` where it commits more than one kind of unit."""
        root = self.store / job / part if part else self.store / job
        return Folder(root=root, fingerprint=self.fingerprint(job))

    @property
    def versions(self) -> dict[str, str]:
        """What is written into the manifest about the software."""
        return {"openm3w": __version__, "store": str(STORE_VERSION)}


def wanted_documents(plan: Plan, unit: str) -> Iterator[tuple[int, Document]]:
    """Row number and document of each page of `unit` that was kept and not marked."""
    marked = {row["row"] for row in plan.folder("dedup").rows(unit)}
    columns = ["row", "outcome", "document"]
    for row in plan.folder("documents").rows(unit, columns):
        if row["outcome"] == "kept" and row["row"] not in marked:
            yield row["row"], document_from_json(json.loads(row["document"]))
