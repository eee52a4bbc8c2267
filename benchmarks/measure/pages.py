"""Extraction alone: every engine on every page of a set, in turn, and its scores."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from measure.archives import html_records
from measure.engines import Factory, Row
from measure.processes import environment
from measure.turns import Worker
from openm3w.pipeline.extraction.charset import decode_html

Figures = Mapping[str, str]

PAGES_PER_TURN = 25

_WARM_UP = "<title>A page</title><article><p>Some words of a paragraph.</article>"


@dataclass
class Run:
    """What one engine made of a set."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """URL and error of the pages on which it raised."""
    seconds: float = 0.0
    """CPU time over all rounds."""


def read_pages(archive: Path) -> Iterator[tuple[str, str]]:
    """Decoded HTML and URL of each page of an archive.

    Raises:
        InputError: the archive is damaged.
    """
    for record in html_records(archive):
        html, _ = decode_html(record.body, record.header("content-type"))
        yield html, record.url


def run(archive: Path, factories: Mapping[str, Factory], rounds: int) -> dict[str, Run]:
    """All engines on one set in turns of some pages, so that a busy machine slows all alike.

    Rows are those of the first round; another engine begins at each turn. A turn is long enough
    that an engine works as it does in a build, one page after the other, and not each time with
    the processor's caches full of another engine's data.
    """
    runs = {name: Run() for name in factories}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(make)) for name, make in factories.items()}
        for worker in workers.values():
            worker.ask(_WARM_UP, "http://example.org/")
        for turn in range(rounds):
            pages = read_pages(archive)
            for number in count():
                if not (batch := list(islice(pages, PAGES_PER_TURN))):
                    break
                _ask_all(workers, runs, batch, first=number, keep=turn == 0)
    return runs


def score(expected: Path, rows: Sequence[Row], scorer: Path, without: str = "") -> Figures:
    """Figures by name, as the scorer prints them, without the pages that have `without` in the URL.

    They are empty where no page is left out though `without` is given.
    """
    lines = expected.read_text(encoding="utf-8").splitlines()
    if without:
        kept = [line for line in lines if without not in json.loads(line)["url"]]
        if len(kept) in (0, len(lines)):
            return {}
        lines = kept
    with tempfile.TemporaryDirectory() as folder:
        truth, found = Path(folder) / "expected.jsonl", Path(folder) / "found.jsonl"
        truth.write_text("\n".join(lines) + "\n", encoding="utf-8")
        write_rows(found, rows)
        command = [sys.executable, str(scorer), str(truth), str(found)]
        printed = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment()
        ).stdout
    return dict(line.split(maxsplit=1) for line in printed.splitlines())


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Rows in the scorer's form, one a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _ask_all(
    workers: Mapping[str, Worker],
    runs: Mapping[str, Run],
    pages: Sequence[tuple[str, str]],
    *,
    first: int,
    keep: bool,
) -> None:
    names = list(workers)
    first %= len(names)
    for name in names[first:] + names[:first]:
        found = runs[name]
        for (_, url), answer in zip(pages, workers[name].ask_all(pages), strict=True):
            found.seconds += answer.cpu_seconds
            if not keep:
                continue
            if answer.error:
                found.failures.append(f"{url}: {answer.error}")
            found.rows.append(answer.value or {"url": url, "texts": [], "images": []})
