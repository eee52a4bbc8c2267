"""`m3w status`."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from openm3w.pipeline import job_results, status
from openm3w.pipeline.status import Progress, Status
from openm3w.pipeline.stores import folder_option
from openm3w.shards import funnel
from openm3w.shards.commands.printing import table
from openm3w.shards.terminal import clean, clean_line, counted


@click.command(name="status")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@folder_option
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object a build.")
def status_command(folder: Path, store: str | None, *, as_json: bool) -> None:
    """Says what a running, stopped or finished build has committed.

    DIR is the OUTPUT of a build of pages, captions or texts, or its store OUTPUT.work. Nothing is
    written and nothing is waited for: it may be asked at any time.

    \b
    m3w status out
    m3w status out.work --json | jq '.[].state'
    watch -n 60 m3w status out
    """
    place = Path(store) if store else None
    found = [status.look(*each) for each in status.find_builds(folder, place)]
    if as_json:
        text = json.dumps([_as_json(each) for each in found], ensure_ascii=False, indent=1)
        click.echo(clean(text) if sys.stdout.isatty() else text)
        return
    for each in found:
        for line in _lines(each):
            click.echo(clean(line))


def _as_json(found: Status) -> dict[str, Any]:
    return {
        "output": str(found.output),
        "store": str(found.store),
        "name": found.name,
        "state": found.state,
        "holder": asdict(found.holder) if found.holder else None,
        "last_commit": _moment(found.last_commit),
        "last_commit_age_s": round(status.age(found.last_commit), 1) if found.last_commit else None,
        "next": found.next,
        "seconds": dict(found.seconds),
        "samples": found.manifest.nsamples if found.manifest else None,
        "temporary": {"files": found.left[0], "bytes": found.left[1]},
        "jobs": [
            {
                "job": each.part.job,
                "part": each.part.part,
                "done": each.done,
                "units": each.units,
                "bytes": each.num_bytes,
                "last_commit": _moment(each.newest),
                "stages": [funnel.to_json(stage) for stage in each.stages],
            }
            for each in found.parts
        ],
    }


def _moment(then: float) -> str | None:
    return datetime.fromtimestamp(then, UTC).isoformat(timespec="seconds") if then else None


def _lines(found: Status) -> Iterator[str]:
    place = f"{found.output}, store {found.store}"
    yield clean_line(f"{found.name}: {found.state}, {place}")
    if found.holder:
        yield f"writing now: process {found.holder.pid or '?'} on {found.holder.host or '?'}"
    if found.last_commit:
        ago = _duration(status.age(found.last_commit))
        yield f"last commit: {ago} ago, {_moment(found.last_commit)}"
    yield ""
    rows = [("job", "part", "done", "of", "bytes", "seconds"), *_rows(found)]
    yield from table(rows, left=2)
    if results := list(_results(found.parts)):
        yield ""
        yield from results
    yield ""
    number, size = found.left
    if number and not found.holder:
        yield (
            f"left by runs that were killed: {counted(number, 'temporary file')}, {size:,} bytes; "
            "while nothing writes to this output or store, they may be removed"
        )
    yield f"{'now' if found.holder else 'next'}: {found.next}"


def _rows(found: Status) -> Iterator[tuple[str, ...]]:
    told = set[str]()
    for each in found.parts:
        job = each.part.job
        spent = found.seconds.get(job)
        seconds = f"{spent:,.1f}" if spent is not None and job not in told else ""
        told.add(job)
        units = "?" if each.units is None else f"{each.units:,}"
        yield job, each.part.part, f"{each.done:,}", units, f"{each.num_bytes:,}", seconds


def _results(parts: tuple[Progress, ...]) -> Iterator[str]:
    """What became of records, pages, images, pairs and texts so far."""
    for each in parts:
        if each.stages:
            yield job_results.summary(each.part.name, each.stages)


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def _duration(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
