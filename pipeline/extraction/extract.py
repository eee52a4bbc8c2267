"""HTML to main content: text and images in reading order, and why each other image was left out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, assert_never

from openm3w.pipeline.extraction import dom, images
from openm3w.pipeline.extraction.captions import Captions, find_captions
from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.layout import Layout, Picture, lay_out
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.region import choose_region
from openm3w.pipeline.extraction.render import Joiner, plain_text, render_block
from openm3w.pipeline.extraction.selection import Selection, place_images, select_text
from openm3w.pipeline.extraction.twins import is_larger_copy, pair_twins
from openm3w.pipeline.extraction.urls import resolve_url
from openm3w.shards.document import Image, Role, Span, Text

Engine = Literal["trafilatura"]

DECORATION: Final = 4
"""An image that stands in the content this often decorates it."""


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
    )
    return _with_content(facts, root, base)


def _with_content(facts: Extraction, root: Any, base: str) -> Extraction:
    layout = lay_out(root)
    choose_region(root, layout)
    chosen = select_text(layout)
    places = place_images(layout, chosen)
    found = {picture: images.find_image(picture.element, base) for picture in places}
    reasons = _judge(places, found, layout)
    kept = {picture: found[picture] for picture in places if picture not in reasons}
    left_out = tuple(
        LeftOut(
            url=_address(picture, found.get(picture), base),
            reason=reasons.get(picture, Reason.OUTSIDE_CONTENT),
        )
        for picture in layout.pictures
        if picture not in kept
    )
    return replace(
        facts,
        spans=_spans(layout, chosen, kept, places),
        left_out=left_out,
        elements=len(layout.pictures),
    )


def _judge(
    places: dict[Picture, Role], found: dict[Picture, Found], layout: Layout
) -> dict[Picture, Reason]:
    """Why each image that is left out although it stands in the content is left out.

    `found` gains what noscript twins add.
    """
    reasons = dict[Picture, Reason]()
    for twin, picture in pair_twins(list(places), found, layout).items():
        reasons[twin] = Reason.NOSCRIPT_TWIN
        found[picture] = images.with_twin(found[picture], found[twin])
    times = Counter(found[picture].url for picture in places if picture not in reasons)
    seen = dict[str, Picture]()
    lead: Picture | None = None
    last: Picture | None = None
    for picture, role in places.items():
        if picture in reasons:
            continue
        url = found[picture].url
        reason = Reason.HIDDEN if picture.hidden else _name_reason(picture, found[picture])
        if reason is None and (times[url] >= DECORATION or _is_repeated(url, role, seen, places)):
            reason = Reason.REPEATED
        if reason is None and last is not None and is_larger_copy(last, picture, found, layout):
            found[last] = images.with_twin(found[last], found[picture])
            reason = Reason.REPEATED
        if reason is not None:
            reasons[picture] = reason
            continue
        if role == "lead":
            if lead is not None:  # the one nearest to the text is the lead
                reasons[lead] = Reason.OUTSIDE_CONTENT
            lead = picture
        elif lead is not None and found[lead].url == url:
            reasons[lead] = Reason.REPEATED
        seen[url] = last = picture
    return reasons


def _is_repeated(
    url: str, role: Role, seen: dict[str, Picture], places: dict[Picture, Role]
) -> bool:
    """Whether the image came before; one that was the lead moves to its place in the content."""
    return url in seen and places[seen[url]] == role


def _name_reason(picture: Picture, found: Found) -> Reason | None:
    return found.reason or images.judge_name(found, picture.element)


def _address(picture: Picture, found: Found | None, base: str) -> str:
    """The address of an image left out; those outside the content were not looked at closely."""
    if found is not None:
        return found.url or found.named
    written = picture.element.get("src") or picture.element.get("data-src") or ""
    return resolve_url(base, written)[0] or written[: images.MAX_NAMED_CHARS]


def _spans(
    layout: Layout,
    chosen: Selection,
    kept: dict[Picture, Found],
    places: dict[Picture, Role],
) -> tuple[Span, ...]:
    """Paragraphs and images in reading order, each caption right after its image."""
    captions = find_captions(layout, list(kept), chosen.core)
    pictures = frozenset(kept)
    writer = _Writer()
    for index, block in enumerate(layout.blocks):
        is_text = index in chosen.texts and index not in captions.moved
        for part in render_block(block, pictures):
            if isinstance(part, Picture):
                writer.image(_image(part, kept[part], places[part], layout, captions))
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


def _image(picture: Picture, found: Found, role: Role, layout: Layout, captions: Captions) -> Image:
    element = picture.element
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
