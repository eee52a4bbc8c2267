"""Documents with everything that the jobs before the last found out about them."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openm3w.filters.assignment import SentenceScores
from openm3w.filters.limits import Measures
from openm3w.filters.perplexity import PERPLEXITY
from openm3w.filters.safety import SCORERS, image_score
from openm3w.filters.selection import Selection, select
from openm3w.filters.similarity import SIMILARITY, TEXT_SIMILARITY
from openm3w.filters.url import url_key
from openm3w.pipeline.dedup.attach import read_facts, with_facts
from openm3w.pipeline.images.ledger import filled, is_decoded, original_place, stored_place
from openm3w.pipeline.images.packs import Place
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.scoring.tables import SCHEMAS
from openm3w.pipeline.wanted import wanted_documents
from openm3w.shards.document import Document, Image

IMAGE_SCORES = (SIMILARITY, TEXT_SIMILARITY, *map(image_score, SCORERS))
"""What the scores job says about an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """One document that got as far as the last job."""

    row: int
    document: Document
    """With contents and scores filled in, also of images that the floor dropped."""
    fates: tuple[str, ...]
    """For each image "" or why its bytes are not there."""
    places: Mapping[int, Place]
    """Of those images whose bytes are there."""
    originals: Mapping[int, Place]
    """Of those whose bytes are there as they were fetched."""
    repeats: Mapping[int, int]
    """Number of each paragraph that its domain repeats -> occurrences."""
    sentences: SentenceScores | None
    """The scores of its images with its sentences, where the profile moves images by them."""
    window_scores: Mapping[int, tuple[float, ...]]
    """Of those images that were scored: the cosine with each of its windows."""

    def select(self, plan: Plan, measures: Measures | None = None) -> Selection:
        """What the plan's profile makes of it, by stored numbers of its text where there are some.

        Raises:
            RecipeError: a filter of the user's own answered what no filter may.
        """
        return select(
            self.document,
            self.fates,
            plan.profile,
            similarity_model=plan.model,
            measures=measures,
            repeats=self.repeats,
            sentences=self.sentences,
        )


def completed_documents(
    plan: Plan, unit: str, only: Container[int] | None = None
) -> Iterator[Completed]:
    """The unit's documents in order, or those of some rows.

    Raises:
        OutputError: a table is missing or damaged.
    """
    placed: dict[int, dict[int, dict[str, Any]]] = {}
    for place in plan.folder("images", "places").rows(unit):
        placed.setdefault(place["row"], {})[place["image"]] = place
    moves = plan.profile.document.assignment != "natural"
    scored, texts = stored_scores(plan, unit, [*IMAGE_SCORES, "window_scores"])
    facts = read_facts(plan, unit)
    for row, document in wanted_documents(plan, unit, only):
        about = placed.get(row, {})
        numbers = range(len(document.images))
        images = [
            _filled(plan, image, about[at], scored.get((row, at), {}))
            for at, image in enumerate(document.images)
        ]
        known = with_facts(document.with_images(images), facts[row])
        perplexity = texts.get(row)
        text_scores = {} if perplexity is None else {PERPLEXITY: perplexity}
        cosines = {at: tuple(scored.get((row, at), {}).get("window_scores", ())) for at in numbers}
        yield Completed(
            row=row,
            document=replace(known, scores={**known.scores, **text_scores}),
            fates=tuple(_fate(about[at]) for at in numbers),
            places={at: stored_place(about[at]) for at in numbers if not _fate(about[at])},
            originals={at: kept for at in numbers if (kept := original_place(about[at]))},
            repeats=facts[row].paragraphs,
            sentences=SentenceScores(
                rows=tuple(cosines.values()), max_words=plan.recipe.scores.windows.max_words
            )
            if moves
            else None,
            window_scores=cosines,
        )


def stored_scores(
    plan: Plan, unit: str, names: Iterable[str]
) -> tuple[dict[tuple[int, int], dict[str, Any]], dict[int, float | None]]:
    """(row, image) -> its scores of these names, and row -> perplexity.

    Raises:
        OutputError: a table is missing or damaged.
    """
    images: dict[tuple[int, int], dict[str, Any]] = {}
    texts: dict[int, float | None] = {}
    for part in plan.score_parts:
        folder = plan.folder("scores", part)
        if part == PERPLEXITY:
            texts = {found["row"]: found[PERPLEXITY] for found in folder.rows(unit)}
            continue
        wanted = [name for name in names if name in SCHEMAS[part].names]
        for found in folder.rows(unit, ["row", "image", *wanted]):
            key = found.pop("row"), found.pop("image")
            images.setdefault(key, {}).update(found)
    return images, texts


def _fate(place: Mapping[str, Any]) -> str:
    return "" if place["outcome"] == "kept" else str(place["reason"])


def _filled(plan: Plan, image: Image, place: Mapping[str, Any], scored: Mapping[str, Any]) -> Image:
    if not is_decoded(place):
        return image
    found = filled(image, place)
    scores = {name: scored[name] for name in IMAGE_SCORES if scored.get(name) is not None}
    scores |= plan.lists.distance(place["phash"])
    url = served_url(image, place["url_key"])
    return replace(found, url=url, scores={**found.scores, **scores})


def served_url(image: Image, key: str) -> str:
    """The address of an image that has this `url_key`.

    The page's preferred one need not be the one that the archive had.
    """
    served = (url for url in (image.url, *image.candidates) if url_key(url) == key)
    return next(served, image.url)
