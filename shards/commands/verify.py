"""`m3w shards verify`."""

import click

from openm3w.shards import manifest
from openm3w.shards import verify as verification
from openm3w.shards.commands.options import json_option, manifest_argument, print_json
from openm3w.shards.opened import VERIFY, Verify
from openm3w.shards.terminal import clean_line, counted
from openm3w.shards.verify import Depth

_CHECKED: dict[Depth, str] = {
    "images": "every byte, sample and image",
    "full": "every byte",
    "quick": "sizes and indexes",
    "off": "indexes",
}


@click.command()
@manifest_argument
@click.option("--quick", is_flag=True, help="Only names, sizes and indexes.")
@click.option(
    "--verify",
    "level",
    type=click.Choice(VERIFY),
    help="full: every byte by its sha256, nothing decoded; quick: as --quick; off: what is there.",
)
@json_option
def verify(where: str, level: Verify | None, *, quick: bool, as_json: bool) -> None:
    """Checks every byte, sample and image of MANIFEST; exit 1 where something is wrong.

    \b
    m3w shards verify out
    m3w shards verify out --verify full     as fast as sha256sum
    m3w shards verify mix.json --quick
    """
    if quick and level not in (None, "quick"):
        raise click.UsageError(f"--quick and --verify {level} contradict each other; name one")
    depth: Depth = "quick" if quick else level or "images"
    result = verification.verify(manifest.load(where), depth=depth)
    counts = {"shards": result.shards, "samples": result.samples, "images": result.images}
    if as_json:
        print_json({**counts, "checked": _CHECKED[depth], "faults": result.faults})
    else:
        for fault in result.faults:
            click.echo(clean_line(fault))
        said = ", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items())
        faults = counted(len(result.faults), "fault") if result.faults else "ok"
        click.echo(f"{faults}: {said} ({_CHECKED[depth]})", err=bool(result.faults))
    if result.faults:
        raise click.exceptions.Exit(1)
