"""From what a build is asked for to its plan: inputs found, models chosen, notes told."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from openm3w.pipeline import claims, refetch
from openm3w.pipeline import plan as plans
from openm3w.pipeline.dedup import evaluation as evaluation_texts
from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.floor_notes import floor_notes, unasked
from openm3w.pipeline.images.named import find_archives
from openm3w.pipeline.jobs.web import check_contact, told_of, told_of_tombstones
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.publish import Say
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.sources import find_sources
from openm3w.trainer.encoders import resolve_similarity
from openm3w.trainer.encoders.lm_specs import resolve_lm


def make_plan(
    recipe: BuildRecipe,
    inputs: Iterable[str],
    output: Path,
    store: Path | None,
    say: Say,
    *,
    again: Again | None = None,
    image_places: Iterable[str] = (),
    shared: str = "",
) -> Plan:
    """Resolves inputs, model and thresholds at the desk, before any work.

    `again` is what is asked again for, its `since` still to be found. `image_places` are archives
    in which images are looked up that the inputs lack, `shared` is the URI of what is remembered of
    fetches, where that is not in `store`.

    Raises:
        InputError: an input is not there or is no archive.
        RecipeError: a profile or a bound does not resolve, or fetches would be remembered twice.
        MissingError: a blocklist has PDQ hashes, and pdqhash is not installed; or the package for
            a URI.
        OutputError: what is remembered of fetches cannot be read.
    """
    if recipe.images.source == "http":
        check_contact(recipe.fetch)
    sources = find_sources(inputs)
    if sources.skipped:
        say(f"skipped, no web archives: {', '.join(sources.skipped)}")
    for note in sources.unreadable:
        say(f"passed over: {note}")
    named = find_archives(image_places, sources.archives)
    for note in named.notes:
        say(f"passed over: {note}")
    model = "none" if recipe.scores.model == "none" else resolve_similarity(recipe.scores.model)
    if recipe.scores.model == "auto":
        say(_auto_choice(model))
    store = store or claims.default_store(output)
    asks = recipe.images.source == "http"
    plan = plans.resolve(
        recipe,
        sources.archives,
        output,
        store,
        model,
        again=refetch.resolved(again or Again(), output, store, time.time()) if asks else None,
        copies=named.archives,
        shared=shared,
    )
    if plan.web:
        say(f"images that the archives lack are asked of the web, as {told_of(plan.web)}")
    for note in (*_listed(plan), *unasked(plan), *floor_notes(plan)):
        say(note)
    return plan


def _auto_choice(model: str) -> str:
    if model == "lit":
        return (
            "similarity model: lit, a small stand-in, since open_clip's weights are not on this "
            "machine; --set scores.model=openclip:ViT-L-14/openai fetches and uses them"
        )
    return f"similarity model: {model}"


def _listed(plan: Plan) -> Iterator[str]:
    """What lists and tombstones hold; fails here, not after an hour, where one cannot be read."""
    recipe = plan.recipe
    yield from told_of_tombstones(plan.fetched)
    if note := _unknown_lm(recipe.scores.perplexity):
        yield note
    blocklist, evaluation = plan.lists.blocked(), plan.lists.evaluation()
    if plan.lists.blocklists:
        yield f"blocklists: {blocklist}"
    if plan.lists.evaluation_images:
        yield f"evaluation images: {len(evaluation)} perceptual hashes"
    if texts := recipe.dedup.evaluation_texts:
        yield evaluation_texts.told(texts, recipe.dedup.ngram)


def _unknown_lm(spec: str) -> str:
    """What to say of a language model that is not known well enough to be recognised later."""
    if spec == "none" or resolve_lm(spec).digest():
        return ""
    return (
        f"language model {spec}: not in the hub's cache, so that which commit it is shows only "
        "after this run; the next one scores texts again (fetch it first to spare that)"
    )
