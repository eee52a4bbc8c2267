"""Which paragraphs and images of a page are content, given the text that trafilatura kept."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from openm3w.pipeline.extraction.layout import Block, Box, Layout, Picture
from openm3w.pipeline.extraction.tags import HEADINGS, LISTS, VERBATIM
from openm3w.shards.document import Role

CORE_SHARE: Final = 0.8
"""The content box is the smallest that holds this share of the text that was kept."""

MAX_ADDED_LINK_SHARE: Final = 0.3
"""Of the text that a wider content box adds."""

MOSTLY_LINKS: Final = 0.5
"""Of a dropped part's characters; more of them in links makes it a list of other pages."""

MAX_LABEL_CHARS: Final = 400
"""Text that may stand beside an image in a part without kept text: captions, credits."""

MAX_CREDIT_CHARS: Final = 60
"""Text in links that may stand beside an image: a photographer, a source."""

MAX_LEAD_BLOCKS: Final = 12
"""Paragraphs between a lead image and the first kept text: heading, byline, date, caption."""

_PAGE_TAGS: Final = frozenset(("", "body"))
_ARTICLE_TAGS: Final = frozenset(("article", "main"))
_SIDE_TAGS: Final = frozenset(("nav", "aside", "footer", "form", "dialog", "menu"))
_SIDE_WORDS: Final = re.compile(
    r"(?:^|[\s_-])(?:related|recommend\w*|sidebar|side-?bar|shar(?:e|ing)\w*|social\w*|promo\w*"
    r"|newsletter\w*|signup|sign-up|subscri\w+|authors?|byline|bio|avatars?|profile|comments?"
    r"|disqus\w*|outbrain\w*|taboola\w*|zergnet|ads?|advert\w*|banner|sponsor\w*|teasers?"
    r"|footer|nav|navbar|navigation|nav(?:header|footer|bar|igation)\w*|menu|breadcrumbs?"
    r"|popular\w*|trending\w*|most-?read|read-?more|more-?(?:stories|articles|news)|cookies?"
    r"|consent|paywall|pagination|pager|toolbar|masthead|widgets?|carousel-nav|login|search)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(slots=True, eq=False)
class Selection:
    """What was chosen of a layout."""

    core: Box | None = None
    """What holds the content: the heart, widened by what belongs to it."""
    heart: Box | None = None
    """The smallest box that holds most of the kept text."""
    texts: set[int] = field(default_factory=set)
    """Indices of the paragraphs that are content."""
    first: int = 0
    """The first and last paragraph kept inside the core."""
    last: int = -1
    order: list[int] = field(default_factory=list)
    """The same indices, sorted."""

    def has_text(self, box: Box) -> bool:
        """Whether a box holds a paragraph that is content."""
        position = bisect_left(self.order, box.first)
        return position < len(self.order) and self.order[position] < box.last


def select_text(layout: Layout) -> Selection:
    """The paragraphs that are content: those kept, and what was dropped between them by mistake."""
    blocks = layout.blocks
    kept = {index for index, block in enumerate(blocks) if block.kept * 2 > block.chars}
    if not kept:
        return Selection()
    heart = _heart(blocks, kept)
    core = _widen(heart, blocks)
    inside = [index for index in kept if core.first <= index < core.last] or sorted(kept)
    chosen = Selection(core, heart, kept, min(inside), max(inside))
    chosen.texts |= set(_list_items(blocks, chosen))
    chosen.texts |= set(_between(blocks, chosen))
    chosen.order = sorted(chosen.texts)
    return chosen


def place_images(layout: Layout, chosen: Selection) -> dict[Picture, Role]:
    """The images that stand in the content, in reading order, and at most one lead before it."""
    places = dict[Picture, Role]()
    if chosen.core is None:
        return places
    inside = [picture for picture in layout.pictures if _is_content(picture, layout, chosen)]
    if not any(picture.block <= chosen.first for picture in inside):
        lead = [picture for picture in layout.pictures if _is_lead(picture, layout, chosen)]
        places.update(dict.fromkeys(lead, "lead"))
    places.update(dict.fromkeys(inside, "content"))
    return places


def _is_content(picture: Picture, layout: Layout, chosen: Selection) -> bool:
    """Whether an image stands in the content: among kept text, or beside it with a label only."""
    core = chosen.core
    if core is None or not core.first <= picture.block < core.last:
        return False
    if any(map(is_side, _up_to(picture.box, chosen.heart))):
        return False
    if picture.block in chosen.texts and layout.blocks[picture.block].kept:
        return True
    if _leads_to_other_page(picture, layout):
        return False
    part = _part(picture, chosen)
    return part is None or _is_label(layout, part.first, part.last)


def _is_lead(picture: Picture, layout: Layout, chosen: Selection) -> bool:
    """Whether an image stands in the same article before the core, with only labels between."""
    core = chosen.core
    if core is None or not 0 <= chosen.first - picture.block <= MAX_LEAD_BLOCKS:
        return False
    article = core.inside(_ARTICLE_TAGS)
    if article is None or picture.block < article.first:
        return False
    if any(map(is_side, _up_to(picture.box, core))) or _leads_to_other_page(picture, layout):
        return False
    return _is_label(layout, picture.block, chosen.first)


def is_side(box: Box) -> bool:
    """Whether tag, class or id of a box say that it stands beside the content."""
    if box.side is None:
        get = box.element.get
        names = f"{get('class') or ''} {get('id') or ''}"
        box.side = box.tag in _SIDE_TAGS or (
            len(names) > 1 and bool(_SIDE_WORDS.search(_CAMEL.sub("-", names)))
        )
    return box.side


def _heart(blocks: list[Block], kept: set[int]) -> Box:
    """The smallest box that holds most of the kept text."""
    weights = dict[Box, int]()
    total = 0
    for index in sorted(kept):
        block = blocks[index]
        total += block.kept
        for box in block.box.ancestors():
            weights[box] = weights.get(box, 0) + block.kept
    large = (box for box, weight in weights.items() if weight >= CORE_SHARE * total)
    return min(large, key=lambda box: box.last - box.first)


def _widen(core: Box, blocks: list[Block]) -> Box:
    """The box, or a larger one around it that adds text rather than links and no other page part.

    Where most kept text stands in one section, the figures of the others count too.
    """
    while core.parent is not None and core.parent.tag not in _PAGE_TAGS:
        around = core.parent
        added = blocks[around.first : core.first] + blocks[core.last : around.last]
        added = [block for block in added if not any(map(is_side, _up_to(block.box, core)))]
        chars, linked = sum(b.chars for b in added), sum(b.linked for b in added)
        inside = sum(block.chars for block in blocks[core.first : core.last])
        if linked > MAX_ADDED_LINK_SHARE * chars or chars > max(inside, MAX_LABEL_CHARS):
            break
        core = around
    return core


def _list_items(blocks: list[Block], chosen: Selection) -> Iterable[int]:
    """Items left out of lists of which most was kept: trafilatura drops nested links."""
    done = set[Box]()
    for index in sorted(chosen.texts):
        lists = [box for box in blocks[index].box.ancestors() if box.tag in LISTS]
        if not lists or lists[-1] in done:
            continue
        outer = lists[-1]
        done.add(outer)
        inside = blocks[outer.first : outer.last]
        if 2 * sum(block.kept for block in inside) > sum(block.chars for block in inside):
            yield from (i for i in range(outer.first, outer.last) if blocks[i].chars)


def _between(blocks: list[Block], chosen: Selection) -> Iterable[int]:
    """Headings and code dropped between kept paragraphs of the same part."""
    for index in range(chosen.first + 1, chosen.last):
        block = blocks[index]
        if index in chosen.texts or not block.chars or block.linked * 2 > block.chars:
            continue
        box = block.box
        heading = box.inside(HEADINGS)
        if not heading and not box.inside(VERBATIM):
            continue
        around = (heading or box).parent
        if around is None or not any(
            i in chosen.texts for i in range(index + 1, min(index + 3, around.last))
        ):
            continue
        if not any(map(is_side, _up_to(box, chosen.heart))):
            yield index


def _part(picture: Picture, chosen: Selection) -> Box | None:
    """The largest box around an image that holds no kept text."""
    part = None
    for box in picture.box.ancestors():
        if box is chosen.core or chosen.has_text(box):
            break
        part = box
    return part


def _is_label(layout: Layout, first: int, last: int) -> bool:
    """Whether these paragraphs say no more than captions and credits do."""
    chars = layout.chars[last] - layout.chars[first]
    linked = layout.linked[last] - layout.linked[first]
    return chars <= MAX_LABEL_CHARS and linked <= max(MOSTLY_LINKS * chars, MAX_CREDIT_CHARS)


def _leads_to_other_page(picture: Picture, layout: Layout) -> bool:
    """Whether the image links where a text links too: a teaser's picture and headline."""
    link = next(picture.element.iterancestors("a"), None)
    return link is not None and link.get("href") in layout.text_links


def _up_to(box: Box, inner: Box | None) -> Iterable[Box]:
    """A box and those around it, up to but without the first that holds `inner`."""
    for ancestor in box.ancestors():
        if inner is not None and ancestor.first <= inner.first and inner.last <= ancestor.last:
            return
        yield ancestor
