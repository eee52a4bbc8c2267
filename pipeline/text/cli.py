"""`m3w text build`."""

import json
from pathlib import Path

import click

from openm3w.pipeline.options import output_option, recipe_options
from openm3w.pipeline.printing import print_published, quiet
from openm3w.pipeline.publish import Published
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.stores import folder_of, folder_option
from openm3w.pipeline.text import build as builds
from openm3w.pipeline.text import recipe as text_recipe
from openm3w.shards.terminal import counted


@click.group()
def text() -> None:
    """Shards of text."""


@text.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@output_option
@folder_option
@click.option(
    "--text-column",
    default="",
    metavar="NAME",
    help="Column of the tables that holds the texts.  [default: text or content]",
)
@recipe_options("text")
def build(
    inputs: tuple[str, ...],
    output: Path,
    store: str | None,
    text_column: str,
    name: str,
    recipe: str,
    runner: str,
    workers: int,
    overrides: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Builds text shards from web archives and tables.

    INPUT is a WARC, ARC or WET file, or a table: Parquet, JSON lines, CSV or TSV (plain, .gz or
    .zst) with the columns of the Pile, Dolma, FineWeb or C4; a folder or a pattern of these; or the
    URI (https, s3, gs) of tables. The same command again goes on where the last one stopped, and
    does nothing where all is done.

    \b
    m3w text build crawl.warc.gz --output text
    m3w text build pile/*.jsonl.zst --output pile --runner local-mp
    m3w text build s3://bucket/fineweb/ --output fineweb --set language=any
    m3w text build news.csv.gz --output news --text-column body
    m3w text build crawl.warc.wet.gz --output wet --set language=any --set text.min_words=20
    """
    engine = Runner(name=runner, workers=workers)
    if name:
        overrides = (*overrides, f"name={json.dumps(name)}")
    say = quiet if as_json else click.echo
    plan = builds.make_plan(
        text_recipe.load(recipe, overrides),
        inputs,
        output,
        say=say,
        text_column=text_column,
        store=folder_of(store, output),
    )
    _print_result(builds.build(plan, engine, say=say), output, as_json=as_json)


def _print_result(built: Published, output: Path, *, as_json: bool) -> None:
    found = built.manifest
    size = f"{counted(found.nsamples, 'text')}, {counted(found.characters, 'character')}"
    print_published(built, output, size, {"characters": found.characters}, as_json=as_json)
