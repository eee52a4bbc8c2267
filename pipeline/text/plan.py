"""A text build, resolved at the desk: recipe, sources, and fingerprints."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from openm3w import __version__, recipe
from openm3w.pipeline import claims, progress
from openm3w.pipeline.sources import Source
from openm3w.pipeline.store import Folder
from openm3w.pipeline.text.recipe import TextRecipe

Job = Literal["texts", "select", "shards"]

STORE_VERSION = 4
"""Raised when a job's output changes for the same recipe, so that old units are done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPlan:
    """Everything that workers need; small, frozen and picklable."""

    recipe: TextRecipe
    sources: tuple[Source, ...]
    output: Path
    store: Path
    text_column: str = ""
    """Column of the tables that holds the texts; "" for those known by name."""

    @property
    def units(self) -> tuple[str, ...]:
        """One unit of texts for each source."""
        return tuple(source.unit for source in self.sources)

    def fingerprint(self, job: Job) -> str:
        """What a job's units are made from: its part of the recipe and its parents' digits."""
        r = self.recipe
        parts: dict[Job, tuple[object, ...]] = {
            "texts": (
                [(source.name, source.digest) for source in self.sources],
                self.text_column,
                r.language, r.min_language_score, r.text, r.screen, r.extract, r.opt_out,
            ),
            "select": (r.shards.val_share, r.shards.seed),
            "shards": (r.shards, r.name),
        }  # fmt: skip
        return recipe.chained(f"text {STORE_VERSION}", parts)[job]

    def folder(self, job: Job) -> Folder:
        """A job's folder in the store."""
        return Folder.of(self.store / job, self.fingerprint(job))

    @property
    def identity(self) -> dict[str, Any]:
        """What makes this build another one than the one that was there before."""
        return {
            "fingerprint": self.fingerprint("shards"),
            "recipe": recipe.to_plain(self.recipe),
            "sources": [[source.name, source.digest] for source in self.sources],
            claims.BESIDE: {progress.JOBS: progress.noted(self.store, self._parts())},
        }

    def _parts(self) -> Iterator[progress.Row]:
        """What `m3w status` counts."""
        yield "texts", "", self.folder("texts"), len(self.units)
        yield "select", "", self.folder("select"), len(self.units)
        yield "shards", "", self.folder("shards"), "shards"

    @property
    def versions(self) -> dict[str, str]:
        """What is written into the manifest about the software."""
        return {"openm3w": __version__, "store": str(STORE_VERSION)}
