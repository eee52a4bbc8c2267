"""`m3w build`."""

import functools
import json
from pathlib import Path
from typing import Any

import click

from openm3w import recipe as recipes
from openm3w.pipeline import build as builds
from openm3w.pipeline import planning, publish
from openm3w.pipeline import recipe as build_recipe
from openm3w.pipeline.fetch.settings import Refetch
from openm3w.pipeline.fetch_options import (
    asked_again,
    fetch_options,
    fetch_overrides,
)
from openm3w.pipeline.jobs import JOBS, Job
from openm3w.pipeline.options import json_option, output_option, runner_options, set_option
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.printing import print_built, quiet
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import pending
from openm3w.pipeline.stores import store_option, stores_of
from openm3w.shards.uris import shown


@click.command()
@click.argument("recipe")
@click.option("--input", "-i", "inputs", multiple=True, required=True, metavar="SOURCE",
              help="WARC or ARC file, folder, glob or path list; several may follow.")  # fmt: skip
@click.argument("more_inputs", nargs=-1, metavar="[SOURCE]...")
@output_option
@store_option
@click.option("--images", "places", multiple=True, metavar="PATH",
              help="WARC or ARC file, folder or glob in which images are looked up that the inputs "
                   "lack; repeat it.")  # fmt: skip
@runner_options
@click.option("--limit", type=click.IntRange(min=0), default=0, metavar="N",
              help="At most N pages of each archive.")  # fmt: skip
@click.option("--from", "first", type=click.Choice(JOBS), default=JOBS[0], help="First job to run.")
@click.option("--until", "last", type=click.Choice(JOBS), default=JOBS[-1], help="Last job to run.")
@fetch_options
@set_option
@click.option("--dry-run", is_flag=True, help="Resolve everything, print the plan, do nothing.")
@json_option
def build(
    recipe: str,
    inputs: tuple[str, ...],
    more_inputs: tuple[str, ...],
    output: Path,
    store: str | None,
    places: tuple[str, ...],
    runner: str,
    workers: int,
    limit: int,
    first: Job,
    last: Job,
    overrides: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
    refetch: Refetch | None,
    older_than: float | None,
    **fetching: Any,
) -> None:
    """Builds interleaved shards from web archives.

    RECIPE is openm3w, kosmos1, m3w, or a TOML file. The same command again goes on where the
    last one stopped, and does nothing where all is done.

    \b
    m3w build openm3w --input crawl.warc.gz --output out
    m3w build kosmos1 --input archives/ --output out --set language=any --runner local-mp
    m3w build openm3w --input x.warc.gz --output out --until images
    m3w build openm3w --input pages.warc.gz --images pictures/ --output out
    m3w build openm3w --input x.warc.gz --output out --fetch --contact https://example.org/bot
    """
    if limit:
        overrides = (*overrides, f"pages_per_archive={limit}")
    overrides = (*fetch_overrides(**fetching), *overrides)
    engine = Runner(name=runner, workers=workers)
    resolved = build_recipe.load(recipe, overrides)
    # What --dry-run prints is JSON, beside which notes go to stderr.
    say = quiet if as_json else functools.partial(click.echo, err=dry_run)
    stores = stores_of(store, output)
    plan = planning.make_plan(
        resolved,
        (*inputs, *more_inputs),
        output,
        stores.jobs,
        say,
        again=asked_again(refetch, older_than, resolved.images.source),
        image_places=places,
        shared=stores.shared,
    )
    if dry_run:
        click.echo(json.dumps(_plan_json(plan), indent=1, ensure_ascii=False))
        return
    built = builds.build(plan, engine, say=say, first=first, last=last)
    print_built(plan, built, as_json=as_json)


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "recipe": publish.recipe_table(plan.recipe),
        "profile": recipes.to_plain(plan.profile),
        "floor": recipes.to_plain(plan.floor),
        "similarity_model": plan.model,
        "sources": [source.name for source in plan.sources],
        "output": str(plan.output),
        "store": str(plan.store),
        "images": [place.name for place in plan.copies],
        "fetched": shown(plan.fetched),
        "archives": len(plan.units),
        "pending": {job: len(pending(plan, job)) for job in JOBS},
    }
