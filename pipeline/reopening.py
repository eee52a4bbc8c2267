"""An output folder back to the plan that made it: for what is chosen or asked afterwards."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.filters.plugins import load_plugins
from openm3w.filters.profiles import Profile
from openm3w.pipeline import claims
from openm3w.pipeline import plan as plans
from openm3w.pipeline.fingerprints import Made
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.jobs import JOBS, Job
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.resolved import Resolved
from openm3w.pipeline.sidecars import pending
from openm3w.pipeline.sources import Source


def reopen(
    output: Path,
    store: Path | None = None,
    plugins: Sequence[str] = (),
    *,
    needs: Job = "scores",
) -> Plan:
    """The plan of the build in `output`, whose jobs up to `needs` are done.

    The archives themselves need not be there any more, nor the files of its profiles, nor models,
    nor a state. Modules of the user's own are imported where `plugins` names them: a store alone
    makes nobody run code.

    Raises:
        InputError: `output` is no build of web archives, or its store is gone.
        RecipeError: `plugins` leaves a module out that the build was made with.
        OutputError: the store was made from something else than this version makes of the recipe.
    """
    place = store or claims.find_store(output) or claims.default_store(output)
    about = claims.identity_of(output, place)
    if about is None:
        elsewhere = "" if store else ", nor is one folder *.work beside it the store of its build"
        raise InputError(
            f"{output}: no build whose store is {place}{elsewhere}; name the folder that "
            "`m3w build` or `m3w refilter` wrote to, and its store by --store"
        )
    try:
        beside = about[claims.BESIDE]
        table = {**about["recipe"], "report": beside["report"]}
        recipe = recipes.decode(BuildRecipe, table, where=f"{place}: recipe")
        sources = tuple(
            Source(name=name, file=Path(name), digest=digest) for name, digest in about["sources"]
        )
        copies = tuple(
            ImagePlace(kind=kind, path=Path(name), name=name, digest=digest)
            for kind, name, digest in about.get("images", ())
        )
        model, fingerprints = str(about["model"]), dict(about["fingerprints"])
        tables, origin = list(beside["profiles"]), Path(beside["origin"])
        shared = str(beside.get("fetched", ""))
        resolved = recipes.decode(Resolved, beside["resolved"], where=f"{place}: resolved")
    except (KeyError, TypeError, ValueError, RecipeError) as error:
        if "profiles" in about.get(claims.BESIDE, {}):
            raise OutputError(_made_by_another(place)) from error
        raise InputError(
            f"{output}: not a build of web archives; only `m3w build` keeps what is needed for this"
        ) from error
    recipe = _with_plugins(recipe, plugins, place)
    plan = plans.resolve(
        recipe,
        sources,
        output,
        place,
        model,
        profiles=tuple(recipes.decode(Profile, each, f"{place}: profile") for each in tables),
        origin=origin,
        resolved=resolved,
        copies=copies,
        shared=shared,
    )
    made: tuple[Made, ...] = (needs,) if needs == "documents" else (needs, "facts")
    if any(plan.fingerprints[each] != fingerprints.get(each) for each in made):
        raise OutputError(_made_by_another(place))
    return plan


def _made_by_another(store: Path) -> str:
    return (
        f"{store}: made by another version, or a list or an evaluation text that it goes by has "
        f"changed since; run the same m3w build with another --output and --store {store}, which "
        "does only what has changed"
    )


def check_done(plan: Plan, *, bytes_too: bool) -> None:
    """Looks whether every job before the last is done for every archive.

    `bytes_too`: and whether the pictures are there, which numbers can do without.

    Raises:
        OutputError: one is not; the message says what to do.
    """
    for job in JOBS[:-1]:
        if left := pending(plan, job, bytes_too=bytes_too):
            raise OutputError(
                f"{plan.store}: job {job} is not done, or its files are gone, for {len(left)} of "
                f"{len(plan.units)} archives; run the same m3w build again, which does only that"
            )


def _with_plugins(recipe: BuildRecipe, named: Sequence[str], store: Path) -> BuildRecipe:
    if left := [module for module in recipe.plugins if module not in named]:
        again = " ".join(f"--plugin {module}" for module in left)
        raise RecipeError(
            f"{store}: built with filters of {', '.join(left)}; no store is trusted to name "
            f"code that runs, so name what you know: {again}"
        )
    load_plugins(named)
    return replace(recipe, plugins=tuple(dict.fromkeys((*recipe.plugins, *named))))
