"""One pass over a page's tokens: its boxes, and its paragraphs in reading order with the images.

The tree is the one that browsers build, as far as paragraphs go: end tags that may be left out
are supplied, and stray ones are passed over. Inline elements make no node; a hidden one is a box.
"""

from dataclasses import dataclass
from itertools import accumulate, islice
from operator import itemgetter
from typing import Final

from openm3w.pipeline.extraction.attributes import decode_text
from openm3w.pipeline.extraction.boxes import LINE_BREAK, Block, Box, Layout, Picture
from openm3w.pipeline.extraction.limits import MAX_DEPTH, PageLimit
from openm3w.pipeline.extraction.sides import (
    MAX_SIDE_SHARE,
    MAY_BE_SIDE,
    SIDE_TAGS,
    hides,
    is_side_name,
)
from openm3w.pipeline.extraction.tags import (
    BLOCK,
    CELLS,
    CLOSES_PARAGRAPH,
    END_SCOPE,
    HEADINGS,
    IMAGES,
    IMPLIED_END,
    INLINE_BOXES,
    PARAGRAPH,
    SILENT,
    VOID,
    names,
)
from openm3w.pipeline.extraction.tokens import Token, images_in, split_start, text_in

MAX_SOURCES: Final = 100
"""`<source>` elements of one image that count."""


(
    _TEXT, _INLINE, _OPEN, _CLOSE, _LINK, _LINK_END, _BREAK, _RULE, _IMAGE, _PICTURE, _SOURCE, _HEAD
) = range(12)  # fmt: skip


def _kinds() -> dict[str, int]:
    """What to do at a tag; tags not in here are inline elements."""
    kinds = dict.fromkeys(BLOCK | INLINE_BOXES, _OPEN)
    kinds |= {f"/{name}": _CLOSE for name in kinds}
    kinds |= dict.fromkeys(IMAGES, _IMAGE)
    kinds |= dict.fromkeys(("meta", "base", "link", "frameset"), _HEAD)
    kinds |= {"a": _LINK, "/a": _LINK_END, "br": _BREAK, "/br": _BREAK, "hr": _RULE}
    kinds |= {"picture": _PICTURE, "/picture": _PICTURE, "source": _SOURCE}
    # So frequent that looking them up as unknown would cost time.
    kinds |= dict.fromkeys(("span", "b", "strong", "i", "em", "font", "small"), _INLINE)
    return kinds | dict.fromkeys(("", "/span", "/b", "/strong", "/i", "/em", "/font"), _TEXT)


_KINDS: Final = _kinds()


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the start tag of a box does."""

    block: bool
    silent: bool
    closes_paragraph: bool
    heading: bool
    may_be_side: bool
    implied_end: tuple[frozenset[str], frozenset[str]] | None


_RULES: Final = {
    tag: _Rule(
        block=tag in BLOCK,
        silent=tag in SILENT,
        closes_paragraph=tag in CLOSES_PARAGRAPH,
        heading=tag in HEADINGS,
        may_be_side=tag in MAY_BE_SIDE,
        implied_end=IMPLIED_END.get(tag),
    )
    for tag in BLOCK | INLINE_BOXES
}
_PARAGRAPH_LIMITS: Final = (
    BLOCK | names("applet button noframes noscript object select template")
) - PARAGRAPH


def lay_out(
    tokens: list[Token], *, skip_sides: bool, max_side_share: float = MAX_SIDE_SHARE
) -> Layout:
    """The boxes, paragraphs and images of a page.

    `skip_sides` passes over the text of boxes whose name says that they stand beside the content,
    which takes a third of the time; images inside are noted all the same.

    Raises:
        PageLimit: boxes are nested too deep.
    """
    body = Box("", "", None, -1, 0)
    layout = Layout(tokens, body)
    _Pass(layout, skip_sides=skip_sides, max_side_share=max_side_share).run()
    body.last = len(layout.blocks)
    body.end = len(layout.boxes)
    return layout


class _Pass:
    """State of the walk: the open box, the paragraph being filled, the link that is open."""

    def __init__(self, layout: Layout, *, skip_sides: bool, max_side_share: float) -> None:
        self.layout = layout
        self.max_side_share = max_side_share
        self.skip_sides = skip_sides
        self.tokens = iter(enumerate(layout.tokens))
        self.names = list(map(itemgetter(1), layout.tokens))
        sizes = map(len, map(itemgetter(3), layout.tokens))
        self.text_before = list(accumulate([n if n > 20 else 0 for n in sizes], initial=0))
        self.image_names = [name for name in set(self.names) if name.lower() in IMAGES]
        layout.num_text = self.text_before[-1]
        self.box = layout.body
        self.depth = 0
        self.paragraphs = 0
        """Open `<p>` elements."""
        self.pieces: list[str | Picture] = []
        self.linked = 0
        """Characters in links of the paragraph being filled."""
        self.link: str | None = None
        """Attributes of the link that is open, as written."""
        self.sources: tuple[str, ...] = ()
        """Of the `<picture>` that is open."""
        self.unseen: Box | None = None
        """The hidden inline element that is open; it ends with its own end tag."""
        self.unseen_depth = 0

    def run(self) -> None:  # noqa: C901 -- one branch for each kind of tag; calls would cost more
        """Walk all tokens."""
        kinds, text_links, box = _KINDS, self.layout.text_links, self.box
        for number, (beside, written_name, written, text) in self.tokens:
            if beside:
                self._pass_over(beside, number)
            name = written_name
            kind = kinds.get(name)
            if kind is None:
                name = name.lower()
                kind = kinds.get(name, _TEXT if name[0] == "/" else _INLINE)
            if kind == _OPEN:
                self._open(name, written, number)
                box = self.box
            elif kind == _CLOSE:
                self._close(name[1:], number)
                box = self.box
            elif kind == _LINK:
                self.link = written if "href" in written or "HREF" in written else None
                if "license" in written:
                    self.layout.head.append((name, written))
                if self.unseen is not None and self.unseen.tag == name:
                    self._count_unseen("/a")  # links do not nest
                    box = self.box
                if hides(written):
                    self._open_unseen(name, written)
                    box = self.box
            elif kind == _LINK_END:
                self.link = None
            elif kind > _CLOSE:
                self._other(kind, name, written, number)
                box = self.box
            elif written and kind == _INLINE and hides(written):
                self._open_unseen(name, written)
                box = self.box
            if self.unseen is not None:
                self._count_unseen(name)
                box = self.box
            if text and not box.silent:
                if not text.isspace():
                    self.pieces.append(text)
                    if self.link is not None:
                        self.linked += len(text)
                        text_links.add(self.link)
                elif self.pieces:
                    self.pieces.append(text)
        self._flush(len(self.layout.tokens))
        while self.box.parent is not None:
            self._pop()

    def _open(self, tag: str, written: str, number: int) -> None:
        rule = _RULES[tag]
        if rule.block:
            if self.pieces and not self.box.silent:
                self._flush(number)
            if self.paragraphs and rule.closes_paragraph:
                self._end(PARAGRAPH, _PARAGRAPH_LIMITS, number)
            if rule.heading and self.box.tag in HEADINGS:
                self._pop()
        if rule.implied_end is not None:
            self._end(*rule.implied_end, number)
            if tag in CELLS:
                self.link = None
        self._push(tag, written)
        box = self.box
        if rule.silent:
            self._enter_silent(box)
        if box.side or not rule.may_be_side:
            return
        if tag in SIDE_TAGS or (written and is_side_name(tag, written)):
            self._mark_side(box, number)

    def _close(self, tag: str, number: int) -> None:
        box = self.box
        if box.tag == tag and not box.silent:
            if self.pieces and tag in BLOCK:
                self._flush(number)
            self._pop()
            return
        ends = HEADINGS if tag in HEADINGS else frozenset((tag,))
        if not self._end(ends, END_SCOPE[tag], number) and tag == "p" and not self.box.silent:
            self._flush(number)

    def _end(self, ends: frozenset[str], limits: frozenset[str], number: int) -> bool:
        """Close the nearest open box of one of these tags, and what is open inside it."""
        found = self.box
        while found.tag not in ends:
            if found.parent is None or found.tag in limits:
                return False
            found = found.parent
        if found.tag in BLOCK and not self.box.silent:
            self._flush(number)
        while self.box is not found:
            self._pop()
        if found.tag in BLOCK and not found.silent:
            self._flush(number)
        self._pop()
        if found.tag in BLOCK and found.silent and not self.box.silent:
            self._flush(number)
        return True

    def _push(self, tag: str, written: str) -> None:
        layout = self.layout
        box = Box(tag, written, self.box, len(layout.boxes), len(layout.blocks))
        self.box = box
        layout.boxes.append(box)
        if written and not box.hidden and hides(written):
            box.hidden = box.silent = True
        if tag == "p":
            self.paragraphs += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PageLimit("too_deep")

    def _enter_silent(self, box: Box) -> None:
        """Note that text inside is not shown, as far as that is so."""
        if box.tag == "template":
            box.hidden = True
        elif box.tag == "noframes" and any(name == "frameset" for name, _ in self.layout.head):
            return
        box.silent = True

    def _mark_side(self, box: Box, number: int) -> None:
        """Note that a box stands beside the content, unless it holds much of the page's text."""
        end = self._end_of(box.tag, number)
        chars = self.text_before[end] - self.text_before[number]
        if chars > self.max_side_share * self.text_before[-1]:
            return
        box.side = True
        if self.skip_sides and end - number > 1 and not box.silent:
            layout = self.layout
            layout.num_skipped += chars
            layout.largest_skipped = max(layout.largest_skipped, chars)
            box.silent = True
            for position in self._images_between(number + 1, end):
                beside, _, written, _ = layout.tokens[position]
                if beside:
                    self._pictures_in(beside)
                else:
                    self._picture(written)
            next(islice(self.tokens, end - number - 1, end - number - 1), None)

    def _pass_over(self, markup: str, number: int) -> None:
        """Note the title, or a part beside the content that the tokens hold as one."""
        layout = self.layout
        name, written, content = split_start(markup)
        if name == "title":
            if not layout.title and not self.box.silent:
                layout.title = content
            return
        if self.pieces and name in BLOCK and not self.box.silent:
            self._flush(number)
        chars = text_in(markup)
        layout.num_text += chars
        layout.num_skipped += chars
        layout.largest_skipped = max(layout.largest_skipped, chars)
        if images_in(markup):
            self._push(name, written)
            self.box.side = self.box.silent = True
            self._pictures_in(markup)
            self._pop()

    def _pictures_in(self, markup: str) -> None:
        for name, written in images_in(markup):
            if name in IMAGES:
                self._picture(written)

    def _images_between(self, start: int, end: int) -> list[int]:
        """Indices of the image elements among these tokens, and of what may hold some."""
        tokens = self.layout.tokens
        found = [position for position in range(start, end) if tokens[position][0]]
        for name in self.image_names:
            position = start
            try:
                while True:
                    position = self.names.index(name, position, end) + 1
                    found.append(position - 1)
            except ValueError:
                continue
        return sorted(found)

    def _end_of(self, tag: str, number: int) -> int:
        """Index of the end tag of the element that begins at a token, or of the next such start.

        Where there is none, the element counts as empty.
        """
        names, end_tag = self.names, f"/{tag}"
        start = number + 1
        depth = 1
        try:
            while depth:
                end = names.index(end_tag, start) + 1
                depth += names[start : end - 1].count(tag) - 1
                start = end
        except ValueError:
            return number
        return start - 1

    def _pop(self) -> None:
        box = self.box
        box.last = len(self.layout.blocks)
        box.end = len(self.layout.boxes)
        self.depth -= 1
        if box.tag == "p":
            self.paragraphs -= 1
        if box is self.unseen:
            self.unseen = None
        if box.parent is not None:
            self.box = box.parent

    def _other(self, kind: int, name: str, written: str, number: int) -> None:
        if kind == _BREAK:
            self.pieces.append(LINE_BREAK)
        elif kind == _RULE:
            if not self.box.silent:
                self._flush(number)
            if self.paragraphs:
                self._end(PARAGRAPH, _PARAGRAPH_LIMITS, number)
        elif kind == _IMAGE:
            self._picture(written)
        elif kind == _PICTURE:
            self.sources = ()
        elif kind == _SOURCE:
            if len(self.sources) < MAX_SOURCES:
                self.sources = (*self.sources, written)
        else:
            self.layout.head.append((name, written))

    def _picture(self, written: str) -> None:
        layout = self.layout
        picture = Picture(
            len(layout.pictures), written, self.box, len(layout.blocks), self.link,
            self.sources, hidden=self.box.hidden or hides(written),
        )  # fmt: skip
        self.sources = ()
        layout.pictures.append(picture)
        self.pieces.append(picture)

    def _open_unseen(self, name: str, written: str) -> None:
        if self.unseen is None and not self.box.silent and name not in VOID:
            self._push(name, written)
            self.unseen, self.unseen_depth = self.box, 0

    def _count_unseen(self, name: str) -> None:
        unseen = self.unseen
        if unseen is None:
            return
        if name == unseen.tag:
            self.unseen_depth += 1
        elif name[1:] == unseen.tag:
            self.unseen_depth -= 1
            if not self.unseen_depth:
                while self.unseen is not None:
                    self._pop()

    def _flush(self, number: int) -> None:
        """End the paragraph, unless it holds nothing but white space."""
        pieces = self.pieces
        if not pieces:
            return
        self.pieces = []
        texts = [piece for piece in pieces if isinstance(piece, str)]
        text = "".join(texts)
        chars = 0
        if not text.isspace():
            if "&" in text:
                pieces = [decode_text(p) if isinstance(p, str) else p for p in pieces]
                text = decode_text(text)
            chars = len(" ".join(text.split()))
        elif len(texts) == len(pieces):
            return
        box = self.box
        while box.parent is not None and box.tag not in BLOCK:
            box = box.parent
        block = Block(box, pieces, chars, min(self.linked, chars), number)
        self.layout.blocks.append(block)
        self.linked = 0
