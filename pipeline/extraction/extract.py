"""HTML to main content: text and images in reading order, and why each other image was left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from openm3w.pipeline.extraction import density, dom, images
from openm3w.pipeline.extraction.captions import Captions, find_captions
from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.layout import Layout, Picture, lay_out
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.region import note_kept_text
from openm3w.pipeline.extraction.render import Joiner, plain_text, render_block
from openm3w.pipeline.extraction.select import Selection, is_content, is_lead, select_text
from openm3w.pipeline.extraction.twins import pair_twins
from openm3w.shards.document import Image, Role, Span, Text

Engine = Literal["trafilatura"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An image element that is no part of the content."""

    url: str
    """Absolute where it resolves, else as the page wrote it."""
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """A page's main content and what its markup says about it."""

    title: str = ""
    spans: tuple[Span, ...] = ()
    """No empty text, and no two texts in a row."""
    left_out: tuple[LeftOut, ...] = ()
    """One for each image element that gave no span, in the page's order."""
    elements: int = 0
    """Image elements of the page: images in `spans` and `left_out` together."""
    opt_out: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    declared_language: str = ""


def extract(html: str, url: str, *, engine: Engine = "trafilatura") -> Extraction:
    """Main content of a page as text and images in reading order.

    A page without content gives no spans. Callers screen with `limits.check_html` first:
    parsers hang on some hostile pages.
    """
    if engine != "trafilatura":
        assert_never(engine)
    root = dom.parse(html)
    if root is None:
        return Extraction()
    base = dom.base_url(root, url)
    facts = Extraction(
        title=dom.title(root),
        opt_out=dom.opt_out(root),
        licences=dom.licences(root, base),
        declared_language=dom.declared_language(root),
    )
    return _with_content(facts, root, base)


def _with_content(facts: Extraction, root: Any, base: str) -> Extraction:
    layout = lay_out(root)
    note_kept_text(root, layout)
    density.correct(layout)
    chosen = select_text(layout)
    found = {picture: images.find_image(picture.element, base) for picture in layout.pictures}
    reasons = _judge(layout, chosen, found)
    kept = {picture: found[picture] for picture in layout.pictures if picture not in reasons}
    left_out = tuple(
        LeftOut(url=found[picture].url or found[picture].named, reason=reason)
        for picture, reason in sorted(reasons.items(), key=lambda item: item[0].number)
    )
    return Extraction(
        title=facts.title,
        spans=_spans(layout, chosen, kept),
        left_out=left_out,
        elements=len(layout.pictures),
        opt_out=facts.opt_out,
        licences=facts.licences,
        declared_language=facts.declared_language,
    )


def _judge(
    layout: Layout, chosen: Selection, found: dict[Picture, Found]
) -> dict[Picture, Reason]:
    """Why each image that is left out is left out; `found` gains what noscript twins add."""
    if not chosen.texts:
        return dict.fromkeys(layout.pictures, Reason.OUTSIDE_CONTENT)
    reasons = dict[Picture, Reason]()
    for twin, picture in pair_twins(layout, found).items():
        reasons[twin] = Reason.NOSCRIPT_TWIN
        found[picture] = images.with_twin(found[picture], found[twin])
    seen = set[str]()
    lead: Picture | None = None
    for picture in layout.pictures:
        if picture in reasons:
            continue
        reason = _first_reason(picture, found[picture], layout, chosen)
        if reason is Reason.OUTSIDE_CONTENT and is_lead(picture, layout, chosen):
            if lead is not None:  # the last one before the text is the lead
                reasons[lead] = Reason.OUTSIDE_CONTENT
                seen.discard(found[lead].url)
            lead, reason = picture, None
        if reason is None and found[picture].url in seen:
            reason = Reason.REPEATED
        if reason is None:
            seen.add(found[picture].url)
        else:
            reasons[picture] = reason
    return reasons


def _first_reason(
    picture: Picture, found: Found, layout: Layout, chosen: Selection
) -> Reason | None:
    if picture.hidden:
        return Reason.HIDDEN
    reason = found.reason or images.judge_name(found, picture.element)
    if reason is None and not is_content(picture, layout, chosen):
        return Reason.OUTSIDE_CONTENT
    return reason


def _spans(layout: Layout, chosen: Selection, kept: dict[Picture, Found]) -> tuple[Span, ...]:
    """Paragraphs and images in reading order, each caption right after its image."""
    captions = find_captions(layout, list(kept), chosen.core)
    pictures = frozenset(kept)
    writer = _Writer()
    for index, block in enumerate(layout.blocks):
        is_text = index in chosen.texts and index not in captions.moved
        for part in render_block(block, pictures):
            if isinstance(part, Picture):
                writer.image(_image(part, kept[part], layout, captions, chosen))
                writer.captions(
                    plain_text(layout.blocks[i])
                    for i in captions.blocks.get(part, ())
                    if captions.moved[i] is part
                )
            elif is_text and part.strip():
                writer.text(*writer.joiner.join(block), part)
    return writer.done()


class _Writer:
    """Gathers text until an image comes."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.run: list[str] = []
        self.joiner = Joiner()

    def text(self, separator: str, prefix: str, text: str) -> None:
        if self.run:
            self.run.append(separator)
        self.run.append(prefix + text)

    def captions(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text:
                self.text("\n\n", "", text)

    def image(self, image: Image) -> None:
        self._flush()
        self.spans.append(image)
        self.joiner.interrupt()

    def done(self) -> tuple[Span, ...]:
        self._flush()
        return tuple(self.spans)

    def _flush(self) -> None:
        if self.run:
            self.spans.append(Text(text="".join(self.run)))
            self.run = []


def _image(
    picture: Picture, found: Found, layout: Layout, captions: Captions, chosen: Selection
) -> Image:
    element = picture.element
    inside = is_content(picture, layout, chosen)
    role: Role = "content" if inside else "lead"
    caption = " ".join(plain_text(layout.blocks[i]) for i in captions.blocks.get(picture, ()))
    return Image(
        url=found.url,
        candidates=found.candidates,
        role=role,
        alt=" ".join((element.get("alt") or "").split()),
        title=" ".join((element.get("title") or "").split()),
        caption=caption,
        declared_width=found.width or None,
        declared_height=found.height or None,
    )
