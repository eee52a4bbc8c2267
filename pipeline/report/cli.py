"""`m3w report`: where every page and image of a build went."""

import json
import sys
from pathlib import Path

import click

from openm3w.pipeline.report import page, text
from openm3w.shards.terminal import clean, clean_line


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print report.json as it is.")
def report(folder: Path, *, as_json: bool) -> None:
    """Prints what became of every record, page and image of a build.

    \b
    m3w report out                    the funnel, stage by stage, with reasons
    m3w report out --json | jq .stages
    """
    value = page.read_report(folder)
    if as_json:
        data = json.dumps(value, ensure_ascii=False, indent=1)
        click.echo(clean(data) if sys.stdout.isatty() else data)
        return
    click.echo(clean_line(str(value.get("name") or "build")) + "\n")
    for line in text.funnel_lines(page.stages_of(value)):
        click.echo(line)
    for note in value.get("notes") or ():
        click.echo(f"note: {clean_line(str(note))}")
    click.echo(f"with pictures and histograms: {folder / page.HTML_NAME}")
