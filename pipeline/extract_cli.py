"""`m3w extract`, apart from `m3w build`: it starts without Beam, in a sixth of the time."""

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import click
from rich.console import Console

from openm3w.errors import OutputError
from openm3w.pipeline.extract_explained import ExplainedLines
from openm3w.pipeline.extract_explained_text import ExplainedText
from openm3w.pipeline.extracted import Extracted, summary, summary_json
from openm3w.pipeline.extracting import Choice, Form, Lines, extract_pages
from openm3w.pipeline.recipe import Extract
from openm3w.pipeline.saved import checked_url
from openm3w.shards.terminal import clean, clean_line, tell

ENGINES = get_args(get_type_hints(Extract)["engine"])

_PROGRESS_SECONDS = 0.5
_WIDTH = 80
"""Columns of what goes to no terminal."""


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--output", "-o", metavar="FILE",
              help="JSON lines; - is standard output.  [default with --explain: -]")  # fmt: skip
@click.option("--engine", type=click.Choice(ENGINES), default=Extract().engine, show_default=True,
              help="What finds the content.")  # fmt: skip
@click.option("--url", default="", help="Where the page of a single HTML file stood.")
@click.option("--page", default="", metavar="URL",
              help="Only the page at this address, or of this file.")  # fmt: skip
@click.option("--url-contains", default="", metavar="TEXT",
              help="Only pages with TEXT in their address.")  # fmt: skip
@click.option("--explain", is_flag=True,
              help="Write why each image of a page was kept or left out.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True,
              help="The summary, on standard error, and --explain as JSON.")  # fmt: skip
def extract(
    sources: tuple[str, ...],
    output: str | None,
    engine: str,
    url: str,
    page: str,
    url_contains: str,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    """Writes the main content of every page as a line of JSON.

    SOURCE is an HTML file, a WARC or ARC file, a folder of either, a glob or a path list. A page
    that is named by itself may have any name; in folders, patterns and lists only files called
    .html, .htm, .xhtml or .xht and archives are read, and how many others there are is said.
    Nothing is fetched or filtered: a page is left out only where it has no text or image that
    counts, cannot be decoded, is beyond the limits on size and depth, or takes too long.

    Relative addresses in an HTML file are resolved against --url, else against what the page gives
    as its own address (canonical link, og:url); where it gives none, such images are left out.

    Exit code: 0 where any page was read, whatever became of it; 1 where none was, an input is
    missing or FILE cannot be written; 2 wrong use.

    \b
    m3w extract crawl.warc.gz --output docs.jsonl
    m3w extract saved-pages/ --output docs.jsonl
    m3w extract page.html --url https://example.org/news/1.html -o - | jq '.images[] // empty'
    m3w extract page.html --explain
    m3w extract crawl.warc.gz --explain --url-contains /2024/ | less
    m3w extract crawl.warc.gz --explain --json | jq -r '.images[] | [.kept, .reason, .url] | @tsv'
    """
    if not output and not explain:
        raise click.UsageError("Missing option '--output' / '-o'; '--output -' prints the lines.")
    file = None if output in (None, "", "-", "/dev/stdout") else Path(output or "")
    choice = Choice(url=checked_url(url) if url else "", page=page, contains=url_contains)
    form = _form(explain=explain, as_json=as_json, to_stdout=file is None)
    with _progress(shown=file is not None) as progress:
        counts = extract_pages(
            sources, file or _echo(form), engine, choice=choice, form=form, progress=progress
        )
    if as_json:
        tell(json.dumps(summary_json(counts), ensure_ascii=False))
        return
    for line in summary(counts, str(file or "")):
        tell(clean_line(line))


def _form(*, explain: bool, as_json: bool, to_stdout: bool) -> Form:
    if not explain:
        return Lines()
    if as_json:
        return ExplainedLines()
    if to_stdout and sys.stdout is not None and sys.stdout.isatty():
        return ExplainedText(Console(highlight=False))
    return ExplainedText(Console(file=io.StringIO(), force_terminal=False, width=_WIDTH))


def _echo(form: Form) -> Callable[[str], None]:
    """Writes to standard output; a terminal gets no control characters of the web."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; name a file: --output FILE")
    on_terminal = sys.stdout.isatty()
    if on_terminal and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what it cannot show becomes a question mark

    def write(text: str) -> None:
        if not on_terminal:
            click.echo(text.encode("utf-8", "replace"), nl=False)
        else:
            click.echo(text if isinstance(form, ExplainedText) else clean(text), nl=False)

    return write


@contextlib.contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[Extracted], None]]:
    """A line on a terminal that says how far it is."""
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield lambda _: None
        return
    with console.status("reading") as status:
        last = 0.0

        def update(counts: Extracted) -> None:
            nonlocal last
            if counts.seconds - last >= _PROGRESS_SECONDS:
                last = counts.seconds
                status.update(f"{counts.pages:,} pages, {counts.pages_per_second:,.0f} pages/s")

        yield update
