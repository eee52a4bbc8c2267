"""An output folder back to the plan that made it: for what is chosen or asked afterwards."""

from pathlib import Path

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.pipeline import plan as plans
from openm3w.pipeline import publish
from openm3w.pipeline.plan import Job, Made, Plan
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.sources import Source


def reopen(output: Path, store: Path | None = None, *, needs: Job = "scores") -> Plan:
    """The plan of the build in `output`, whose jobs up to `needs` are done.

    The archives themselves need not be there any more.

    Raises:
        InputError: `output` is no build of web archives, or its store is gone.
        OutputError: the store was made from something else than this version makes of the recipe.
    """
    store = store or publish.default_store(output)
    about = publish.identity_of(output, store)
    if about is None:
        raise InputError(
            f"{output}: no build whose store is {store}; name the folder that `m3w build` wrote "
            "to, and --store where it was built with one"
        )
    try:
        recipe = recipes.decode(BuildRecipe, about["recipe"], where=f"{store}: recipe")
        sources = tuple(
            Source(name=name, path=Path(name), digest=digest) for name, digest in about["sources"]
        )
        model, fingerprints = str(about["model"]), dict(about["fingerprints"])
    except (KeyError, TypeError, ValueError, RecipeError) as error:
        raise InputError(
            f"{output}: not a build of web archives of this version ({error}); only `m3w build` "
            "keeps what is needed to choose again"
        ) from error
    plan = plans.make_plan(recipe, sources, output, store, model)
    made: tuple[Made, ...] = (needs,) if needs == "documents" else (needs, "facts")
    if any(plan.fingerprints[each] != fingerprints.get(each) for each in made):
        raise OutputError(
            f"{store}: made by another version, or a profile of its floor or an evaluation text "
            "has changed since; run the same m3w build again, which does only what has changed"
        )
    return plan
