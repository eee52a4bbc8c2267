"""`m3w captions build`, `m3w captions import` and `m3w captions adopt`."""

import json
from pathlib import Path
from typing import Any, get_args

import click

from openm3w.pipeline.captions import adopt as adopting
from openm3w.pipeline.captions import build as builds
from openm3w.pipeline.captions import recipe as caption_recipe
from openm3w.pipeline.captions.alt_texts import Documents, Taken, open_build
from openm3w.pipeline.fetch.settings import Refetch
from openm3w.pipeline.fetch_options import (
    asked_again,
    fetch_options,
    fetch_overrides,
)
from openm3w.pipeline.options import (
    built_with_option,
    json_option,
    output_option,
    recipe_options,
)
from openm3w.pipeline.printing import print_published, quiet
from openm3w.pipeline.publish import Published
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.stores import store_option, stores_of
from openm3w.shards.terminal import counted

_profile_option = click.option(
    "--profile",
    default="",
    metavar="NAME",
    help="Which pairs are kept: a profile or file.  [default: captions]",
)


def _recipe(
    recipe: str, overrides: tuple[str, ...], *, name: str, profile: str
) -> caption_recipe.CaptionRecipe:
    if profile:
        overrides = (*overrides, f"profile={json.dumps(profile)}")
    if name:
        overrides = (*overrides, f"name={json.dumps(name)}")
    return caption_recipe.load(recipe, overrides)


@click.group()
def captions() -> None:
    """Shards of images with captions."""


@captions.command()
@click.argument("tables", nargs=-1, required=True, metavar="TABLE...")
@output_option
@store_option
@click.option(
    "--images",
    "places",
    multiple=True,
    metavar="PATH",
    help="Folder, .tar file, WARC or ARC that holds the images; repeat it.  "
    "[default: the folder of each table]",
)
@click.option(
    "--url-column",
    default="",
    metavar="NAME",
    help="Column with the image's URL, path or name.  [default: known names]",
)
@click.option(
    "--text-column",
    default="",
    metavar="NAME",
    help="Column with the caption, or a list of them.  [default: known names]",
)
@click.option(
    "--captions",
    "take",
    type=click.Choice(["all", "first"]),
    help="Of a list of captions: a sample for each, or the first.  [default: all]",
)
@fetch_options
@recipe_options("captions", _profile_option)
def build(
    tables: tuple[str, ...],
    output: Path,
    store: str | None,
    places: tuple[str, ...],
    url_column: str,
    text_column: str,
    take: str | None,
    runner: str,
    workers: int,
    name: str,
    profile: str,
    recipe: str,
    overrides: tuple[str, ...],
    *,
    as_json: bool,
    refetch: Refetch | None,
    older_than: float | None,
    **fetching: Any,
) -> None:
    """Builds caption shards from tables: Parquet, JSON lines, CSV or TSV.

    TABLE is a file, a folder, a pattern or a URI (https, s3, gs); text may be packed as .gz or
    .zst. The columns of LAION, ReLAION, COYO, DataComp, CC3M, CC12M and cc2dataset are known by
    name. Images are taken from files: beside the table, or in what --images names. The same command
    again goes on where the last one stopped, and does nothing where all is done.

    \b
    m3w captions build coco.jsonl --images train2017.tar --output coco
    m3w captions build laion.parquet --images crawl.warc.gz --profile laion --output laion
    m3w captions build cats.parquet --url-column file --text-column de --output cats
    m3w captions build coco.jsonl -o coco512 --set resize.side=512 --captions first
    m3w captions build laion.parquet -o laion --fetch --contact https://example.org/bot
    m3w captions build cc12m.tsv.gz -o cc12m --fetch --contact https://example.org/bot
    """
    overrides = (*fetch_overrides(**fetching), *overrides)
    engine = Runner(name=runner, workers=workers)
    if take:
        overrides = (*overrides, f'captions.take="{take}"')
    stores = stores_of(store, output)
    resolved = _recipe(recipe, overrides, name=name, profile=profile)
    plan = builds.make_plan(
        resolved,
        tables,
        output,
        image_places=places,
        url_column=url_column,
        text_column=text_column,
        store=stores.jobs,
        again=asked_again(refetch, older_than, resolved.images.source),
        shared=stores.shared,
    )
    built = builds.build(plan, engine, say=quiet if as_json else click.echo)
    _print_result(built, output, as_json=as_json)


@captions.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--from", "take", required=True, type=click.Choice(get_args(Taken)),
              help="What becomes the caption: alternative text or figcaption.")  # fmt: skip
@output_option
@click.option("--documents", type=click.Choice(get_args(Documents)), default="all",
              show_default=True, help="Pages: all in the store, or in DIR's shards.")  # fmt: skip
@built_with_option
@click.option("plugins", "--plugin", multiple=True, metavar="MODULE",
              help="A module of filters that DIR was built with.")  # fmt: skip
@recipe_options("alt-text", _profile_option)
def import_(
    folder: Path,
    take: Taken,
    output: Path,
    documents: Documents,
    store: Path | None,
    plugins: tuple[str, ...],
    runner: str,
    workers: int,
    *,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Makes pairs of the images and alternative texts of a build, as LAION was made.

    DIR is a folder that `m3w build` or `m3w refilter` wrote to. Nothing is fetched: images come
    out of its store, byte for byte where they are not resized, and what later runs reuse is kept
    there.

    \b
    m3w captions import out --from alt-text --output pairs
    m3w captions import out --from alt-text --profile laion -o pairs
    m3w captions import out --from caption --documents kept -o figures
    m3w captions import out --from alt-text -o pairs256 --set resize.side=256
    """
    engine = Runner(name=runner, workers=workers)
    imported = open_build(folder, store, plugins, take=take, documents=documents)
    plan = builds.make_import_plan(_recipe(**chosen), imported, output)
    built = builds.build(plan, engine, say=quiet if as_json else click.echo)
    _print_result(built, output, as_json=as_json)


@captions.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the manifest; may be DIR itself.",
)
@click.option("--name", default="", help="Name of the dataset.  [default: that of DIR]")
@click.option(
    "--skip-damaged",
    is_flag=True,
    help="Leave out shards that are damaged, unfinished, of something else or duplicates.",
)
@json_option
def adopt(folder: Path, output: Path, name: str, *, skip_damaged: bool, as_json: bool) -> None:
    """Registers shards that img2dataset or webdataset wrote, without copying them.

    DIR holds 00000.tar and so on, with img2dataset's 00000.parquet and 00000_stats.json beside
    it or, if no tar has them, without. All shards are read, and those that cannot be adopted are
    named, one a line. Beside each tar an index, .tar.idx, is written, unless DIR is read-only.
    What was found is kept in OUTPUT.work, so that the same command goes on where the last one
    stopped.

    \b
    m3w captions adopt cc3m --output cc3m
    m3w captions adopt cc3m --output cc3m --skip-damaged
    m3w shards join laion cc3m --output mix.json
    """
    built = adopting.adopt(
        folder,
        output,
        name=name or folder.resolve().name,
        skip_damaged=skip_damaged,
        say=quiet if as_json else click.echo,
    )
    _print_result(built, output, as_json=as_json)


def _print_result(built: Published, output: Path, *, as_json: bool) -> None:
    found = built.manifest
    size = counted(found.nsamples, "captioned image")
    print_published(built, output, size, {"images": found.images}, as_json=as_json)
