"""Chosen paragraphs and kept images as a document's spans."""

from collections.abc import Iterable

from openm3w.pipeline.extraction.asides import is_credit
from openm3w.pipeline.extraction.boxes import Layout, Picture
from openm3w.pipeline.extraction.captions import Captions, find_captions
from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.render import PARAGRAPHS, Joiner, render_block
from openm3w.pipeline.extraction.selection import Selection
from openm3w.pipeline.extraction.spacing import one_line
from openm3w.shards.document import Image, Role, Span, Text


def make_spans(
    layout: Layout,
    chosen: Selection,
    kept: dict[Picture, Found],
    places: dict[Picture, Role],
) -> tuple[Span, ...]:
    """Paragraphs and images in reading order, each caption right after its image."""
    captions = find_captions(layout, list(kept), chosen.core)
    pictures = frozenset(kept)
    wanted = chosen.texts | {picture.block for picture in kept}
    writer = _Writer(Joiner(layout, wanted))
    for index in sorted(wanted):
        block = layout.blocks[index]
        is_text = index in chosen.texts and index not in captions.moved
        for part in render_block(block, pictures, in_row=writer.joiner.in_row(block)):
            if isinstance(part, Picture):
                writer.image(part, _image(part, kept[part], places[part], layout, captions))
                writer.captions(
                    one_line(layout.blocks[i].text)
                    for i in captions.blocks.get(part, ())
                    if captions.moved[i] is part
                )
            elif is_text and part.strip():
                writer.text(*writer.joiner.join(block), part)
    return writer.done()


class _Writer:
    """Gathers text until an image comes."""

    def __init__(self, joiner: Joiner) -> None:
        self.joiner = joiner
        self.spans: list[Span] = []
        self.run: list[str] = []

    def text(self, separator: str, prefix: str, text: str) -> None:
        if self.run:
            self.run.append(separator)
        self.run.append(prefix + text)

    def captions(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text and not is_credit(text):
                self.text(PARAGRAPHS, "", text)

    def image(self, picture: Picture, image: Image) -> None:
        self._flush()
        self.spans.append(image)
        self.joiner.interrupt(picture)

    def done(self) -> tuple[Span, ...]:
        self._flush()
        return tuple(self.spans)

    def _flush(self) -> None:
        if self.run:
            self.spans.append(Text(text="".join(self.run)))
            self.run = []


def _image(picture: Picture, found: Found, role: Role, layout: Layout, captions: Captions) -> Image:
    element = picture.attributes
    caption = " ".join(one_line(layout.blocks[i].text) for i in captions.blocks.get(picture, ()))
    return Image(
        url=found.url,
        candidates=found.candidates,
        role=role,
        alt=one_line(element.get("alt", "")),
        title=one_line(element.get("title", "")),
        caption=caption,
        declared_width=found.width or None,
        declared_height=found.height or None,
    )
