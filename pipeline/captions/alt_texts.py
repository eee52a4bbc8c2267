"""Alternative texts of a build's images as the rows of a caption build: how LAION was made.

One table is one archive of the interleaved build, one row is one image candidate of its pages, in
the order of pages. Nothing is read but what the build's jobs have committed.
"""

import itertools
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from openm3w import recipe as recipes
from openm3w.errors import OutputError
from openm3w.filters.safety import SCORERS, image_score
from openm3w.filters.similarity import SIMILARITY
from openm3w.pipeline.buried import covers_page
from openm3w.pipeline.captions.columns import Columns, captions_of
from openm3w.pipeline.captions.tables import Row, Table
from openm3w.pipeline.completed import served_url, stored_scores
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.jobs import web
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.reopening import check_done, reopen
from openm3w.pipeline.scoring.windows import Window, image_windows
from openm3w.pipeline.sidecars import models_of, pending
from openm3w.pipeline.sources import Source
from openm3w.pipeline.wanted import wanted_documents
from openm3w.shards.document import Document, Image, Provenance, Signals, make_doc_id

Taken = Literal["alt-text", "caption"]
"""What of an image becomes its caption: the alternative text, or the caption of its figure."""

Documents = Literal["all", "kept"]
"""Pages whose images are taken: all that the build fetched images for, or those in its shards."""

PAGE_DROPPED: Final = "page_dropped"
"""Of a page that the build dropped before it looked for images: none of them is in its store."""
PAGE_NOT_KEPT: Final = "page_not_kept"
"""Of a page that is not in the build's shards, where only those are asked for."""
DROPPED: Final = frozenset({PAGE_DROPPED, PAGE_NOT_KEPT, TOMBSTONE})

# OpenAI's weights, by which LAION, COYO and DataComp name their columns: see
# `openm3w.filters.captions.SCORES`. A cosine of another model is nobody's column.
_KNOWN_COSINES: Final = {
    "openclip:ViT-B-32/openai": "similarity_b32",
    "openclip:ViT-B-32-quickgelu/openai": "similarity_b32",
    "openclip:ViT-L-14/openai": "similarity_l14",
    "openclip:ViT-L-14-quickgelu/openai": "similarity_l14",
}

_SAFETY: Final = tuple(map(image_score, SCORERS))
_SCORES: Final = (SIMILARITY, *_SAFETY)
"""Scores of the build that pairs have, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow(Row):
    """An image of a page as a row."""

    key: str
    """`url_key` under which the build's ledger has the image."""
    doc_id: str
    """Of page, number of the image in it, and what was taken of it.

    Not of `documents` or a profile: the same pair has the same id in every import of its build.
    """
    provenance: Provenance
    """Of the page."""
    signals: Signals
    """Of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a caption build takes from a build of interleaved documents; small and picklable."""

    build: Plan
    take: Taken
    documents: Documents

    @property
    def tables(self) -> tuple[Table, ...]:
        """One for each archive of the build."""
        score = self.known_cosine
        columns = Columns(
            url="image", text=self.take, page="page", scores={score: SIMILARITY} if score else {}
        )
        digest = self._digest
        return tuple(
            Table(
                source=Source(name=source.name, file=Path(source.name), digest=digest),
                columns=columns,
            )
            for source in self.build.sources
        )

    @property
    def known_cosine(self) -> str:
        """What profiles of captions call the build's similarity, or "" where they know it not."""
        return _KNOWN_COSINES.get(self.build.model, "")

    def models(self) -> dict[str, Any]:
        """Score of a pair -> what made it."""
        known = {name: about for name, about in models_of(self.build).items() if name in _SCORES}
        if self.known_cosine and SIMILARITY in known:
            known[self.known_cosine] = known[SIMILARITY]
        return known

    @property
    def _digest(self) -> str:
        """Tells changed content of the store from the same."""
        build, made = self.build, self.build.score_parts
        scores = sorted((name, made[name]) for name in made if name in _SCORES)
        chosen = [build.fingerprints["shards"]] if self.documents == "kept" else []
        return recipes.fingerprint([build.fingerprints["images"], scores, chosen])


def open_build(
    folder: Path,
    store: Path | None = None,
    plugins: Sequence[str] = (),
    *,
    take: Taken = "alt-text",
    documents: Documents = "all",
) -> Imported:
    """The build of interleaved documents in a folder, every job done that is needed.

    Raises:
        InputError: there is no such build, or its store is gone.
        RecipeError: `plugins` leaves a module out that the build was made with.
        OutputError: a job is not done, or the store was made by another version.
    """
    is_kept = documents == "kept"
    build = reopen(folder, store, plugins, needs="shards" if is_kept else "scores")
    check_done(build, bytes_too=True)
    if is_kept and pending(build, "shards"):
        raise OutputError(
            f"{build.store}: job shards is not done for {folder}, so that which documents are kept "
            "is not known; run the same m3w build again, or take --documents all"
        )
    return Imported(build=build, take=take, documents=documents)


def read_rows(imported: Imported, unit: str) -> Iterator[Row]:
    """A row for each image candidate of each page of an archive, kept by the build or not.

    Raises:
        OutputError: a table of the build's store is missing or damaged.
    """
    numbers = itertools.count()
    for rows in _pages(imported, unit, numbers):
        yield from rows


def _pages(imported: Imported, unit: str, numbers: Iterator[int]) -> Iterator[Iterator[Row]]:
    build = imported.build
    shown = _kept_rows(build, unit) if imported.documents == "kept" else None
    about, tombstones = _About(imported, unit), web.tombstones(build.fetched)
    wanted = wanted_documents(build, unit)
    following = next(wanted, None)
    for page in build.folder("documents").rows(unit, ["row", "images"]):
        if following is None or following[0] != page["row"]:
            # A page that was not extracted has no candidates.
            yield _lost(page["images"] or 0, PAGE_DROPPED, numbers)
            continue
        row, document = following
        following = next(wanted, None)
        if covers_page(tombstones, document.url, document.doc_id):
            yield _lost(len(document.images), TOMBSTONE, numbers)
        elif shown is not None and row not in shown:
            yield _lost(len(document.images), PAGE_NOT_KEPT, numbers)
        else:
            yield about.rows_of(row, document, numbers)


def _lost(count: int, reason: str, numbers: Iterator[int]) -> Iterator[Row]:
    return (Row(number=number, error=reason) for number in itertools.islice(numbers, count))


def _kept_rows(build: Plan, unit: str) -> Container[int]:
    outcomes = build.folder("shards", "select").rows(unit, ["row", "outcome"], "outcomes.parquet")
    return {row["row"] for row in outcomes if row["outcome"] == "kept"}


class _About:
    """What the build found out about the images of an archive's pages."""

    def __init__(self, imported: Imported, unit: str) -> None:
        build = imported.build
        self._imported = imported
        self._windows = build.recipe.scores.windows
        places = build.folder("images", "places")
        self._places = {
            (place["row"], place["image"]): place
            for place in places.rows(unit, ["row", "image", "url_key", "outcome"])
        }
        self._scores, _ = stored_scores(build, unit, ["window_scores", *_SAFETY])

    def rows_of(self, row: int, document: Document, numbers: Iterator[int]) -> Iterator[Row]:
        """A row for each image of a document."""
        windows: list[list[Window]] = []
        for at, image in enumerate(document.images):
            place, scored = self._places[row, at], self._scores.get((row, at), {})
            if scored.get("window_scores") and not windows:
                windows = image_windows(document, self._windows)
            text = _text_of(image, self._imported.take)
            scores = {name: scored[name] for name in _SAFETY if scored.get(name) is not None}
            if place["outcome"] == "kept":
                scores |= self._similarity(text, windows[at] if windows else (), scored)
            yield ImageRow(
                number=next(numbers),
                url=served_url(image, place["url_key"]),
                text=text,
                page=document.url,
                scores=scores,
                key=place["url_key"],
                doc_id=make_doc_id("", f"{document.doc_id}\n{self._imported.take}", at),
                provenance=document.provenance,
                signals=document.signals,
            )

    def _similarity(
        self, text: str, windows: Sequence[Window], scored: Mapping[str, Any]
    ) -> dict[str, float]:
        """The cosine of the image with the whole of this text, where that was a window.

        A window is one sentence, or the first words of a long one: the score of a part is not that
        of the whole. What a profile may bound is there as a number or as none.
        """
        known = self._imported.known_cosine
        found = zip(windows, scored.get("window_scores") or (), strict=True)
        whole = captions_of(text)
        for window, score in found:
            if [window.text] == whole:
                return {SIMILARITY: score, **({known: score} if known else {})}
        return {known: float("nan")} if known else {}


def _text_of(image: Image, take: Taken) -> str:
    return image.alt if take == "alt-text" else image.caption
