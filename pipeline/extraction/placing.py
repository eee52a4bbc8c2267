"""Which images of a page stand in its content, and why the others do not."""

import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.boxes import Box, Layout, Picture
from openm3w.pipeline.extraction.captions import is_caption
from openm3w.pipeline.extraction.selection import MAX_LABEL_CHARS, Selection
from openm3w.pipeline.extraction.tags import TABLE, names
from openm3w.shards.document import Role

MOSTLY_LINKS: Final = 0.5
"""Of a dropped part's characters; more of them in links makes it a list of other pages."""

MAX_LINKED_CREDIT_CHARS: Final = 60
"""Text in links that may stand beside an image: a photographer, a source."""

MAX_LEAD_BLOCKS: Final = 12
"""Paragraphs between a lead image and the first kept text: heading, byline, date, caption."""

MAX_LABEL_BLOCKS: Final = 40
"""Paragraphs among which captions of several images are told from other text."""

_ROW: Final = names("tr")
_ARTICLE_TAGS: Final = names("article main")
_HOST: Final = re.compile(r"(?:https?:)?//[^/?#]*")
_IMAGE_FILE: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg)$", re.IGNORECASE)


@dataclass(eq=False)
class Places:
    """The images in the content with their role, and what kept the others out."""

    roles: dict[Picture, Role] = field(default_factory=dict)
    """In the page's order."""
    outside: dict[Picture, str] = field(default_factory=dict)
    """For each other image what tells that it is no content, in words."""


def place_images(layout: Layout, chosen: Selection) -> Places:
    """The images that stand in the content, in reading order, and leads before it."""
    places = Places()
    links, around = _Links(layout), _Around(chosen)
    for picture in layout.pictures:
        why = _why_outside(picture, layout, chosen, links, around)
        if why:
            places.outside[picture] = why
        else:
            places.roles[picture] = "content"
    before = [p for p in places.roles if chosen.heart and p.block < chosen.heart.first]
    if len(before) == 1:
        places.roles[before[0]] = "lead"
    if not any(picture.block <= chosen.first for picture in places.roles):
        leads = [p for p in places.outside if _is_lead(p, layout, chosen, links, around)]
        roles: dict[Picture, Role] = dict.fromkeys(leads, "lead")
        places.roles = roles | places.roles
        for picture in leads:
            del places.outside[picture]
    return places


def _why_outside(
    picture: Picture, layout: Layout, chosen: Selection, links: "_Links", around: "_Around"
) -> str:
    """Why an image is no content: "" where it stands among text, or beside it with a label."""
    core = chosen.core
    if core is None or not chosen.texts:
        return "the page has no content"
    if (side := around.side(picture.box)) is not None:
        return f"inside {_shown(side)}"
    if not core.first <= picture.block < core.last:
        return f"outside {_shown(core)}, which holds the content"
    if picture.block in chosen.texts:
        return ""
    if links.lead_elsewhere(picture):
        return "links where a headline links too"
    part = around.part(picture.box)
    if part is None or _is_label(layout, part.first, part.last):
        return ""
    return f"inside {_shown(part)}, which has no content"


def _is_lead(
    picture: Picture, layout: Layout, chosen: Selection, links: "_Links", around: "_Around"
) -> bool:
    """Whether an image stands in the same article before the text, with only labels between."""
    core = chosen.core
    if core is None or not chosen.texts:
        return False
    if not 0 <= chosen.first - picture.block <= MAX_LEAD_BLOCKS:
        return False
    article = core.inside(_ARTICLE_TAGS)
    if article is None or picture.block < article.first:
        return False
    if around.side(picture.box) is not None or links.lead_elsewhere(picture):
        return False
    return _is_label(layout, picture.block, chosen.first)


class _Around:
    """What images stand in; each box is looked at once, however many images are deep inside it."""

    def __init__(self, chosen: Selection) -> None:
        self.chosen = chosen
        self.sides: dict[Box | None, Box | None] = {None: None}
        self.parts: dict[Box | None, Box | None] = {None: None}

    def side(self, box: Box) -> Box | None:
        """The outermost box around an image that stands beside the content, if there is one."""
        way = list(takewhile(lambda around: around not in self.sides, box.ancestors()))
        for around in reversed(way):
            outer = self.sides[around.parent]
            if self.chosen.heart is not None and _holds(around, self.chosen.heart):
                outer = None
            elif outer is None and around.side:
                outer = around
            self.sides[around] = outer
        return self.sides[box]

    def part(self, box: Box) -> Box | None:
        """The largest box around an image that holds no kept text.

        Of a box with facts about the page's subject only the row of the image counts.
        """
        row = box.inside(_ROW)
        table = row.inside(TABLE) if row is not None else None
        if row is not None and table is not None and "infobox" in table.names:
            outer = self._part(row)
            return row if outer is not None else self._part(box)
        return self._part(box)

    def _part(self, box: Box) -> Box | None:
        way = list(takewhile(lambda around: around not in self.parts, box.ancestors()))
        for around in reversed(way):
            outer = self.parts[around.parent]
            if around is self.chosen.core or self.chosen.has_text(around):
                self.parts[around] = None
            else:
                self.parts[around] = outer or around
        return self.parts[box]


def _is_label(layout: Layout, first: int, last: int) -> bool:
    """Whether these paragraphs say no more than captions and credits do."""
    chars = layout.chars[last] - layout.chars[first]
    if chars > MAX_LABEL_CHARS and last - first <= MAX_LABEL_BLOCKS:
        chars -= sum(b.chars for b in layout.blocks[first:last] if is_caption(b))
    linked = layout.linked[last] - layout.linked[first]
    return chars <= MAX_LABEL_CHARS and linked <= max(MOSTLY_LINKS * chars, MAX_LINKED_CREDIT_CHARS)


class _Links:
    """Where links with text lead: a teaser's picture and its headline name the same page."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.targets: set[str] | None = None

    def lead_elsewhere(self, picture: Picture) -> bool:
        """Whether an image links where a text links too."""
        if picture.link is None:
            return False
        if self.targets is None:
            self.targets = {_target(written) for written in self.layout.text_links} - {""}
        return _target(picture.link) in self.targets


def _target(written: str) -> str:
    """The page that a link leads to, without its host: both may name it or not.

    Many links lead from an image to its larger self, with a text that says so.
    """
    address = attributes(written).get("href", "").partition("#")[0].strip()
    path = _HOST.sub("", address, count=1).rstrip("/")
    return "" if _IMAGE_FILE.search(path) else path


def _holds(around: Box, inner: Box) -> bool:
    return around.first <= inner.first and inner.last <= around.last


def _shown(box: Box) -> str:
    """A box's start tag, shortened."""
    named = [f'{name}="{box.get(name)[:40]}"' for name in ("class", "id") if box.get(name)]
    return f"<{' '.join([box.tag or 'body', *named])}>"
