"""`m3w shards ls`, `show` and `stats`: what is in a dataset."""

import json

import click

from openm3w.shards import manifest, reader
from openm3w.shards.catalog import stats
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.commands import printing
from openm3w.shards.commands.options import (
    echo_data,
    json_option,
    manifest_argument,
    print_json,
)
from openm3w.shards.terminal import clean, clean_line


@click.command()
@manifest_argument
@json_option
def ls(where: str, *, as_json: bool) -> None:
    """Lists the shards of MANIFEST with their counts.

    \b
    m3w shards ls out
    m3w shards ls mix.json --json | jq '.[].nsamples'
    """
    datasets = manifest.load(where)
    if as_json:
        print_json([printing.shards_json(dataset) for dataset in datasets])
        return
    for line in printing.shard_lines(datasets):
        click.echo(line)


@click.command()
@manifest_argument
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
        echo_data(text)
        return
    click.echo(f"{place.manifest.root / place.shard.url}, sample {place.index + 1}")
    for suffix, data in members.items():
        click.echo(f"  {clean_line(name)}.{clean_line(suffix)}  {len(data):,} bytes")
    click.echo(clean(_pretty(text)))


@click.command(name="stats")
@manifest_argument
@click.option("--split", help="Count one split only.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many domains to list.",
)
@json_option
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
        print_json(value)
        return
    for line in printing.stats_lines(value):
        click.echo(line)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text  # what is damaged is wanted as it stands
