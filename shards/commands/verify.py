"""`m3w shards verify`."""

import click

from openm3w.shards import manifest
from openm3w.shards import verify as verification
from openm3w.shards.commands.options import json_option, manifest_argument, print_json
from openm3w.shards.terminal import clean_line, counted


@click.command()
@manifest_argument
@click.option("--quick", is_flag=True, help="Only names, sizes and indexes.")
@json_option
def verify(where: str, *, quick: bool, as_json: bool) -> None:
    """Checks every byte, sample and image of MANIFEST; exit 1 where something is wrong.

    \b
    m3w shards verify out
    m3w shards verify mix.json --quick
    """
    result = verification.verify(manifest.load(where), quick=quick)
    counts = {"shards": result.shards, "samples": result.samples, "images": result.images}
    if as_json:
        print_json({**counts, "quick": quick, "faults": result.faults})
    else:
        for fault in result.faults:
            click.echo(clean_line(fault))
        said = ", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items())
        how = "sizes and indexes" if quick else "every byte"
        faults = counted(len(result.faults), "fault") if result.faults else "ok"
        click.echo(f"{faults}: {said} ({how})", err=bool(result.faults))
    if result.faults:
        raise click.exceptions.Exit(1)
