"""A build, resolved at the desk: everything that its jobs go by."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from openm3w import __version__
from openm3w.errors import RecipeError
from openm3w.filters.floor import Floor, floor
from openm3w.filters.measuring import View, image_names, page_names, rule_key, views
from openm3w.filters.profiles import Profile
from openm3w.pipeline import needs
from openm3w.pipeline.dedup import evaluation
from openm3w.pipeline.dedup.state import Crawl, State, check_name
from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.fingerprints import STORE_VERSION, Made, fingerprints_of
from openm3w.pipeline.images.lists import Lists
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.jobs import Job
from openm3w.pipeline.jobs.web import Web, remembered_at
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.resolved import Resolved
from openm3w.pipeline.sources import Source
from openm3w.pipeline.store import Folder
from openm3w.recipe import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that workers need; small, frozen and picklable. `resolve` makes it."""

    recipe: BuildRecipe
    sources: tuple[Source, ...]
    output: Path
    store: Path
    model: str
    """The similarity model, resolved: never `auto`."""
    profiles: tuple[Profile, ...]
    """What must stay possible; the last one is chosen. Their lists are absolute paths."""
    origin: Path
    """The folder from which relative paths of the recipe are meant."""
    floor: Floor
    """The loosest bounds, which the jobs before the last apply."""
    views: tuple[View, ...]
    """How the text is measured for this and other profiles."""
    lists: Lists
    """Of images that must not be stored, and of evaluation pictures."""
    texts: tuple[str, ...]
    """SHA-256 of each file of evaluation texts."""
    fingerprints: Mapping[Made, str]
    """What a job's units must be made from: its part of the recipe and its parents' digits."""
    score_parts: Mapping[str, str]
    """Name of each score that the recipe makes -> what its units must be made from."""
    resolved: Resolved
    """Models and earlier crawls, as the build found them."""
    state: State | None = None
    """What earlier crawls left for this one, as it stood when the plan was made.

    None where there is none, and where a plan was opened again: that one marks nothing."""
    again: Again = field(default_factory=Again)
    """Which images are asked for again."""
    copies: tuple[ImagePlace, ...] = ()
    """Archives in which images are looked up that the sources lack."""
    fetched: str
    """URI of what is remembered of fetches, and of tombstones."""

    @property
    def profile(self) -> Profile:
        """Thresholds of the last job."""
        return self.profiles[-1]

    @property
    def crawl(self) -> Crawl:
        """This build in the state; only where there is one."""
        return Crawl(name=self.recipe.dedup.crawl, fingerprint=self.fingerprints["dedup"])

    @property
    def units(self) -> tuple[str, ...]:
        """One unit of pages for each archive."""
        return tuple(source.unit for source in self.sources)

    def folder(self, job: Job, part: str = "") -> Folder:
        """A job's folder in the store; `part` where it commits more than one kind of unit.

        Each score has digits of its own: a further scorer does not ask for the others again.
        """
        if (job, part) == ("images", "index"):
            # Which archive it is of, a unit's name says.
            return Folder.of(self.store / job / part, fingerprint([part, STORE_VERSION]))
        made: Made = "facts" if part == "facts" else job
        digits = self.score_parts[part] if job == "scores" else self.fingerprints[made]
        return Folder.of(self.store / job / part, digits)

    def drops(self, reason: str) -> bool:
        """Whether a document with this mark goes no further; others are left to the last job."""
        return reason != "near_duplicate" or self.floor.near_duplicates

    @property
    def web(self) -> Web | None:
        """How images are asked of the web; None where they are not."""
        if self.recipe.images.source != "http":
            return None
        return Web(settings=self.recipe.fetch, store=self.fetched, again=self.again)

    @property
    def sentence_words(self) -> int:
        """Length in words that sentences were cut at for scores; 0 unless each of them has one."""
        windows = self.recipe.scores.windows
        return windows.max_words if self.model != "none" and windows.scope == "all" else 0

    @property
    def measures(self) -> Folder:
        """Numbers for choosing profiles; what they are of has its own digits."""
        views = [[view.key, *(rule_key(rule) for rule in view.rules)] for view in self.views]
        parents = [self.fingerprints["scores"], self.fingerprints["facts"]]
        measured = [page_names(), image_names(), views]
        made_from = [*parents, self.lists.evaluation_digest, *measured, self.sentence_words]
        return Folder.of(self.store / "measures", fingerprint(made_from))

    @property
    def versions(self) -> dict[str, str]:
        """What is written into the manifest about the software."""
        return {"openm3w": __version__, "store": str(STORE_VERSION)}


def resolve(
    recipe: BuildRecipe,
    sources: tuple[Source, ...],
    output: Path,
    store: Path,
    model: str,
    *,
    profiles: tuple[Profile, ...] | None = None,
    origin: Path | None = None,
    resolved: Resolved | None = None,
    again: Again | None = None,
    copies: tuple[ImagePlace, ...] = (),
    shared: str = "",
) -> Plan:
    """Resolves profiles, floor, state and fingerprints.

    `profiles` are those that must stay possible, the chosen one last: by default the recipe's, as
    their files say now. `origin` is where its relative paths begin: by default where this runs.
    `resolved` is what a build found before: neither models nor a state are then asked for. `again`
    says which images are asked for again, `copies` where those are looked up that the sources lack,
    and `shared` is the URI of what is remembered of fetches, where that is not in `store`.

    Raises:
        RecipeError: a profile does not load or asks for what the recipe does not make, or no scorer
            is called as the recipe has it, or fetches would be remembered at two places.
        MissingError: a scorer's package or file is not here.
        InputError: a list, the state or evaluation texts that the recipe or a profile names cannot
            be read, or a scorer's file is not of its form.
    """
    origin = origin or Path.cwd()
    found = recipe.floor_profiles() if profiles is None else profiles
    profiles = tuple(replace(each, pages=each.pages.absolute(origin)) for each in found)
    profile = profiles[-1]
    if recipe.dedup.state:
        _check_place(origin / recipe.dedup.state, output, store)
    state = None if resolved else _state(recipe, origin)
    again = again or Again()
    resolved = resolved or Resolved.of(recipe, model, state, refetched_since=again.since)
    needs.check(recipe, profile, model, resolved.scores)
    bounds = floor(profiles)
    lists = Lists.of(
        _absolute(origin, recipe.images.blocklists),
        _absolute(origin, recipe.images.evaluation_images),
    )
    texts = evaluation.digests(_absolute(origin, recipe.dedup.evaluation_texts))
    fingerprints = fingerprints_of(recipe, sources, profile, bounds, lists, texts, resolved, copies)
    images, scores = fingerprints["images"], resolved.scores
    return Plan(
        recipe=recipe,
        sources=sources,
        output=output,
        store=store,
        model=model,
        profiles=profiles,
        origin=origin,
        floor=bounds,
        views=views(profiles),
        lists=lists,
        texts=tuple(texts),
        fingerprints=fingerprints,
        score_parts={name: fingerprint([images, made_from]) for name, made_from in scores.items()},
        resolved=resolved,
        state=state,
        again=again,
        copies=copies,
        fetched=remembered_at(recipe.fetch, store, shared),
    )


def _absolute(origin: Path, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(origin / path) for path in paths)


def _check_place(state: Path, output: Path, store: Path) -> None:
    """A state outlives the builds that write it: it is no part of what one publishes or removes."""
    for folder in (output.resolve(), store.resolve()):
        if folder in (state.resolve(), *state.resolve().parents):
            raise RecipeError(
                f"dedup.state: {state} is inside {folder}, which is this build's own; choose "
                "another folder"
            )


def _state(recipe: BuildRecipe, origin: Path) -> State | None:
    settings = recipe.dedup
    if not settings.state:
        return None
    check_name(settings.crawl, "dedup.crawl")
    return State.read(origin / settings.state, settings.minhash)
