"""`m3w refilter`."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from openm3w.errors import RecipeError
from openm3w.pipeline import build as builds
from openm3w.pipeline import job_results
from openm3w.pipeline import refilter as refilters
from openm3w.pipeline.jobs import JOBS
from openm3w.pipeline.options import built_with_option, json_option, runner_options
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.printing import print_built, quiet
from openm3w.pipeline.refilter import Looked
from openm3w.pipeline.reopening import check_done, reopen
from openm3w.pipeline.report.text import funnel_lines
from openm3w.pipeline.report.words import reasons
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import stages
from openm3w.shards import funnel
from openm3w.shards.funnel import Stage
from openm3w.shards.terminal import clean_line


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--profile", "-p", "profiles", multiple=True, required=True, metavar="NAME",
              help="A shipped profile or a file; with --dry-run several.")  # fmt: skip
@click.option("--set", "overrides", multiple=True, metavar="a.b=c", help="Change a profile value.")
@click.option("--dry-run", is_flag=True, help="Print what would be kept, write no shards.")
@click.option("--output", "-o", type=click.Path(path_type=Path),
              help="Folder for the new shards.  [default: DIR-NAME]")  # fmt: skip
@click.option("plugins", "--plugin", multiple=True, metavar="MODULE",
              help="A module of filters that the build or a profile needs.")  # fmt: skip
@built_with_option
@runner_options
@json_option
def refilter(
    folder: Path,
    profiles: tuple[str, ...],
    overrides: tuple[str, ...],
    output: Path | None,
    plugins: tuple[str, ...],
    store: Path | None,
    runner: str,
    workers: int,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Chooses another profile for a build, from what is stored of it.

    No archive is read, no image fetched and nothing scored again. The profile has to be inside the
    build's floor; one that is not is refused, and the bound is named.

    \b
    m3w refilter out --profile kosmos1 --dry-run
    m3w refilter out -p obelics -p kosmos1 -p m3w --dry-run       side by side
    m3w refilter out --profile openm3w --set image.min_side=150 --output out-large
    """
    if len(profiles) > 1 and not dry_run:
        raise RecipeError("--profile: one at a time makes shards; several are for --dry-run")
    if len(set(profiles)) < len(profiles):
        raise RecipeError("--profile: the same one is named twice")
    engine, say = Runner(name=runner, workers=workers), quiet if as_json else click.echo
    base = reopen(folder, store, plugins)
    check_done(base, bytes_too=not dry_run)
    if dry_run:
        started = time.perf_counter()
        plans = [refilters.with_profile(base, name, overrides) for name in profiles]
        found = [(plan, refilters.look(plan, engine, say)) for plan in plans]
        _print_looks(base, found, time.perf_counter() - started, as_json=as_json)
        return
    (name,) = profiles
    stem = re.sub(r"[^\w.-]+", "-", Path(name).stem)
    target = output or folder.resolve().with_name(f"{folder.resolve().name}-{stem}")
    plan = refilters.with_profile(base, name, overrides, target)
    built = builds.build(plan, engine, say=say, first="shards")
    print_built(plan, built, as_json=as_json)


def _print_looks(
    base: Plan, found: Sequence[tuple[Plan, Looked]], seconds: float, *, as_json: bool
) -> None:
    early = stages(base, JOBS[:-1])
    if as_json:
        looks = {plan.recipe.profile: _look_json(look) for plan, look in found}
        before = [funnel.to_json(stage) for stage in early]
        value = {"before": before, "profiles": looks, "seconds": round(seconds, 2)}
        click.echo(json.dumps(value, ensure_ascii=False))
        return
    if len(found) == 1:
        ((_, look),) = found
        for line in funnel_lines((*early, *look.stages)):
            click.echo(line)
    else:
        for job in JOBS[:-1]:
            if of_job := [stage for stage in early if stage.job == job]:
                click.echo(job_results.summary(job, of_job))
        click.echo()
        for line in _side_by_side({plan.recipe.profile: look.stages for plan, look in found}):
            click.echo(line)
    for error in dict.fromkeys(error for _, look in found for error in look.errors):
        click.echo(error)
    click.echo(f"nothing was written; {seconds:.1f} s")


def _look_json(look: Looked) -> dict[str, Any]:
    stages_json = [funnel.to_json(stage) for stage in look.stages]
    return {"stages": stages_json, "documents_read": look.read, "errors": list(look.errors)}


def _side_by_side(looks: Mapping[str, Sequence[Stage]]) -> list[str]:
    """A column for each profile, a row for each reason that one of them has."""
    rows: list[tuple[str, list[str]]] = []
    for unit in ("pages", "images"):
        columns = [next(s for s in each if s.unit == unit) for each in looks.values()]
        found = [{reason: count for _, reason, count in reasons(stage)} for stage in columns]
        rows.append((f"{unit} entered", [f"{stage.entered:,}" for stage in columns]))
        rows.append(("  kept", [f"{stage.kept:,}" for stage in columns]))
        names = {name: max(each.get(name, 0) for each in found) for each in found for name in each}
        for name in sorted(names, key=lambda name: (-names[name], name)):
            counts = [f"{each[name]:,}" if name in each else "." for each in found]
            rows.append((f"  {name.replace('_', ' ')}", counts))
    stems = [Path(name).stem for name in looks]
    heads = [
        clean_line(stem if stems.count(stem) == 1 else name)
        for name, stem in zip(looks, stems, strict=True)
    ]
    first = max(len(label) for label, _ in rows)
    widths = [max(len(head), *(len(cells[i]) for _, cells in rows)) for i, head in enumerate(heads)]
    lines = [(" " * first, heads), *((f"{label:<{first}}", cells) for label, cells in rows)]
    return [
        label + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        for label, cells in lines
    ]
