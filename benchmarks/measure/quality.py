"""Rules on text: what ours and datatrove's decide on the same texts, and what both cost."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure.pages import read_pages
from measure.turns import Worker
from openm3w.filters.quality.c4 import C4Lines, C4Page
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.fineweb import FineWeb
from openm3w.filters.quality.gopher import GopherQuality
from openm3w.filters.quality.gopher_repetition import GopherRepetition
from openm3w.pipeline.extraction.extract import extract
from openm3w.shards.document import Document, Text

PEER = "datatrove"

Reasons = dict[str, str]
"""Rule -> why it drops a text, or ""."""

_WHOLE = {
    "gopher_repetition": GopherRepetition(),
    "gopher_quality": GopherQuality(),
    "fineweb": FineWeb(),
}
RULES = (*_WHOLE, "c4")
FORMS: Mapping[str, Callable[[str], str]] = {
    "one paragraph a line": lambda text: "\n".join(TextFacts(text).lines),
    "blank lines between": lambda text: text,
}
"""How paragraphs are kept apart: as datatrove's extractor writes them, and as ours are judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What datatrove's tokenizer makes of a text."""

    words: Sequence[str]
    sentences: int
    """In what `c4_lines` leaves of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What datatrove makes of a text."""

    reasons: Reasons
    lines: Sequence[str]
    """That its C4 filter leaves where it keeps the text."""
    tokens: Tokens


@dataclass
class Agreement:
    """How often one rule decides alike on one form of the texts."""

    pages: int = 0
    kept: int = 0
    """By datatrove."""
    fed: list[str] = field(default_factory=list)
    """The differences with its tokens: URL and both reasons."""
    own: list[str] = field(default_factory=list)
    """The differences with our own."""
    lines: list[str] = field(default_factory=list)
    """URLs of the texts that both keep with other lines; only of C4's rules."""


def read_documents(archive: Path) -> list[Document]:
    """Our extraction's text of each page, without its images."""
    return [_document(url, html) for html, url in read_pages(archive)]


def is_peer_installed() -> bool:
    """Whether datatrove and the tokenizer that it uses for English are there."""
    return all(importlib.util.find_spec(name) for name in ("datatrove", "spacy"))


def agreements(documents: Sequence[Document]) -> dict[tuple[str, str], Agreement]:
    """By rule and form of the texts; documents without text are left out."""
    found = {(rule, form): Agreement() for rule in RULES for form in FORMS}
    with Worker(datatrove_opinion) as worker:
        for document in documents:
            for form, written in FORMS.items():
                if text := written(TextFacts.of(document).text):
                    answer = worker.ask(text, c4_left(text))
                    if answer.error:
                        raise RuntimeError(f"{document.url}: {answer.error}")
                    _compare(found, form, document.url, text, answer.value)
    return found


def judged(text: str, tokens: Tokens | None = None) -> Reasons:
    """What our rules say, each for itself, with our words and sentences or with those given."""
    facts = TextFacts(text, words=tokens.words if tokens else None)
    reasons = {name: rule.keep(facts).reason or "" for name, rule in _WHOLE.items()}
    left = TextFacts(c4_left(text), sentences=tokens.sentences if tokens else None)
    return {**reasons, "c4": C4Page().keep(left).reason or ""}


def c4_left(text: str) -> str:
    """What `c4_lines` leaves of a text."""
    page = Document(doc_id="0", spans=(Text(text=text),))
    return "\n\n".join(C4Lines().apply(page).document.texts)


def datatrove_opinion() -> Callable[[str, str], Opinion]:
    """Datatrove's filters, each for itself, and its tokens."""
    from datatrove.data import Document as TheirDocument
    from datatrove.utils.text import split_into_sentences, split_into_words

    filters = datatrove_filters()

    def opinion(text: str, shortened: str) -> Opinion:
        reasons = {}
        for name, one in filters.items():
            theirs = TheirDocument(text=text, id="0")
            reasons[name] = reason_of(one.filter(theirs))
            if name == "c4":
                lines = TextFacts(theirs.text).lines
        sentences = sum(len(split_into_sentences(line)) for line in TextFacts(shortened).lines)
        tokens = Tokens(words=split_into_words(text), sentences=sentences)
        return Opinion(reasons=reasons, lines=lines, tokens=tokens)

    return opinion


def datatrove_filters() -> dict[str, Any]:
    """Its own classes with their defaults, under the names of our rules."""
    from datatrove.pipeline import filters

    return {
        "gopher_repetition": filters.GopherRepetitionFilter(),
        "gopher_quality": filters.GopherQualityFilter(),
        "fineweb": filters.FineWebQualityFilter(),
        "c4": filters.C4QualityFilter(),
    }


def reason_of(result: Any) -> str:
    """Why a filter of datatrove drops a text, or ""; it answers True, or False and the reason."""
    return "" if result is True else str(result[1])


def _document(url: str, html: str) -> Document:
    texts = (span for span in extract(html, url).spans if isinstance(span, Text))
    return Document(doc_id="0", url=url, spans=tuple(texts))


def _compare(
    found: Mapping[tuple[str, str], Agreement], form: str, url: str, text: str, theirs: Opinion
) -> None:
    own, fed = judged(text), judged(text, theirs.tokens)
    for rule in RULES:
        agreement, reason = found[rule, form], theirs.reasons[rule]
        agreement.pages += 1
        agreement.kept += not reason
        for differences, ours in ((agreement.own, own), (agreement.fed, fed)):
            if bool(ours[rule]) != bool(reason):
                differences.append(
                    f"{url}: {PEER} {reason or 'keeps'}, openm3w {ours[rule] or 'keeps'}"
                )
    if not theirs.reasons["c4"] and TextFacts(c4_left(text)).lines != theirs.lines:
        found["c4", form].lines.append(url)
