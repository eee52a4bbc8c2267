"""Extraction on pages with known main content: ours and trafilatura's own, in one run.

    OPENM3W_REALDATA=FOLDER python benchmarks/extraction.py [--scorer score_extraction.py]

Both engines take each page in turn, from decoded HTML to texts and images, so that a busy machine
slows both alike; the time is this process's CPU time. Prints a Markdown table.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from trafilatura import bare_extraction
from warcio.archiveiterator import ArchiveIterator

from openm3w.pipeline.extraction.charset import decode_html
from openm3w.pipeline.extraction.extract import extract
from openm3w.shards.document import Text

Row = dict[str, Any]
Engine = Callable[[str, str], Row]

FIGURES = ("image_recall", "image_precision", "image_f1", "image_placed", "text_f1")


def ours(html: str, url: str) -> Row:
    """Texts and images of `openm3w`."""
    spans = extract(html, url).spans
    return {
        "url": url,
        "texts": [span.text if isinstance(span, Text) else None for span in spans],
        "images": [None if isinstance(span, Text) else span.url for span in spans],
        "image_metadata": [
            None if isinstance(span, Text) else {"candidates": span.candidates, "role": span.role}
            for span in spans
        ],
    }


def trafilatura(html: str, url: str, *, fast: bool) -> Row:
    """Texts and images of trafilatura's own output."""
    document: Any = bare_extraction(
        html, url=url, fast=fast, include_images=True, include_comments=False
    )
    texts, images = list[str | None](), list[str | None]()
    for element in () if document is None else document.body.iter("*"):
        if element.tag == "graphic" and element.get("src"):
            texts.append(None)
            images.append(urljoin(url, element.get("src")))
        for text in (element.text, element.tail):
            if text and text.strip():
                texts.append(text)
                images.append(None)
    return {"url": url, "texts": texts, "images": images}


ENGINES: dict[str, Engine] = {
    "openm3w": ours,
    "trafilatura fast": lambda html, url: trafilatura(html, url, fast=True),
    "trafilatura standard": lambda html, url: trafilatura(html, url, fast=False),
}


@dataclass
class Result:
    """Of one engine on one set."""

    pages_per_second: float
    figures: dict[str, str]


def pages(archive: Path) -> Iterator[tuple[str, str]]:
    """URL and decoded HTML of each page of an archive."""
    with archive.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                headers = record.http_headers
                header = (headers.get_header("Content-Type") if headers else "") or ""
                html, _ = decode_html(record.content_stream().read(), header)
                yield record.rec_headers.get_header("WARC-Target-URI"), html


def run(folder: Path, name: str, scorer: Path) -> dict[str, Result]:
    """All engines on one set, page by page."""
    rows: dict[str, list[Row]] = {engine: [] for engine in ENGINES}
    seconds = dict.fromkeys(ENGINES, 0.0)
    for url, html in pages(folder / f"extraction/{name}.warc.gz"):
        for engine, function in ENGINES.items():
            start = time.process_time()
            rows[engine].append(function(html, url))
            seconds[engine] += time.process_time() - start
    expected = folder / f"extraction/{name}.expected.jsonl"
    return {
        engine: Result(len(rows[engine]) / seconds[engine], score(expected, rows[engine], scorer))
        for engine in ENGINES
    }


def score(expected: Path, rows: list[Row], scorer: Path) -> dict[str, str]:
    """Figures by name, as the scorer prints them."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        command = [sys.executable, str(scorer), str(expected), file.name]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.split(maxsplit=1) for line in printed.splitlines() if " " in line)


def main() -> None:
    """Print the table."""
    folder = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata")).resolve()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scorer", type=Path, default=folder / "../bench/score_extraction.py")
    scorer = parser.parse_args().scorer
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    print("| set | engine |", " | ".join(FIGURES), "| image F1, 95 % | pages/s |")
    print("|---|---|" + "---|" * (len(FIGURES) + 2))
    for name in ("readability", "trafilatura"):
        for engine, result in run(folder, name, scorer).items():
            shown = [result.figures.get(figure, "-") for figure in FIGURES]
            bounds = (result.figures.get(f"image_f1_{end}", "") for end in ("low", "high"))
            interval = "-".join(filter(None, bounds)) or "-"
            print(
                f"| {name} | {engine} | {' | '.join(shown)} | {interval} |"
                f" {result.pages_per_second:.1f} |"
            )


if __name__ == "__main__":
    main()
