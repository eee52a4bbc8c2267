"""`m3w report`: where every page and image of a build went, and what a dataset is like."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from openm3w.errors import OutputError
from openm3w.pipeline.report import page, text
from openm3w.shards import commit
from openm3w.shards.terminal import clean, clean_line


@click.command()
@click.argument("where", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page here, with pictures of some documents that were dropped and kept.",
)  # fmt: skip
@click.option(
    "--samples", type=click.IntRange(min=0), default=20, show_default=True,
    help="Documents of each reason in that page; 0: none.",
)  # fmt: skip
@click.option(
    "--parquet", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the numbers as a table, one a row.",
)  # fmt: skip
@click.option(
    "--store", type=click.Path(path_type=Path, file_okay=False),
    help="What the build's jobs committed; else DIR.work.",
)  # fmt: skip
def report(
    where: Path,
    *,
    as_json: bool,
    output: Path | None,
    samples: int,
    parquet: Path | None,
    store: Path | None,
) -> None:
    """Prints what became of every record, page and image of a build.

    DIR may also be a manifest, a mixture, or a dataset that no build of ours made: then it tells
    what the samples are like. DIR/report.html, which a build writes, has no documents in it.

    \b
    m3w report out                                the funnel, stage by stage, with reasons
    m3w report out --output look.html             one page with diagrams, histograms, samples
    m3w report out --json | jq .stages
    m3w report out --parquet report.parquet       for DuckDB, pandas and others
    """
    from openm3w.pipeline.report import rows, sources  # numpy and others

    plain = output is None and parquet is None and not as_json
    value = sources.report_of(where, counted=not plain)
    if output is not None:
        _check_place(output, where, samples)
        shown = sources.samples_of(where, samples, store) if samples else None
        html = page.render(value, shown)
        data = html.encode("utf-8", "replace")
        with commit.committed(output, through_link=True) as file:
            file.write(data)
    value = page.with_published(value)
    if parquet is not None:
        rows.write_parquet(parquet, value)
    if as_json:
        data_json = json.dumps(value, ensure_ascii=False, indent=1)
        click.echo(clean(data_json) if sys.stdout.isatty() else data_json)
        return
    for line in _lines(value):
        click.echo(line)
    if output is None:
        click.echo(_pointer(where))
    for path in (output, parquet):
        if path is not None:
            click.echo(f"written: {path}")


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    yield clean_line(str(value.get("name") or "build")) + "\n"
    yield from text.funnel_lines(page.stages_of(value))
    if not value.get("stages"):
        yield from text.table_lines(value.get("tables") or {})
        yield from text.bar_lines(value.get("bars") or {})
    for note in value.get("notes") or ():
        yield f"note: {clean_line(str(note))}"


def _pointer(where: Path) -> str:
    """Where the page is, or how to have one."""
    html = where / page.HTML_NAME
    place = str(html) if html.is_file() else "m3w report DIR --output FILE.html"
    return f"with diagrams and histograms: {place}"


def _check_place(output: Path, where: Path, samples: int) -> None:
    """What was dropped must not be published by an oversight."""
    folder = (where if where.is_dir() else where.parent).resolve()
    if samples and where.exists() and folder in output.resolve().parents and _holds_data(folder):
        raise OutputError(
            f"{output}: is inside {where}, which is published, and the page would hold documents "
            "that were dropped; name a file elsewhere, or leave them out with --samples 0"
        )


def _holds_data(folder: Path) -> bool:
    return (folder / page.JSON_NAME).exists() or (folder / "data").is_dir()
