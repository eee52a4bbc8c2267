"""One pass over a page's tokens: its boxes, and its paragraphs in reading order with the images.

The tree is the one that browsers build, as far as paragraphs go: end tags that may be left out
are supplied, and stray ones are passed over. Inline elements make no node; a hidden one is a box.
"""

from itertools import islice, takewhile
from typing import Final

from openm3w.pipeline.extraction.attributes import decode_text
from openm3w.pipeline.extraction.boxes import LINE_BREAK, Block, Box, Layout, Picture
from openm3w.pipeline.extraction.extents import Extents
from openm3w.pipeline.extraction.licences import LICENCE_WORDS
from openm3w.pipeline.extraction.limits import MAX_DEPTH, PageLimit
from openm3w.pipeline.extraction.sides import BESIDE, HIDDEN, MAX_SIDE_SHARE, hides, judge_box
from openm3w.pipeline.extraction.tag_rules import (
    BREAK,
    CLOSE,
    IMAGE,
    INLINE,
    KINDS,
    LINK,
    LINK_END,
    OPEN,
    PARAGRAPH_LIMITS,
    PICTURE,
    RULE,
    RULES,
    SOURCE,
    TEXT,
)
from openm3w.pipeline.extraction.tags import (
    BLOCK,
    END_SCOPE,
    FORMATTING_ENDS,
    HEADINGS,
    IMAGES,
    PARAGRAPH,
    VERBATIM,
    VOID,
)
from openm3w.pipeline.extraction.tokens import (
    Token,
    images_in,
    licences_in,
    split_start,
    text_in,
)

MAX_SOURCES: Final = 100
"""`<source>` elements of one image that count."""

MIN_HEADLINE_CHARS: Final = 12
"""Shorter texts of links are no headlines: "Enlarge", "Next", "Read more"."""

MAX_HIDDEN_SHARE: Final = 0.9
"""What holds nearly all of the page's text is shown by the page's scripts, once they ran. A cookie
notice may hold three quarters of a short page."""


def lay_out(
    tokens: list[Token],
    *,
    skip_sides: bool,
    max_side_share: float = MAX_SIDE_SHARE,
    max_hidden_share: float = MAX_HIDDEN_SHARE,
) -> Layout:
    """The boxes, paragraphs and images of a page.

    `skip_sides` passes over the text of boxes whose name says that they stand beside the content,
    which takes a third of the time; images inside are noted all the same. What holds more of the
    page's text than the shares say is neither beside the content nor hidden.

    Raises:
        PageLimit: boxes are nested too deep.
    """
    layout = Layout(tokens, Box("", "", None, -1, 0))
    walk = _Walk(
        layout,
        skip_sides=skip_sides,
        max_side_share=max_side_share,
        max_hidden_share=max_hidden_share,
    )
    walk.run()
    layout.body.last = len(layout.blocks)
    layout.body.end = len(layout.boxes)
    for block in layout.blocks:  # paragraphs whose own tag stands beside the content, or has no end
        if block.box.side:
            layout.num_skipped += block.chars
    return layout


class _Walk:
    """State of the walk: the open box, the paragraph being filled, the link that is open."""

    def __init__(
        self, layout: Layout, *, skip_sides: bool, max_side_share: float, max_hidden_share: float
    ) -> None:
        self.layout = layout
        self.skip_sides = skip_sides
        self.max_side_share = max_side_share
        self.extents = Extents(layout.tokens)
        layout.num_text = self.extents.num_chars
        self.max_side_chars = max_side_share * layout.num_text
        self.max_hidden_chars = max_hidden_share * layout.num_text
        self.tokens = enumerate(layout.tokens)
        self.box = layout.body
        self.depth = 0
        self.paragraphs = 0
        """Open `<p>` elements."""
        self.pieces: list[str | Picture] = []
        self.linked = 0
        """Characters in links of the paragraph being filled."""
        self.link: str | None = None
        """Attributes of the link that is open, as written."""
        self.sources: tuple[str, ...] | None = None
        """Of the `<picture>` that is open and has no image yet."""
        self.unseen: Box | None = None
        """The hidden inline element that is open; it ends with its own end tag."""
        self.unseen_depth = 0

    def run(self) -> None:  # noqa: C901 -- one branch for each kind of tag; calls would cost more
        """Walk all tokens."""
        kinds, text_links, box = KINDS, self.layout.text_links, self.box
        for number, (part, name, written, text) in self.tokens:
            if part:
                self._pass_over(part, number)
            kind = kinds.get(name)
            if kind is None:
                name = name.lower()  # noqa: PLW2901 -- few pages are in capitals
                kind = kinds.get(name, TEXT if name[0] == "/" else INLINE)
            if kind == OPEN:
                box = self._open(name, written, number)
            elif kind == CLOSE:
                box = self._close(name[1:], number)
            elif kind == LINK:
                self._link(written)
                if hides(written):
                    self._open_unseen(name, written, number)
                box = self.box
            elif kind == LINK_END:
                self.link = None
            elif kind == INLINE:
                if written and hides(written):
                    self._open_unseen(name, written, number)
                    box = self.box
            elif kind != TEXT:
                self._other(kind, name, written, number)
                box = self.box
            if self.unseen is not None:
                self._count_unseen(name)
                box = self.box
            if text and not box.silent:
                if not text.isspace():
                    self.pieces.append(text)
                    if self.link is not None:
                        self.linked += len(text)
                        if len(text) >= MIN_HEADLINE_CHARS:
                            text_links.add(self.link)
                elif self.pieces or box.inside(VERBATIM):  # the first line of code may be indented
                    self.pieces.append(text)
        self._flush(len(self.layout.tokens))
        while self.box.parent is not None:
            self._pop()

    def _open(self, tag: str, written: str, number: int) -> Box:
        rule = RULES[tag]
        if rule.block:
            if self.pieces and not self.box.silent:
                self._flush(number)
            if self.paragraphs and rule.closes_paragraph:
                self._end(PARAGRAPH, PARAGRAPH_LIMITS, number)
            if rule.heading and self.box.tag in HEADINGS:
                self._pop()
        if rule.implied_end is not None:
            self._end(*rule.implied_end, number)
            if rule.cell:
                self.link = None
        box = self._push(tag, written)
        verdict = judge_box(tag, written) if written else 0
        if verdict & HIDDEN and not box.hidden:
            self._hide(box, number)
        if rule.silent:
            self._enter_silent(box)
        if rule.may_be_side and (rule.side or verdict & BESIDE) and not box.side:
            self._mark_side(box, number)
        return box

    def _close(self, tag: str, number: int) -> Box:
        box = self.box
        if box.tag == tag and not box.silent:
            if self.pieces and tag in BLOCK:
                self._flush(number)
            self._pop()
            return self.box
        ends = HEADINGS if tag in HEADINGS else frozenset((tag,))
        if not self._end(ends, END_SCOPE[tag], number) and tag == "p" and not self.box.silent:
            self._flush(number)
        return self.box

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

    def _push(self, tag: str, written: str) -> Box:
        boxes = self.layout.boxes
        box = self.box = Box(tag, written, self.box, len(boxes), len(self.layout.blocks))
        boxes.append(box)
        if tag == "p":
            self.paragraphs += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PageLimit("too_deep")
        return box

    def _hide(self, box: Box, number: int) -> None:
        """Note that a box is not shown, unless it holds most of the page's text."""
        end = self.extents.end(box.tag, number)
        if self.extents.chars(number, end) <= self.max_hidden_chars:
            box.hidden = box.silent = True

    def _enter_silent(self, box: Box) -> None:
        """Note that text inside is not shown, as far as that is so."""
        if box.tag == "template":
            box.hidden = True
        elif box.tag == "noframes" and any(name == "frameset" for name, _ in self.layout.head):
            return
        box.silent = True

    def _mark_side(self, box: Box, number: int) -> None:
        """Note that a box stands beside the content, unless it holds much of the page's text."""
        end = self.extents.end(box.tag, number)
        chars = self.extents.chars(number, end)
        if not self.max_side_share or chars > self.max_side_chars:
            return
        box.side = True
        if self.skip_sides and end - number > 1 and not box.silent:
            layout = self.layout
            layout.skip(chars)
            box.silent = True
            for part, name, written, _ in layout.tokens[number + 1 : end]:
                if part:
                    self._note(part)
                elif name.lower() in IMAGES:
                    self._picture(written)
                elif name == "a" and any(word in written for word in LICENCE_WORDS):
                    layout.head.append((name, written))
            next(islice(self.tokens, end - number - 1, end - number - 1), None)

    def _note(self, markup: str) -> None:
        """Note images and licences in what the tokens hold as one."""
        self.layout.head.extend(("a", written) for written in licences_in(markup))
        for written in images_in(markup):
            self._picture(written)

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
        layout.skip(chars)
        box = self._push(name, written)
        box.hidden = box.hidden or hides(written)
        box.side = box.silent = True
        self._note(markup)
        self._pop()

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

    def _link(self, written: str) -> None:
        low = written.lower()
        self.link = written if "href" in low else None
        if "license" in low or "/publicdomain/" in low:
            self.layout.head.append(("a", written))
        if self.unseen is not None and self.unseen.tag == "a":
            self._count_unseen("/a")  # links do not nest

    def _other(self, kind: int, name: str, written: str, number: int) -> None:
        if kind == BREAK:
            self.pieces.append(LINE_BREAK)
        elif kind == RULE:
            if not self.box.silent:
                self._flush(number)
            if self.paragraphs:
                self._end(PARAGRAPH, PARAGRAPH_LIMITS, number)
        elif kind == IMAGE:
            self._picture(written)
        elif kind == PICTURE:
            self.sources = () if name == "picture" else None
        elif kind == SOURCE:  # else of a video
            if self.sources is not None and len(self.sources) < MAX_SOURCES:
                self.sources = (*self.sources, written)
        else:
            self.layout.head.append((name, written))

    def _picture(self, written: str) -> None:
        layout = self.layout
        picture = Picture(
            len(layout.pictures), written, self.box, len(layout.blocks), self.link,
            self.sources or (), hidden=self.box.hidden or hides(written),
        )  # fmt: skip
        self.sources = None
        layout.pictures.append(picture)
        self.pieces.append(picture)

    def _open_unseen(self, name: str, written: str, number: int) -> None:
        if self.unseen is None and not self.box.silent and name not in VOID:
            self.unseen, self.unseen_depth = self._push(name, written), 0
            self._hide(self.unseen, number)

    def _count_unseen(self, name: str) -> None:
        unseen = self.unseen
        if unseen is None:
            return
        if name == unseen.tag:
            self.unseen_depth += 1
        elif name[1:] == unseen.tag and (name in FORMATTING_ENDS or not self._in_block(unseen)):
            self.unseen_depth -= 1
            if not self.unseen_depth:
                while self.unseen is not None:
                    self._pop()

    def _in_block(self, unseen: Box) -> bool:
        """Whether a block is open inside an inline element: its end tag then counts for nothing."""
        inside = takewhile(lambda box: box is not unseen, self.box.ancestors())
        return any(box.tag in BLOCK for box in inside)

    def _flush(self, number: int) -> None:
        """End the paragraph, unless it holds nothing but white space."""
        pieces = self.pieces
        if not pieces:
            return
        self.pieces = []
        texts = [piece for piece in pieces if isinstance(piece, str)]
        text = "".join(texts)
        if text.isspace():
            if len(texts) == len(pieces):
                return
        elif "&" in text:
            pieces = [decode_text(p) if isinstance(p, str) else p for p in pieces]
            text = "".join(piece for piece in pieces if isinstance(piece, str))
        box = self.box
        while box.parent is not None and box.tag not in BLOCK:
            box = box.parent
        self.layout.blocks.append(Block(box, pieces, text, self.linked, number))
        self.linked = 0
