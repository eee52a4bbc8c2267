"""Rules on text: our decisions beside datatrove's on the same texts, and the cost of both.

    OPENM3W_REALDATA=FOLDER python benchmarks/quality.py

The texts are our extraction's of the pages of the trafilatura set. Prints a table of agreement,
each difference, and a table of documents a second; datatrove's rows are left out where it is not
installed (`make bench-deps`).
"""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from measure import chains, quality
from measure.tables import print_row, version

from openm3w.shards.document import Document

SET = "extraction/trafilatura.warc.gz"
DISTRIBUTIONS = ("datatrove", "spacy", "numpy")


def main() -> None:
    """Prints both tables."""
    options = _options()
    archive = options.realdata / SET
    if not archive.is_file():
        sys.exit(f"{options.realdata}: no {SET}; set OPENM3W_REALDATA")
    print_setting()
    documents = quality.read_documents(archive)
    if quality.is_peer_installed():
        print_agreement(documents)
    else:
        print(f"- not installed: {quality.PEER} with spacy\n")
    print_costs(documents, options.rounds)


def print_setting() -> None:
    """Versions, and how idle the machine was."""
    versions = [f"{name} {version(name)}" for name in DISTRIBUTIONS]
    print(f"Python {platform.python_version()}, {', '.join(versions)}.")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.\n")


def print_agreement(documents: Sequence[Document]) -> None:
    """How often the decisions are the same, and where they are not."""
    found = quality.agreements(documents)
    head = ("rules", "paragraphs", "texts", "kept by datatrove",
            "same, fed its words", "same, with ours", "share")  # fmt: skip
    print_row(head)
    print_row(["---"] * len(head))
    for (rule, form), agreement in found.items():
        same = [agreement.pages - len(one) for one in (agreement.fed, agreement.own)]
        print_row([rule, form, *map(str, (agreement.pages, agreement.kept, *same)),
                    f"{same[1] / agreement.pages:.1%}" if agreement.pages else ""])  # fmt: skip
    print()
    for (rule, form), agreement in found.items():
        for how, lines in (
            ("fed its words", agreement.fed),
            ("with ours", agreement.own),
            ("other lines are left", agreement.lines),
        ):
            for line in lines:
                print(f"- {rule}, {form}, {how}: {line}")
    print()


def print_costs(documents: Sequence[Document], rounds: int) -> None:
    """Documents a second and core."""
    head = ("chain", "each document", "kept", "documents/s", f"x {quality.PEER}")
    print_row(head)
    print_row(["---"] * len(head))
    for until, to_the_end in (("until it is dropped", False), ("all rules", True)):
        costs = chains.run(documents, chains.factories(to_the_end=to_the_end), rounds)
        peer = costs.get(quality.PEER)
        for name, cost in costs.items():
            if cost.errors:
                print(f"- {name}: {cost.errors} documents raised")
            times = f"{peer.cpu_seconds / cost.cpu_seconds:.1f}" if peer else ""
            rate = f"{cost.documents / cost.cpu_seconds:,.0f}"
            print_row([name, until, str(cost.kept // rounds), rate, times])


def _options() -> argparse.Namespace:
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata")).resolve()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--realdata", type=Path, default=realdata)
    parser.add_argument("--rounds", type=int, default=1, help="times each document is judged")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("expected --rounds of at least 1")
    return options


if __name__ == "__main__":
    main()
