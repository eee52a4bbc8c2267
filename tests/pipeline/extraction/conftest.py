"""What tests of extraction share: a browser's reading of a page to hold ours against."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from openm3w.pipeline.extraction.boxes import LINE_BREAK
from openm3w.pipeline.extraction.layout import lay_out
from openm3w.pipeline.extraction.tokens import tokenize


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Written down here once more, from the HTML Standard's rendering section and DESIGN: what the code
# under test has in its lists must not be the measure of it.
BLOCK = words(
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup legend li listing main menu nav"
    " ol optgroup p plaintext pre search section summary table tbody td tfoot th thead tr ul"
    " xmp"
)
IMAGES = frozenset(("img", "amp-img", "image"))
NO_TEXT = frozenset(
    ("title", "script", "style", "svg", "iframe", "textarea", "noembed", "noframes")
)
SILENT = words(
    "applet audio button canvas datalist math noscript object rp rt select template video"
)
NEVER_HIDDEN = frozenset(("html", "body"))
HIDING_CLASS = re.compile(r"sr-only|visually-?hidden|screen-reader(?:-\w+)*")
HIDING_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


class Reading(NamedTuple):
    """What a page shows."""

    paragraphs: list[str]
    """On one line each; `/` stands for a line break."""
    images: list[str | None]
    """`src` of the image elements."""


def read(html: str) -> Reading:
    """What our own pass sees, nothing put aside."""
    layout = lay_out(tokenize(html, skip_sides=False), skip_sides=False, max_hidden_share=1.0)
    images = [_one_line_ends(picture.attributes.get("src")) for picture in layout.pictures]
    return Reading(_lines(block.text for block in layout.blocks), images)


def read_as_browser(html: str) -> Reading:
    """What lexbor sees, which builds the tree of the HTML Standard (scripts switched off)."""
    text, images = list[str](), list[str | None]()
    # Deep pages are walked without recursion. What ends a paragraph is on the stack as text.
    stack: list[tuple[LexborNode | str, bool]] = [(LexborHTMLParser(html).root, False)]
    while stack:
        node, silent = stack.pop()
        if isinstance(node, str):
            text.append(node)
        elif node.is_text_node:
            if not silent:
                text.append((node.text_content or "").replace("\n", " "))
        elif node.is_element_node or node.is_document_node:
            tag = node.tag
            if tag in IMAGES:
                images.append(_one_line_ends(node.attributes.get("src")))
            edge = "\n" if tag in BLOCK or tag == "hr" else LINE_BREAK if tag == "br" else ""
            text.append("" if silent else edge)
            if tag != "br" and not silent:
                stack.append((edge, silent))
            silent = (
                silent or tag in SILENT | NO_TEXT or (tag not in NEVER_HIDDEN and _is_hidden(node))
            )
            stack.extend((child, silent) for child in reversed(_children(node)))
    return Reading(_lines("".join(text).split("\n")), images)


def _children(node: LexborNode) -> list[LexborNode]:
    if node.tag in NO_TEXT:
        return []
    found = list[LexborNode]()
    child = (node.template_fragments()[0] if node.tag == "template" else node).child
    while child is not None:
        found.append(child)
        child = child.next
    return found


def _is_hidden(node: LexborNode) -> bool:
    found = node.attributes
    return (
        "hidden" in found
        or bool(HIDING_STYLE.search(found.get("style") or ""))
        or any(HIDING_CLASS.fullmatch(name) for name in (found.get("class") or "").split())
    )


def _lines(paragraphs) -> list[str]:
    texts = (paragraph.replace(LINE_BREAK, " / ").split() for paragraph in paragraphs)
    return [" ".join(words).strip("/ ") for words in texts if set(words) - {"/"}]


def _one_line_ends(value: str | None) -> str | None:
    # Parsers turn `\r\n` into `\n` before they read; addresses lose both anyway.
    return value and value.replace("\r\n", "\n").replace("\r", "\n")


@pytest.fixture(scope="session")
def ours() -> Callable[[str], Reading]:
    return read


@pytest.fixture(scope="session")
def browser() -> Callable[[str], Reading]:
    return read_as_browser
