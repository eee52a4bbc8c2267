"""What each job's units must be made from, in digits: where these change, the job runs again."""

from dataclasses import replace
from typing import Literal

from openm3w.filters.floor import Floor
from openm3w.filters.plugins import source_digests
from openm3w.filters.profiles import Profile
from openm3w.filters.rules.image import ImageRules
from openm3w.filters.rules.pages import PageRules
from openm3w.pipeline.images.lists import Lists
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.jobs import Job
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.resolved import Resolved
from openm3w.pipeline.sources import Source
from openm3w.recipe import chained, fingerprint

Made = Literal[Job, "facts"]
"""What has digits of its own: facts are job 2's, but nothing is fetched or scored by them."""

STORE_VERSION = 7
"""Raised when a job's output changes for the same recipe, so that old units are done again."""

_SHARDS_VERSION = 2
"""The same of the last job alone, before which nothing is to be fetched or scored again."""


def fingerprints_of(
    recipe: BuildRecipe,
    sources: tuple[Source, ...],
    profile: Profile,
    bounds: Floor,
    lists: Lists,
    texts: list[str],
    resolved: Resolved,
    copies: tuple[ImagePlace, ...],
) -> dict[Made, str]:
    """Each job's digits: of its part of the recipe and of its parents' digits.

    `bounds` are the floor's, `texts` the digests of files of evaluation texts, `copies` archives in
    which images are looked up besides.

    Raises:
        RecipeError: a plugin is not there.
        InputError: a list cannot be read.
    """
    archives = [(source.name, source.digest) for source in sources]
    # Of lists their contents count, not where they are.
    images = replace(recipe.images, blocklists=(), evaluation_images=())
    # What lists say counts, not where they lie: a list may move, and may change in its place.
    listed = [rules.contents() for rules in bounds.pages]
    pictures, near = bounds.image, bounds.near_duplicates
    bounds = replace(bounds, pages=(), image=ImageRules(), near_duplicates=False)
    pages = profile.pages.contents()
    # What a profile or a build is called, and says of itself, decides nothing.
    profile = replace(profile, pages=PageRules(), description="")
    reading = (recipe.screen, recipe.extract, recipe.pages_per_archive)
    counted = (recipe.dedup.seed, recipe.dedup.ngram, texts)
    earlier = resolved.before
    asks = recipe.images.source == "http"
    fetching = (recipe.fetch.deciding, resolved.refetched_since) if asks else ()
    held = ([place.identity for place in copies],) if copies else ()
    parts: dict[Made, tuple[object, ...]] = {
        "documents": (archives, *reading, bounds, listed),
        "dedup": (
            (recipe.dedup.near, near),
            # Other crawls before this one make other marks; where the folder is makes none.
            None if earlier is None else [(crawl.name, crawl.fingerprint) for crawl in earlier],
        ),
        "images": (images, pictures, lists.blocked_digest, *fetching, *held),
        "scores": (sorted(resolved.scores.items()),),
        "shards": (
            _SHARDS_VERSION,
            *(counted, profile, pages, source_digests(recipe.plugins), recipe.shards),
            lists.evaluation_digest,
        ),
    }
    digits = chained(str(STORE_VERSION), parts)
    # Counts of earlier crawls are among what marks are made from.
    return {**digits, "facts": fingerprint([digits["dedup"], *counted])}
