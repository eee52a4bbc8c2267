"""From archive to documents without Beam: our chain and datatrove's, record by record in turn."""

import importlib.util
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measure.engines import our_engines
from measure.pages import PAGES_PER_TURN
from measure.turns import Answer, Worker

PEER = "datatrove"

Step = Callable[[], bool | None]
"""Reads on to the next page: has it text? None at the end of the archive."""


@dataclass
class Chain:
    """What one chain made of an archive."""

    pages: int = 0
    """Those that it gave back; datatrove gives back only those with text."""
    documents: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    ended: bool = False
    error: str = ""
    """Why it did not come to the end of the archive, or ""."""


def run(archive: Path, rounds: int) -> dict[str, Chain]:
    """All chains over one archive, in turns of some pages."""
    chains = {name: Chain() for name in _steps(archive)}
    for _ in range(rounds):
        for chain in chains.values():
            chain.ended = bool(chain.error)
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(Worker(make)) for name, make in _steps(archive).items()
            }
            while not all(chain.ended for chain in chains.values()):
                for name, worker in workers.items():
                    if not chains[name].ended:
                        _advance(chains[name], worker)
    return chains


def openm3w(archive: Path, engine: str) -> Step:
    """Read, screen, charset, extract, language: `m3w extract` and the documents job without Beam.

    Pages without an image are not screened out, since the peer extracts them too.
    """
    from measure.archives import html_records
    from openm3w.filters.screen import Screen
    from openm3w.pipeline.guard import Guard
    from openm3w.pipeline.page import Clock, read_page
    from openm3w.pipeline.recipe import Extract

    screen, settings = Screen(needs_image=False), Extract(engine=engine)  # type: ignore[arg-type]

    def documents() -> Iterator[bool]:
        with Guard(settings) as guard:
            for record in html_records(archive):
                page = read_page(
                    record,
                    source=archive.name,
                    screen=screen,
                    guard=guard,
                    floor=None,
                    clock=Clock(),
                )
                yield page.outcome == "kept"

    return partial(next, documents(), None)


def datatrove(archive: Path) -> Step:
    """WarcReader and Trafilatura with their defaults: text only, in a sandbox with a time limit."""
    # A spawned process spawns by default. The sandbox, whose users' processes fork, then cannot be
    # started again after a page that ran out of time: all later pages and its end raise.
    multiprocessing.set_start_method(None, force=True)
    # Imported here and not in the sandbox, where it would count against the first page's limit.
    import trafilatura  # noqa: F401
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.readers import WarcReader

    reader = WarcReader(str(archive.parent), glob_pattern=archive.name)

    def documents() -> Iterator[bool]:
        for _ in Trafilatura().run(reader.run()):
            yield True

    return partial(next, documents(), None)


def _steps(archive: Path) -> dict[str, Callable[[], Step]]:
    found: dict[str, Callable[[], Step]] = {
        label: partial(openm3w, archive, name) for label, name in our_engines().items()
    }
    if importlib.util.find_spec("datatrove"):
        found[PEER] = partial(datatrove, archive)
    return found


def _advance(chain: Chain, worker: Worker) -> None:
    for answer in worker.ask_all([()] * PAGES_PER_TURN):
        if not chain.ended:
            _count(chain, answer)


def _count(chain: Chain, answer: Answer) -> None:
    if answer.error:
        chain.error, chain.ended = answer.error, True
        return
    chain.cpu_seconds += answer.cpu_seconds
    chain.wall_seconds += answer.wall_seconds
    chain.ended = answer.value is None
    if not chain.ended:
        chain.pages += 1
        chain.documents += answer.value
