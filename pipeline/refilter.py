"""Another profile over what a build has stored: nothing is read, fetched or scored again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from openm3w import recipe as recipes
from openm3w.errors import RecipeError
from openm3w.filters.choosing import NeedsDocumentsError, choose
from openm3w.filters.floor import Floor
from openm3w.filters.profiles import Profile, names_its_language
from openm3w.filters.rows import Choice, Coded, Rows
from openm3w.filters.similarity import SIMILARITY
from openm3w.pipeline import plan as plans
from openm3w.pipeline.completed import completed_documents
from openm3w.pipeline.failures import Failures, first_of_each
from openm3w.pipeline.jobs import shards
from openm3w.pipeline.jobs.measured import read_rows, view_for
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.publish import Say
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally, add_up
from openm3w.shards.funnel import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a profile would keep."""

    stages: tuple[Stage, ...]
    """Of job `shards`: pages and images."""
    read: str
    """Why documents were read instead of numbers, or ""."""
    errors: tuple[str, ...] = ()
    """The first error of each filter of the user's own that fell over a document."""


def with_profile(
    base: Plan, profile: str, overrides: tuple[str, ...] = (), output: Path | None = None
) -> Plan:
    """The plan of a build like `base` with another profile.

    Raises:
        RecipeError: the profile does not load, or is looser than what `base` has stored.
    """
    recipe = replace(
        base.recipe, name=Path(profile).stem, profile=profile, profile_set=tuple(overrides)
    )
    # The build's language goes for shipped profiles; who writes one into a file means it.
    chosen = replace(recipe, language="") if names_its_language(profile) else recipe
    plan = plans.resolve(
        recipe,
        base.sources,
        output or base.output,
        base.store,
        base.model,
        # What was stored goes by the profiles as they were then; the new one is where we are.
        profiles=(*base.profiles, _here(chosen.load_profile(base.resolved.lm))),
        origin=base.origin,
        resolved=base.resolved,
        copies=base.copies,
        shared=base.fetched,
    )
    if looser := _looser(base.floor, plan.floor):
        raise RecipeError(
            f"profile {profile} is looser than what was built: {'; '.join(looser)}; "
            f"{_remedy(base, profile, changed=bool(overrides))}"
        )
    # Its text may have been measured with the others'.
    return replace(plan, views=base.views) if view_for(base, plan.profile) else plan


def _here(profile: Profile) -> Profile:
    return replace(profile, pages=profile.pages.absolute(Path.cwd()))


def look(plan: Plan, runner: Runner, say: Say) -> Looked:
    """What the plan's profile keeps, without writing anything but numbers to the store.

    Raises:
        OutputError: the store is damaged or cannot be written.
    """
    if pending := plan.measures.pending(plan.units):
        say(f"measuring the text of {len(pending)} archives, which no profile has asked for before")
        shards.measure(plan, runner)
    try:
        return Looked(stages=add_up(_counted(plan)), read="")
    except NeedsDocumentsError as why:
        say(f"reading documents: {why}")
        failures = Failures()
        stages = add_up(_counted_by_reading(plan, failures))
        return Looked(stages=stages, read=str(why), errors=first_of_each(failures.errors))


def tally(rows: Rows, choice: Choice) -> tuple[Stage, Stage]:
    """The outcomes of pages, and of those images that had none before."""
    entered = rows.fates.where(lambda fate: not fate)
    return (
        _tally(choice.pages, np.ones(len(choice.pages.codes), np.bool_)).stage("shards", "pages"),
        _tally(choice.images, entered).stage("shards", "images"),
    )


def _counted(plan: Plan) -> Iterator[Mapping[str, Any]]:
    view = view_for(plan, plan.profile)
    if view is None:
        raise ValueError("the plan does not measure its own profile's text")
    scores = plan.folder("scores", SIMILARITY) if plan.sentence_words else None
    for unit in plan.units:
        rows = read_rows(plan.measures, unit, plan.profile, view, plan.model, scores=scores)
        choice = choose(rows, plan.profile, similarity_model=plan.model)
        yield {"stages": [recipes.to_plain(stage) for stage in tally(rows, choice)]}


def _counted_by_reading(plan: Plan, failures: Failures) -> Iterator[Mapping[str, Any]]:
    for unit in plan.units:
        pages, images = Tally(), Tally()
        for found in completed_documents(plan, unit):
            selection = found.select(plan)
            shards.count(selection, found.fates, pages, images)
            failures.add(found.document.url, selection.error)
        yield {
            "stages": [pages.to_json("shards", "pages"), images.to_json("shards", "images")],
        }


def _tally(coded: Coded, entered: np.ndarray[Any, np.dtype[np.bool_]]) -> Tally:
    counts = np.bincount(coded.codes[entered], minlength=len(coded.names))
    found = Tally()
    for name, count in zip(coded.names, counts.tolist(), strict=True):
        found.add("dropped" if name else "kept", name, count)
    return found


def _looser(stored: Floor, asked: Floor) -> list[str]:
    """The bounds of the floor that would have to give way, each with both values."""
    before, after = (dict(_leaves(recipes.to_plain(each))) for each in (stored, asked))
    return [
        f"{_KEYS.get(name, name)} is {_said(after.get(name))}, stored was {_said(before.get(name))}"
        for name in before | after
        if before.get(name) != after.get(name)
    ]


_KEYS = {
    "languages": "language",
    "min_words": "text.min_words",
    "near_duplicates": "duplicates.near",
}
"""What a profile calls the floor's bounds where the names differ."""


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _said(value: object) -> str:
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return "what lists of addresses leave"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "any"
    return str(value)


def _remedy(base: Plan, profile: str, *, changed: bool) -> str:
    if base.recipe.language and names_its_language(profile):
        return (
            f"the build was for language={base.recipe.language}, whatever a profile says: take the "
            "language out of the file, or build with --set language= naming both"
        )
    if changed:
        return "to store what it asks for, build with a floor that names a profile of these values"
    names = ", ".join(f'"{name}"' for name in dict.fromkeys([*base.recipe.floor, profile]))
    return f"to store what it asks for, run m3w build with --set 'floor=[{names}]'"
