"""How a finished build is told on the command line, the same for every kind of data."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from openm3w import recipe as recipes
from openm3w.pipeline.build import Built
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.publish import Published
from openm3w.pipeline.sidecars import stages
from openm3w.shards.terminal import clean_line, counted


def quiet(_: str) -> None:
    """Says nothing: what a build reports to where only JSON is wanted."""


def print_published(
    built: Published, output: Path, size: str, counts: Mapping[str, int], *, as_json: bool
) -> None:
    """One line with `size` and what to do next, or a JSON object with `counts` and the funnel."""
    found = built.manifest
    if as_json:
        value = {
            "output": str(output),
            "already_done": built.already_done,
            "samples": found.nsamples,
            **counts,
            "shards": len(found.shards),
            "stages": found.counts.get("stages", []),
        }
        click.echo(json.dumps(value, ensure_ascii=False))
        return
    where, size = clean_line(str(output)), f"{size}, {counted(len(found.shards), 'shard')}"
    if built.already_done:
        click.echo(f"{where}: nothing to do, the build is complete ({size})")
    else:
        click.echo(f"{where}: {size}; look at them: m3w view {where}")


def print_built(plan: Plan, built: Built, *, as_json: bool) -> None:
    """What a build of web archives ended with: a line, or a JSON object with the funnel."""
    found = built.manifest
    if as_json:
        value = {
            "output": str(plan.output),
            "already_done": built.already_done,
            "documents": found.nsamples if found else None,
            "images": found.images if found else None,
            "shards": len(found.shards) if found else None,
            "stages": [recipes.to_plain(stage) for stage in stages(plan)],
        }
        click.echo(json.dumps(value, ensure_ascii=False))
        return
    where = clean_line(str(plan.output))
    if found is None:
        click.echo(f"stopped as asked; {clean_line(str(plan.store))} has what is done")
        return
    numbers = {"document": found.nsamples, "image": found.images, "shard": len(found.shards)}
    size = ", ".join(counted(number, noun) for noun, number in numbers.items())
    if built.already_done:
        click.echo(f"{where}: nothing to do, the build is complete ({size})")
    else:
        click.echo(f"{where}: {size}; look at it: m3w view {where}")
