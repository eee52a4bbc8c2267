"""A sample as a person wants to see it: text and pictures in reading order.

`render` makes a rich renderable; who prints it decides where it goes. Every string of the sample
passes `openm3w.shards.terminal.clean` on its way.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text as Line

from openm3w.shards import decoding
from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.document import Document, Image, Text
from openm3w.shards.sample import Sample
from openm3w.shards.terminal import clean, clean_line, counted
from openm3w.shards.view import pictures
from openm3w.shards.view.pictures import Picture, Technique

MAX_TEXT_COLUMNS = 88
"""Longer lines are hard to follow."""

MAX_PICTURE_COLUMNS = 64
_DEFAULT_ROWS = 22
_MARGIN = 2

_QUIET = "bright_black"


def parts(
    shown: Shown, technique: Technique, *, columns: int, rows: int = _DEFAULT_ROWS
) -> Iterator[Line | Rule | Picture]:
    """The sample from top to bottom, for a place `columns` wide; `rows` bounds a picture."""
    text_columns = _text_columns(columns)
    yield from _head(shown)
    yield Rule(style=_QUIET)
    yield Line()
    yield from _spans(shown.sample, technique, text_columns, rows)


def render(
    shown: Shown, technique: Technique, *, columns: int, rows: int = _DEFAULT_ROWS
) -> RenderableType:
    """The sample as one renderable for a terminal `columns` wide."""
    return framed(parts(shown, technique, columns=columns, rows=rows), columns)


def framed(those: Iterable[RenderableType], columns: int) -> RenderableType:
    """Parts of a sample below each other, with a margin."""
    width = _text_columns(columns) + 2 * _MARGIN
    return Constrain(Padding(Group(*those), (0, _MARGIN), expand=False), width)


def print_sample(console: Console, shown: Shown, mode: pictures.Mode = "auto") -> None:
    """Prints one sample on `console`, as `m3w view --plain` does."""
    technique = pictures.technique(mode, console)
    rows = max(6, min(_DEFAULT_ROWS, console.height - 4)) if console.is_terminal else _DEFAULT_ROWS
    renderable = render(shown, technique, columns=console.width, rows=rows)
    if console.is_terminal:
        console.print(renderable)
        return
    with console.capture() as capture:
        console.print(renderable)
    # rich fills every line up; nobody wants that in a file.
    console.file.writelines(f"{line.rstrip(' ')}\n" for line in capture.get().splitlines())


def picture_line(number: int, image: Image) -> str:
    """A picture in words, where it cannot be shown: number, size, scores, alt or caption."""
    said = clean_line(image.alt or image.caption or image.title)
    parts = [f"picture {number}: {_size(image)}", *_scores(image.scores)]
    if said:
        parts.append(f'"{said}"')
    return f"[{', '.join(parts)}]"


def _text_columns(columns: int) -> int:
    return max(20, min(MAX_TEXT_COLUMNS, columns - 2 * _MARGIN))


def _head(shown: Shown) -> Iterator[Line]:
    sample, document = shown.sample, shown.sample.document
    title = clean_line(document.title) or ("" if document.url else f"{shown.kind} {sample.key}")
    if title:
        yield Line(title, style="bold", overflow="fold")
    if document.url:
        yield Line(clean_line(document.url), style="cyan", overflow="fold")
    for facts in (_place(shown), _provenance(document), _contents(document)):
        if facts:
            yield Line(" · ".join(facts), style=_QUIET, overflow="fold")
    if document.dropped:
        yield Line(f"dropped: {clean_line(document.dropped)}", style="red", overflow="fold")
    for name, values in (
        ("opt-out", document.signals.opt_out),
        ("licence", document.signals.licences),
    ):
        for value in values:
            yield Line(f"{name}: {clean_line(value)}", style="yellow", overflow="fold")


def _place(shown: Shown) -> list[str]:
    return [
        f"{shown.number:,} of {shown.total:,}",
        f"{clean_line(shown.dataset)} ({shown.kind})",
        clean_line(shown.split),
        clean_line(shown.sample.key),
    ]


def _provenance(document: Document) -> list[str]:
    at = document.provenance
    place = f"{at.source} at {at.offset:,}" if at.source else ""
    fetched = f"fetched {at.fetched[:10]}" if at.fetched else ""
    return [clean_line(fact) for fact in (place, at.part, at.crawl, fetched) if fact]


def _contents(document: Document) -> list[str]:
    signals, images = document.signals, len(document.images)
    facts = [f"{document.num_characters:,} characters"]
    if images:
        facts.append(counted(images, "picture"))
    if signals.language:
        facts.append(f"language {clean_line(signals.language)} ({signals.language_score:.2f})")
    return [*facts, *_scores(document.scores)]


def _spans(
    sample: Sample, technique: Technique, columns: int, rows: int
) -> Iterator[Line | Picture]:
    number = 0
    # A caption that stands in the text too is not shown twice.
    told = {clean_line(part) for text in sample.document.texts for part in paragraphs(text)}
    for span in sample.document.spans:
        if isinstance(span, Text):
            for paragraph in paragraphs(span.text):
                yield Line(paragraph, overflow="fold")
                yield Line()
            continue
        number += 1
        data = sample.images[number - 1] if number <= len(sample.images) else b""
        image = None if technique == "line" else decoding.decode(data)
        if image is None:
            line = picture_line(number, span) + (" (does not decode)" if data else "")
            yield Line(
                line if technique != "line" else picture_line(number, span),
                style="magenta",
                overflow="fold",
            )
        else:
            yield Picture(
                image=image,
                number=number,
                technique=technique,
                max_columns=min(columns, MAX_PICTURE_COLUMNS),
                max_rows=rows,
            )
            facts = [f"picture {number}", _size(span), *_scores(span.scores)]
            yield Line(" · ".join(facts), style=_QUIET, overflow="fold")
        yield from _said_of(span, told, is_drawn=image is not None)
        yield Line()


def _said_of(span: Image, told: set[str], *, is_drawn: bool) -> Iterator[Line]:
    """Caption and alternative text, and the text that the similarity is of."""
    caption, alt = clean_line(span.caption), clean_line(span.alt)
    if caption and caption not in told:
        yield Line(caption, style="italic", overflow="fold")
    if alt and alt != caption and is_drawn:
        yield Line(f"alt: {alt}", style=_QUIET, overflow="fold")
    if span.matched_text:
        said = f"scored with ({clean_line(span.matched_from)}): {clean_line(span.matched_text)}"
        yield Line(said, style=_QUIET, overflow="fold")


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a cleaned text, without the empty ones; lines inside them stay."""
    for paragraph in re.split(r"\n\s*\n", clean(text).expandtabs(4)):
        if paragraph.strip():
            yield paragraph.strip("\n").rstrip()


def _size(image: Image) -> str:
    content = image.content
    if content is None:
        return "not fetched"
    size = f"{content.width} x {content.height}"
    original = (content.original_width, content.original_height)
    if any(original) and original != (content.width, content.height):
        size += f" of {original[0]} x {original[1]}"
    return size


def _scores(scores: Mapping[str, float]) -> list[str]:
    # Some are counts: of bytes, of copies, of pages.
    return [
        f"{clean_line(name)} {value:,.0f}"
        if float(value).is_integer()
        else f"{clean_line(name)} {value:,.2f}"
        for name, value in scores.items()
    ]
