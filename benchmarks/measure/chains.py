"""Whole chains of rules on text, document by document in turn: ours and datatrove's."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from functools import partial

from measure.pages import PAGES_PER_TURN
from measure.quality import PEER, datatrove_filters, is_peer_installed, reason_of
from measure.turns import Worker
from openm3w import recipe
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.rules.quality import QualityRules
from openm3w.shards.document import Document, Text

Chain = Callable[[list[str]], bool]
"""Is a document of these texts kept?"""

SAME = ("c4_lines", "pii", "gopher_quality", "c4_page", "fineweb", "gopher_repetition")
"""Our rules that datatrove has too."""


@dataclass
class Cost:
    """What one chain made of all documents."""

    documents: int = 0
    kept: int = 0
    errors: int = 0
    cpu_seconds: float = 0.0


def factories(*, to_the_end: bool) -> dict[str, Callable[[], Chain]]:
    """The chains; `to_the_end`: each rule sees each document, also one that is dropped already."""
    every = tuple(f.name for f in fields(QualityRules))
    found: dict[str, Callable[[], Chain]] = {
        "openm3w, the same rules": partial(openm3w, SAME, to_the_end=to_the_end),
        "openm3w, all its rules": partial(openm3w, every, to_the_end=to_the_end),
    }
    if is_peer_installed():
        found[PEER] = partial(datatrove, to_the_end=to_the_end)
    return found


def run(
    documents: Sequence[Document], chains: Mapping[str, Callable[[], Chain]], rounds: int
) -> dict[str, Cost]:
    """All chains over all documents, in turns of some."""
    costs = {name: Cost() for name in chains}
    calls = [([*document.texts],) for document in documents]
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(make)) for name, make in chains.items()}
        for worker in workers.values():
            worker.ask_all(calls[:PAGES_PER_TURN])  # what is loaded once is loaded
        for start in list(range(0, len(calls), PAGES_PER_TURN)) * rounds:
            for name, worker in workers.items():
                for answer in worker.ask_all(calls[start : start + PAGES_PER_TURN]):
                    costs[name].documents += 1
                    costs[name].kept += bool(answer.value)
                    costs[name].errors += bool(answer.error)
                    costs[name].cpu_seconds += answer.cpu_seconds
    return costs


def openm3w(names: Sequence[str], *, to_the_end: bool) -> Chain:
    """Rules of ours with their defaults, in the order of a profile."""
    rules = recipe.decode(QualityRules, {name: {} for name in names}, "rules")

    def chain(texts: list[str]) -> bool:
        document = Document(doc_id="0", spans=tuple(Text(text=text) for text in texts))
        for transform in rules.transforms():
            document = transform.apply(document).document
        text = TextFacts.of(document)
        verdicts = (bool(rule.keep(text)) for rule in rules.filters())
        return all([*verdicts]) if to_the_end else all(verdicts)

    return chain


def datatrove(*, to_the_end: bool) -> Chain:
    """Datatrove's filters in FineWeb's order, then its replacement of addresses."""
    from datatrove.data import Document as TheirDocument
    from datatrove.pipeline.formatters import PIIFormatter

    filters, formatter = datatrove_filters(), PIIFormatter()
    ordered = [filters[n] for n in ("gopher_repetition", "gopher_quality", "c4", "fineweb")]

    def chain(texts: list[str]) -> bool:
        document = TheirDocument(text="\n".join(texts), id="0")
        verdicts = (not reason_of(one.filter(document)) for one in ordered)
        kept = all([*verdicts]) if to_the_end else all(verdicts)
        if kept or to_the_end:
            document.text = formatter.format(document.text)
        return kept

    return chain
