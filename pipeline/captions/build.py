"""A caption build: its plan, and what is particular to it when it runs."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openm3w.errors import InputError, RecipeError
from openm3w.filters.thresholds import thresholds
from openm3w.pipeline import claims, job_results, refetch, running
from openm3w.pipeline.captions import images, index, rows, select
from openm3w.pipeline.captions.alt_texts import Imported
from openm3w.pipeline.captions.beside import Img2dataset
from openm3w.pipeline.captions.places import find_places
from openm3w.pipeline.captions.plan import CaptionPlan, Job
from openm3w.pipeline.captions.recipe import CaptionRecipe
from openm3w.pipeline.captions.resize import check_installed
from openm3w.pipeline.captions.tables import column_types, find_tables
from openm3w.pipeline.captions.unjudged import unjudged
from openm3w.pipeline.fetch.getting import Again
from openm3w.pipeline.images.lists import Lists
from openm3w.pipeline.jobs.indexing import damage_lines
from openm3w.pipeline.jobs.samples import Samples
from openm3w.pipeline.jobs.web import (
    check_contact,
    host_lines,
    remembered_at,
    told_of,
    told_of_tombstones,
)
from openm3w.pipeline.jobs.writing import Writing
from openm3w.pipeline.publish import Published, Say
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.running import Build
from openm3w.shards.funnel import Stage


def make_plan(
    recipe: CaptionRecipe,
    inputs: Iterable[str],
    output: Path,
    *,
    image_places: Iterable[str] = (),
    url_column: str = "",
    text_column: str = "",
    store: Path | None = None,
    again: Again | None = None,
    shared: str = "",
) -> CaptionPlan:
    """Resolves tables, columns and places of images at the desk, before any work.

    `again` is what is asked again for, its `since` still to be found. `shared` is the URI of what
    is remembered of fetches, where that is not in `store`.

    Raises:
        InputError: a table or a place of images is not there, or has not the columns; or a list
            cannot be read.
        RecipeError: there is no such profile, or fetches would be remembered at two places.
        MissingError: img2dataset is not installed, or pdqhash where a blocklist has PDQ hashes; or
            what reads a protocol.
        OutputError: what is remembered of fetches cannot be read.
    """
    tables = find_tables(inputs, url=url_column, text=text_column, own=recipe.captions.columns)
    named = tuple(image_places)
    asks = recipe.images.source == "http"
    if asks:
        check_contact(recipe.fetch)
    store = store or claims.default_store(output)
    return _planned(
        recipe,
        output,
        store,
        remembered_at(recipe.fetch, store, shared),
        tables=tables,
        places=find_places(
            named,
            [table.source.file for table in tables],
            fetching=asks,
            own=(output, store),
        ),
        beside=not named,
        again=refetch.resolved(again or Again(), output, store, time.time()) if asks else Again(),
    )


def make_import_plan(recipe: CaptionRecipe, imported: Imported, output: Path) -> CaptionPlan:
    """Resolves what is taken from a build of interleaved documents, before any work.

    Both have one store.

    Raises:
        InputError: a list cannot be read.
        RecipeError: there is no such profile, or the recipe asks for what the build has not.
        MissingError: as of `make_plan`.
        OutputError: what is remembered of fetches cannot be read.
    """
    if recipe.images.source == "http":
        raise RecipeError(
            "images.source=http: captions import takes what the build has stored; let m3w build "
            "ask the web, by --fetch"
        )
    if recipe.images.originals and not imported.build.recipe.images.originals:
        raise RecipeError(
            "images.originals: the build kept none; build with --set images.originals=true"
        )
    return _planned(
        recipe,
        output,
        imported.build.store,
        imported.build.fetched,
        tables=imported.tables,
        places=(),
        beside=False,
        imported=imported,
    )


def _planned(
    recipe: CaptionRecipe, output: Path, store: Path, fetched: str, **inputs: Any
) -> CaptionPlan:
    """The plan for these rows and images."""
    check_installed()
    lists = Lists.of(recipe.images.blocklists, recipe.images.evaluation_images)
    # Fails here, not after an hour, where a list is none.
    lists.blocked(), lists.evaluation()
    # Likewise where what must not be stored cannot be known.
    list(told_of_tombstones(fetched))
    return CaptionPlan(
        recipe=recipe,
        profile=recipe.load_profile(),
        output=output,
        store=store,
        lists=lists,
        fetched=fetched,
        **inputs,
    )


def build(plan: CaptionPlan, runner: Runner, *, say: Say) -> Published:
    """Runs the jobs; what is committed already is not done again.

    Raises:
        OutputError: the output belongs to another build, is full or cannot be written.
        InputError: no pair was kept, or too much failed.
    """
    return running.run(
        Build(
            plan=plan,
            jobs={job: functools.partial(run, plan) for job, run in _JOBS.items()},
            counts=functools.partial(_counts, plan),
            check_kept=functools.partial(_check_kept, plan),
            writing=functools.partial(_writing, plan),
            tables=functools.partial(_tables, plan),
            inputs=[table.source.name for table in plan.tables],
            notes=functools.partial(_notes, plan),
            begin=functools.partial(_begin, plan),
            end_job=functools.partial(_end_job, plan),
            models=plan.imported.models if plan.imported else dict,
            counted=functools.partial(_counted, plan),
        ),
        runner,
        say=say,
    )


_JOBS: dict[Job, Callable[[CaptionPlan, Runner], None]] = {
    "rows": rows.run,
    "index": index.run,
    "images": images.run,
    "select": select.run,
}


def _begin(plan: CaptionPlan) -> Iterator[str]:
    if plan.lists.blocklists:
        yield f"blocklists: {plan.lists.blocked()}"
    if plan.lists.evaluation_images:
        yield f"evaluation images: {len(plan.lists.evaluation())} perceptual hashes"
    yield from unjudged(plan)
    yield from told_of_tombstones(plan.fetched)
    if plan.web:
        yield f"images that are in no file are asked of the web, as {told_of(plan.web)}"


def _end_job(plan: CaptionPlan, job: Job) -> Iterator[str]:
    if job == "index":
        yield from damage_lines(_counts(plan, job))
    if job == "images" and plan.web:
        refetch.end(plan.store, plan.again)
        yield from host_lines(_counts(plan, job))


def _units(plan: CaptionPlan, job: Job) -> list[str]:
    if job == "rows":
        return list(plan.units)
    if job == "index":
        return [place.unit for place in plan.places if place.kind != "folder"]
    return images.pack_units(plan) if job == "images" else rows.blocks(plan)


def _counts(plan: CaptionPlan, job: Job) -> Iterator[Mapping[str, Any]]:
    return plan.folder(job).counts(_units(plan, job))


_HINTS = {
    "not_found": "; no image was found beside the table or in --images: name a folder, a tar or a "
    "web archive that holds them, or ask the web with --fetch",
    "bad_url": "; these are no http(s) URLs, and no image of such a name is beside the table or in "
    "--images: name a folder, a tar or a web archive that holds them",
    "bad_port": "; ports other than 80 and 443 are named, as --set 'fetch.limits.ports=[80,8080]'",
    "private_address": "; addresses of this machine and of private networks are not asked, but for "
    "tests with --allow-private-networks",
}
"""What more than half of the rows were dropped for -> what to do."""


def _check_kept(plan: CaptionPlan, found: Sequence[Stage]) -> None:
    """Ends a build without a single pair, before a folder is made that holds nothing."""
    if next(stage for stage in reversed(found) if stage.unit == "pairs").kept:
        return
    first = found[0]
    last = next(stage for stage in found if stage.kept == 0 and stage.unit != "copies")
    most = max(last.dropped, key=last.dropped.__getitem__, default="")
    hint = _HINTS.get(most, "") if 2 * last.dropped.get(most, 0) > last.entered else ""
    reasons = job_results.top({**last.dropped, **last.failed}) or "there were none"
    noted = _notes_of(plan, "rows")
    note = f"; {noted[0]}" if noted else ""
    raise InputError(f"no pair was kept of {first.entered} rows: {reasons}{note}{hint}")


def _writing(plan: CaptionPlan) -> Writing:
    shards = plan.recipe.shards
    beside = Img2dataset(
        pairs=plan.folder("rows"),
        outcomes=plan.folder("select"),
        columns=column_types(plan.tables),
        val_share=shards.val_share,
        seed=shards.seed,
    )
    return Writing(
        output=plan.output,
        kind="caption",
        selected=plan.folder("select"),
        units=tuple(rows.blocks(plan)),
        written=plan.folder("shards"),
        samples=Samples(plan.folder("images"), select.places),
        samples_per_shard=shards.samples_per_shard,
        seed=shards.seed,
        beside=beside if shards.img2dataset_files else None,
    )


def _tables(plan: CaptionPlan) -> dict[str, list[list[Any]]]:
    read = [[t.source.name, t.columns.url, t.columns.text] for t in plan.tables]
    return {"columns read": [["table", "image", "captions"], *read]}


def _counted(plan: CaptionPlan) -> dict[str, Any]:
    recipe = plan.recipe
    return {"thresholds": thresholds(plan.profile, recipe.profile, recipe.profile_set)}


def _notes(plan: CaptionPlan) -> list[str]:
    return [*unjudged(plan), *_notes_of(plan, "rows"), *_notes_of(plan, "index")]


def _notes_of(plan: CaptionPlan, job: Job) -> list[str]:
    return [f"{c['source']}: {note}" for c in _counts(plan, job) for note in c["notes"]]
