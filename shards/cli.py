"""`m3w shards ...` and `m3w view`: parse, call the library, print."""

import itertools
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from openm3w.errors import InputError, NotBuiltError, OutputError
from openm3w.shards import commit, listing, manifest, pager, pictures, reader, stats, svg, viewer
from openm3w.shards import verify as verification
from openm3w.shards.catalog import Catalog
from openm3w.shards.keyboard import keyboard
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import clean, clean_line, counted

PLANNED = {
    "import": "other formats as shards",
    "redact": "deletion requests",
}
"""Commands of the design that this version refuses, with what they will do."""

# Where the root element of an SVG begins, behind declarations and comments.
_SVG_HEAD = 1000

_MANIFEST = click.argument("where", metavar="MANIFEST")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Group(click.Group):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in PLANNED:
            raise NotBuiltError(
                f"`m3w shards {cmd_name}` ({PLANNED[cmd_name]}) is planned, "
                "this version does not have it yet"
            )
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_commands(ctx, formatter)
        with formatter.section("Planned, not in this version"):
            formatter.write_text(", ".join(sorted(PLANNED)))


@click.group(cls=_Group)
def shards() -> None:
    """Lists, shows, counts, checks and joins datasets.

    MANIFEST is a manifest.json, the folder of one, or a mixture.

    \b
    m3w shards ls out
    m3w shards verify out
    m3w shards join out captions text --output mix.json
    """


@shards.command()
@_MANIFEST
@_JSON
def ls(where: str, *, as_json: bool) -> None:
    """Lists the shards of MANIFEST with their counts.

    \b
    m3w shards ls out
    m3w shards ls mix.json --json | jq '.[].nsamples'
    """
    datasets = manifest.load(where)
    if as_json:
        _print_json([listing.shards_json(dataset) for dataset in datasets])
        return
    for line in listing.shard_lines(datasets):
        click.echo(line)


@shards.command()
@_MANIFEST
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON as it stands in the shard.")
def show(where: str, key: str, *, as_json: bool) -> None:
    """Prints the JSON of one sample, and the members that stand beside it.

    KEY is a key, the beginning of one, or a number from 1.

    \b
    m3w shards show out 1
    m3w shards show out 4f1d --json | jq .texts
    """
    catalog = Catalog(manifest.load(where))
    place = catalog.place(catalog.find(key))
    name, members = reader.read_members_at(place.manifest, place.shard, place.index)
    text = members.get("json", b"{}").decode("utf-8", "replace")
    if as_json:
        _echo_data(text)
        return
    click.echo(f"{place.manifest.root / place.shard.url}, sample {place.index + 1}")
    for suffix, data in members.items():
        click.echo(f"  {clean_line(name)}.{clean_line(suffix)}  {len(data):,} bytes")
    click.echo(clean(_pretty(text)))


@shards.command(name="stats")
@_MANIFEST
@click.option("--split", help="Count one split only.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many domains to list.",
)
@_JSON
def stats_command(where: str, split: str | None, top: int, *, as_json: bool) -> None:
    """Counts what MANIFEST holds: sizes, scores, languages, domains.

    \b
    m3w shards stats out
    m3w shards stats mix.json --split train --json
    """
    datasets = manifest.load(where)
    if split is not None:
        Catalog(datasets, split)  # which refuses a split that nothing is in
    value = stats.to_json(stats.collect(datasets, split), top=top)
    if as_json:
        _print_json(value)
        return
    for line in listing.stats_lines(value):
        click.echo(line)


@shards.command()
@_MANIFEST
@click.option("--quick", is_flag=True, help="Only names, sizes and indexes.")
@_JSON
def verify(where: str, *, quick: bool, as_json: bool) -> None:
    """Checks every byte, sample and image of MANIFEST; exit 1 where something is wrong.

    \b
    m3w shards verify out
    m3w shards verify mix.json --quick
    """
    result = verification.verify(manifest.load(where), quick=quick)
    counts = {"shards": result.shards, "samples": result.samples, "images": result.images}
    if as_json:
        _print_json({**counts, "quick": quick, "faults": result.faults})
    else:
        for fault in result.faults:
            click.echo(clean_line(fault))
        said = ", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items())
        how = "sizes and indexes" if quick else "every byte"
        faults = counted(len(result.faults), "fault") if result.faults else "ok"
        click.echo(f"{faults}: {said} ({how})", err=bool(result.faults))
    if result.faults:
        raise click.exceptions.Exit(1)


@shards.command()
@click.argument("where", metavar="MANIFEST...", nargs=-1, required=True)
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="The mixture.")
@click.option("--name", help="Its name; else that of the file.")
@click.option("--force", is_flag=True, help="Replace another mixture.")
def join(where: tuple[str, ...], output: Path, name: str | None, *, force: bool) -> None:
    """Writes a mixture: one manifest that names several.

    Training, viewing, statistics and verification take a mixture wherever they take a manifest.

    \b
    m3w shards join out captions text --output mix.json
    """
    datasets = [dataset for one in where for dataset in manifest.load(one)]
    _refuse_twice(datasets)
    value = manifest.mixture_to_json(output, datasets, name or output.stem)
    before = commit.read_json(output)
    samples = sum(dataset.nsamples for dataset in datasets)
    said = f"{output}: {counted(len(datasets), 'dataset')}, {counted(samples, 'sample')}"
    if before == value:
        click.echo(f"{said}; nothing changed")
        return
    if output.exists() and (not force or before is None or before.get("kind") != "mixture"):
        raise OutputError(
            f"{output}: something else is there; name another --output"
            + (", or replace the mixture with --force" if before is not None else "")
        )
    commit.check_place(output)
    manifest.write_mixture(output, datasets, name or output.stem)
    click.echo(said)


@click.command()
@_MANIFEST
@click.argument("key", required=False)
@click.option("--split", help="Only this split.")
@click.option(
    "--images",
    type=click.Choice(["auto", "blocks", "none"]),
    default="auto",
    show_default=True,
    help="auto: the best that the terminal can do; blocks: coloured half blocks; none: a line.",
)
@click.option("--plain", is_flag=True, help="Print and end, as it does where there is no terminal.")
@click.option("--limit", type=click.IntRange(min=1), help="Print so many documents. [default: 1]")
@click.option("--svg", "svg_file", type=click.Path(path_type=Path), help="Write one as an SVG.")
def view(
    where: str,
    key: str | None,
    split: str | None,
    images: pictures.Mode,
    limit: int | None,
    svg_file: Path | None,
    *,
    plain: bool,
) -> None:
    """Shows documents, text and pictures in reading order.

    KEY is a key, the beginning of one, or a number from 1. Keys in the viewer: n next, p previous,
    space page, / search, number or : jump, q quit.

    \b
    m3w view out                          page through the documents
    m3w view out 17
    m3w view out --limit 3 | less         as plain text
    m3w view out --plain --images blocks  with coloured half blocks, also into a pipe
    m3w view out 4f1d --svg document.svg
    """
    catalog = Catalog(manifest.load(where), split)
    number = catalog.find(key) if key else 0
    if svg_file is not None:
        _write_svg(catalog, number, svg_file)
        return
    console = _console(images)
    if plain or limit is not None or not (console.is_terminal and sys.stdin.isatty()):
        for shown in itertools.islice(catalog.walk(number), limit or 1):
            viewer.print_sample(console, shown, images)
        return
    technique = pictures.technique(images, console)
    with keyboard() as read_key:
        pager.Pager(catalog, console, read_key, technique).run(number)


def _console(images: pictures.Mode) -> Console:
    # Terminals and pipes that cannot hold a character get a question mark, not an error.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    if images == "blocks" and not sys.stdout.isatty():
        return Console(force_terminal=True, color_system="truecolor", highlight=False)
    return Console(highlight=False)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text  # what is damaged is wanted as it stands


def _write_svg(catalog: Catalog, number: int, path: Path) -> None:
    if path.is_file() and b"<svg" not in path.read_bytes()[:_SVG_HEAD]:
        raise OutputError(f"{path}: something else than an SVG is there; choose another --svg")
    commit.check_place(path)
    shown = catalog.step(number, 1)
    if shown is None:
        raise InputError("every sample is on the exclude list")
    commit.write_bytes(path, svg.export(shown).encode(), through_link=True)
    click.echo(f"{path}: {clean_line(shown.sample.document.title) or shown.sample.key}")


def _refuse_twice(datasets: list[Manifest]) -> None:
    roots = [dataset.root.resolve() for dataset in datasets]
    for root in roots:
        if roots.count(root) > 1:
            raise InputError(f"{root}: named twice; name each dataset once")


def _print_json(value: object) -> None:
    _echo_data(json.dumps(value, ensure_ascii=False, indent=1))


def _echo_data(text: str) -> None:
    # A program gets the data as it is; a terminal gets no control characters of the web.
    click.echo(clean(text) if sys.stdout.isatty() else text)
