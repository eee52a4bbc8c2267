"""Extraction on pages with known main content: ours and the peers' in one run, as Markdown.

    OPENM3W_REALDATA=FOLDER python benchmarks/extraction.py [--scorer score_extraction.py]
    python benchmarks/extraction.py --memory ARCHIVE...

Each engine has a process of its own; they take turns of 25 pages, so that a busy machine slows
all alike, and each measures its own CPU time. Prints a table of extraction alone, from decoded
HTML to texts and images, and one from archive record to document. `make bench-deps` installs the
peers; those that are missing are named and left out.

With --memory one process reads page after page; exit code 1 says that it grew.
"""

import argparse
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from measure import engines, memory, pages, records
from measure.pages import Figures, Run
from measure.records import Chain
from measure.tables import print_row, version

from openm3w import recipe
from openm3w.errors import InputError, RecipeError
from openm3w.pipeline.recipe import Extract

SETS = ("readability", "trafilatura")
DISTRIBUTIONS = ("trafilatura", "readability-lxml", "resiliparse", "datatrove", "lxml")
HEAD = (
    "set", "engine", "image recall", "image precision", "image F1 (95 % over pages)", "placed",
    "ordered", "text precision", "text recall", "text F1", "pages/s", "x trafilatura fast",
)  # fmt: skip
MIB = 1 << 20


def main() -> None:
    """Prints what the options ask for."""
    options = _options()
    if options.memory:
        try:
            sys.exit(0 if print_memory(options) else 1)
        except (InputError, RecipeError, OSError) as error:
            sys.exit(str(error))
    for name in SETS:
        if not (options.realdata / f"extraction/{name}.warc.gz").is_file():
            sys.exit(f"{options.realdata}: no extraction/{name}.warc.gz; set OPENM3W_REALDATA")
    if not options.scorer.is_file():
        sys.exit(f"{options.scorer}: no such file; name the scorer with --scorer")
    print_setting()
    if options.table != "records":
        print_pages(options)
    if options.table != "pages":
        print_records(options)


def print_setting() -> None:
    """Versions, and how idle the machine was."""
    versions = [f"{name} {version(name)}" for name in DISTRIBUTIONS]
    print(f"Python {platform.python_version()}, {', '.join(versions)}.")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.\n")


def print_pages(options: argparse.Namespace) -> None:
    """The table of extraction alone."""
    factories = engines.factories()
    if options.engine:
        if unknown := set(options.engine) - set(factories):
            sys.exit(f"no engine {min(unknown)!r}; there are: {', '.join(factories)}")
        factories = {name: factories[name] for name in options.engine}
    notes = [f"not installed: {name}" for name in engines.missing()]
    print_row(HEAD)
    print_row(["---"] * len(HEAD))
    for name in SETS:
        folder = options.realdata / "extraction"
        runs = pages.run(folder / f"{name}.warc.gz", factories, options.rounds)
        rates = {engine: _rate(run, options.rounds) for engine, run in runs.items()}
        for without in ("", *options.without):
            title = f"{name} without {without}" if without else f"{name}, {_count(runs)} pages"
            for engine, run in runs.items():
                expected = folder / f"{name}.expected.jsonl"
                figures = pages.score(expected, run.rows, options.scorer, without)
                if figures:
                    speed = ("", "") if without else _speed(engine, rates)
                    print_row([title, engine, *_scores(figures), *speed])
        notes += [note for engine, run in runs.items() for note in _failures(name, engine, run)]
        if options.output:
            _write(options.output / name, runs)
    print("".join(f"\n- {note}" for note in notes) + "\n")


def print_records(options: argparse.Namespace) -> None:
    """The table from archive record to document."""
    archive = options.realdata / "extraction/trafilatura.warc.gz"
    print_chains(records.run(archive, options.rounds), rounds=options.rounds)


def print_chains(chains: Mapping[str, Chain], *, rounds: int) -> None:
    """A row for each chain, and a note where one fell over."""
    read = max(chain.pages for chain in chains.values())
    peer = chains.get(records.PEER)
    print_row(["record to document", "pages", "with text", "pages/s", "pages/s by the clock",
                "x datatrove", "by the clock"])  # fmt: skip
    print_row(["---"] * 7)
    for name, chain in chains.items():
        if chain.error:
            print_row([name, "fell over", *[""] * 5])
            continue
        ratios = ["", ""]
        if peer and not peer.error:
            ratios = [f"{peer.cpu_seconds / chain.cpu_seconds:.2f}",
                      f"{peer.wall_seconds / chain.wall_seconds:.2f}"]  # fmt: skip
        counts = [str(read // rounds), str(chain.documents // rounds)]
        rates = [f"{read / seconds:.1f}" for seconds in (chain.cpu_seconds, chain.wall_seconds)]
        print_row([name, *counts, *rates, *ratios])
    print("\n- pages/s counts all pages, also those that a chain takes for none")
    for name, chain in chains.items():
        if chain.error:
            print(f"- {name} fell over: {chain.error}")
    if not peer:
        print("- not installed: datatrove")
    print()


def print_memory(options: argparse.Namespace) -> bool:
    """The resident set as pages go by; is it flat?"""
    settings = Extract()
    if options.engine:
        settings = recipe.decode(Extract, {"engine": options.engine[0]}, "--engine")
    samples = []
    print_row(["pages read", "with text", "resident, MiB"])
    print_row(["---"] * 3)
    for seen in memory.sample(
        options.memory, pages=options.pages, every=options.every, settings=settings
    ):
        samples.append(seen)
        resident = f"{seen.resident_bytes / MIB:.1f}"
        print_row([f"{seen.pages:,}", f"{seen.documents:,}", resident])
    flat = memory.is_flat(samples)
    change = memory.growth(samples)
    print(f"\n{change:+.1%} at most since the first line: {'flat' if flat else 'it grows'}")
    return flat


def _options() -> argparse.Namespace:
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata")).resolve()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--realdata", type=Path, default=realdata)
    parser.add_argument("--scorer", type=Path, help="default: bench/ beside the real material")
    parser.add_argument("--without", action="append", default=[], metavar="URLPART",
                        help="also score without pages that have this in the URL")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=1, help="times each page is extracted")
    parser.add_argument("--engine", action="append", default=[],
                        help="only this row of the first table; --memory: our engine")  # fmt: skip
    parser.add_argument("--table", choices=("pages", "records"), help="default: both")
    parser.add_argument("--output", type=Path, help="keep what was extracted in this folder")
    parser.add_argument("--memory", type=Path, nargs="+", metavar="ARCHIVE")
    parser.add_argument("--pages", type=int, default=70_000, help="that --memory reads")
    parser.add_argument("--every", type=int, default=10_000, help="pages for each line")
    options = parser.parse_args()
    options.scorer = options.scorer or options.realdata / "../bench/score_extraction.py"
    if options.rounds < 1 or not 1 <= options.every <= options.pages:
        parser.error("expected --rounds of at least 1, and --every from 1 to --pages")
    return options


def _scores(figures: Figures) -> list[str]:
    image = "images_extracted" in figures and figures["images_extracted"] != "0"
    interval = "{image_f1} ({image_f1_low}-{image_f1_high})".format_map(figures) if image else ""
    names = ("image_recall", "image_precision", "", "image_placed", "image_ordered")
    found = [figures.get(name, "") if image else "" for name in names]
    found[2] = interval
    return _short(
        found + [figures.get(f"text_{kind}", "") for kind in ("precision", "recall", "f1")]
    )


def _short(figures: Iterable[str]) -> list[str]:
    """Three decimals: the intervals are far wider."""
    return [re.sub(r"\d\.\d{4}", lambda found: f"{float(found[0]):.3f}", text) for text in figures]


def _rate(run: Run, rounds: int) -> float:
    return len(run.rows) * rounds / run.seconds if run.seconds else 0.0


def _speed(engine: str, rates: Mapping[str, float]) -> tuple[str, str]:
    baseline = rates.get(engines.BASELINE)
    return f"{rates[engine]:.1f}", f"{rates[engine] / baseline:.2f}" if baseline else ""


def _count(runs: Mapping[str, Run]) -> int:
    return max(len(run.rows) for run in runs.values())


def _failures(name: str, engine: str, run: Run) -> list[str]:
    if not run.failures:
        return []
    return [
        f"{name}, {engine}: {len(run.failures)} pages raised and count as empty: {run.failures[0]}"
    ]


def _write(folder: Path, runs: Mapping[str, Run]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for engine, run in runs.items():
        pages.write_rows(folder / f"{re.sub('[^a-z0-9]+', '-', engine)}.jsonl", run.rows)


if __name__ == "__main__":
    main()
