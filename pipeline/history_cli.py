"""`m3w explain`."""

import itertools
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from openm3w.errors import RecipeError
from openm3w.pipeline import refilter
from openm3w.pipeline.buried import covers_page
from openm3w.pipeline.extract_explained import OUTCOMES
from openm3w.pipeline.extracted import number
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.history import Check, ImageHistory, PageHistory, histories
from openm3w.pipeline.jobs import web
from openm3w.pipeline.reopening import check_done, reopen
from openm3w.shards.terminal import clean_line

_WIDTH = 100
_GOOD, _BAD, _QUIET = "green", "yellow", "bright_black"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("url")
@click.option("--profile", "-p", default="", metavar="NAME", help="As another profile has it.")
@click.option("--set", "overrides", multiple=True, metavar="a.b=c",
              help="Change a value of that profile.")  # fmt: skip
@click.option("plugins", "--plugin", multiple=True, metavar="MODULE",
              help="A module of filters that the build or a profile needs.")  # fmt: skip
@click.option("--store", type=click.Path(path_type=Path),
              help="Folder that DIR was built with.  [default: found beside it]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object a capture.")
def explain(
    folder: Path,
    url: str,
    profile: str,
    overrides: tuple[str, ...],
    plugins: tuple[str, ...],
    store: Path | None,
    *,
    as_json: bool,
) -> None:
    """Says what happened to a page and to each of its images.

    URL is the page's, or a document's id as `m3w view` shows it. Numbers stand beside the bounds
    of the profile, also those that were not reached.

    \b
    m3w explain out https://example.org/story
    m3w explain out https://example.org/story --profile obelics
    m3w explain out https://example.org/story --profile openm3w --set image.min_side=150
    """
    if overrides and not profile:
        raise RecipeError("--set: name the profile that it changes, by --profile")
    plan = reopen(folder, store, plugins)
    check_done(plan, bytes_too=False)
    if profile:
        plan = refilter.with_profile(plan, profile, overrides)
    if covers_page(web.tombstones(plan.fetched), url, url):
        _print_buried(url, as_json=as_json)
        return
    found = histories(plan, url)
    if as_json:
        click.echo(json.dumps([_json(page) for page in found], ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)  # a name cut short is none
    with console.capture() as capture:
        for page in found:
            for part in _page(page, plan.recipe.profile):
                console.print(part)
    for line in capture.get().splitlines():
        click.echo(line.rstrip(" "))  # rich fills every line up


def _print_buried(url: str, *, as_json: bool) -> None:
    """Of what was asked to be forgotten nothing is told, also where a store still has it."""
    if as_json:
        value = {"url": url, "job": "documents", "kept": False, "reason": TOMBSTONE}
        click.echo(json.dumps([value], ensure_ascii=False, indent=1))
    else:
        click.echo(f"{clean_line(url)}\ndropped: {TOMBSTONE} (taken down on request)")


def _page(page: PageHistory, profile: str) -> Iterator[Any]:
    row, document = page.row, page.document
    yield Line(clean_line(document.title if document else "") or "(no title)", style="bold")
    yield Line(clean_line(row["url"]), style="cyan")
    yield Line(
        f"{clean_line(page.source)}, byte {row['offset']:,}, fetched {row['fetched'] or '?'}, "
        f"status {row['status']}",
        style=_QUIET,
    )
    if document is not None:
        signals = document.signals
        language = f"{signals.language or 'no language'} {signals.language_score:.4f}"
        size = f"{number(document.num_characters, 'character')}, "
        size += number(len(document.images), "image")
        yield Line(f"{document.doc_id}: {size}, {language}", style=_QUIET)
        for signal in signals.opt_out:
            yield Line(f"signal: {clean_line(signal)}", style=_QUIET)
    yield _verdict(page, profile)
    yield from _checks(page.checks)
    for at, image in enumerate(page.images, 1):
        yield from _image(at, image)
    yield Line()


def _verdict(page: PageHistory, profile: str) -> Line:
    under = f", profile {clean_line(profile)}" if page.job == "shards" else ""
    if not page.reason:
        return Line(f"kept{under}" if page.job == "shards" else f"got as far as job {page.job}")
    if page.error:
        why = f"{page.reason} ({clean_line(page.error)})"
        return Line(f"failed at job {page.job}{under}: {why}", style=_BAD)
    meaning = OUTCOMES.get(page.reason, page.reason.replace("_", " "))
    instead = f"; kept instead: {clean_line(page.first)}" if page.first else ""
    return Line(f"dropped at job {page.job}{under}: {page.reason} ({meaning}){instead}", style=_BAD)


def _image(at: int, history: ImageHistory) -> Iterator[Any]:
    image = history.image
    kept = not history.reason
    said = "kept" if kept else f"{history.reason} (job {history.job})"
    yield Line(f"{at:>4}  {said}", style=_GOOD if kept else _BAD)
    yield Padding(Line(clean_line(image.url), style="cyan"), (0, 0, 0, 6))
    if image.content:
        content = image.content
        size = f"{content.original_width} x {content.original_height} pixels"
        yield Padding(Line(f"{size}, sha256 {content.sha256[:12]}", style=_QUIET), (0, 0, 0, 6))
    yield from (Padding(part, (0, 0, 0, 4)) for part in _checks(history.checks))


def _checks(checks: Iterable[Check]) -> Iterator[Table]:
    table = Table.grid(padding=(0, 2))
    for measure, group in itertools.groupby(checks, key=lambda check: check.limit.measure):
        found = list(group)
        failed = next((check for check in found if not check.holds), None)
        least = max(check.limit.least for check in found)
        most = min(check.limit.most for check in found)
        # That something is measured at all, is not one of many kinds, or that there was nothing to
        # measure (no draw, say), tells nobody anything.
        unbounded = math.isinf(least) and math.isinf(most)
        if failed is None and (unbounded or most == 0 or math.isinf(found[0].value)):
            continue
        mark = Line(failed.limit.reason, style=_BAD) if failed else Line("ok", style=_GOOD)
        table.add_row(f"  {measure}", _number(found[0].value), _bounds(least, most), mark)
    if table.row_count:
        yield table


def _number(value: float) -> str:
    if math.isnan(value):
        return "not measured"
    if math.isinf(value):
        return "infinite"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def _bounds(least: float, most: float) -> str:
    if math.isinf(least) and math.isinf(most):
        return "measured"
    if math.isinf(most):
        return f"at least {_number(least)}"
    if math.isinf(least):
        return f"at most {_number(most)}"
    return f"{_number(least)} to {_number(most)}"


def _json(page: PageHistory) -> dict[str, Any]:
    row, document = page.row, page.document
    return {
        "url": row["url"],
        "doc_id": row["doc_id"],
        "source": page.source,
        "offset": row["offset"],
        "length": row["length"],
        "fetched": row["fetched"],
        "status": row["status"],
        "title": document.title if document else "",
        "language": row["language"],
        "language_score": row["language_score"],
        "characters": row["characters"],
        "opt_out": list(document.signals.opt_out) if document else [],
        "job": page.job,
        "kept": page.job == "shards" and not page.reason,
        "reason": page.reason,
        "error": page.error,
        "kept_instead": page.first,
        "checks": [_check_json(check) for check in page.checks],
        "images": [
            {
                "url": each.image.url,
                "job": each.job,
                "reason": each.reason,
                "scores": dict(each.image.scores),
                "checks": [_check_json(check) for check in each.checks],
            }
            for each in page.images
        ],
    }


def _check_json(check: Check) -> dict[str, Any]:
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "measure": check.limit.measure,
        "value": finite(check.value),
        "least": finite(check.limit.least),
        "most": finite(check.limit.most),
        "holds": check.holds,
        "reason": check.limit.reason,
    }
