"""How a finished build is told on the command line, the same for every kind of data."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from openm3w.pipeline.publish import Published
from openm3w.shards.terminal import clean_line


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
    where, size = clean_line(str(output)), f"{size}, {len(found.shards)} shards"
    if built.already_done:
        click.echo(f"{where}: nothing to do, the build is complete ({size})")
    else:
        click.echo(f"{where}: {size}; look at them: m3w view {where}")
