"""Which elements make paragraphs, which end others, and which hold no text that a reader sees."""

from typing import Final


def names(text: str) -> frozenset[str]:
    """A set of words written as one line."""
    return frozenset(text.split())


BLOCK: Final = names(
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup legend li"
    " listing main menu nav ol optgroup p plaintext pre search section summary table tbody td tfoot"
    " th thead tr ul xmp"
)
"""Elements that begin and end a paragraph (HTML Standard, section 15.3)."""

SILENT: Final = names(
    "applet audio button canvas datalist math noframes noscript object rp rt select template video"
)
"""Inline elements whose text is no part of the page's text; images inside them still count."""

INLINE_BOXES: Final = SILENT | {"ruby"}

VOID: Final = names(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track"
    " wbr"
)
"""Elements without content or end tag."""

FORMATTING_ENDS: Final = names(
    "/a /b /big /code /em /font /i /nobr /s /small /strike /strong /tt /u"
)
"""Inline elements that end although blocks are open in them (HTML Standard, section 13.2.4.3)."""

IMAGES: Final = names("img amp-img image")
HEADINGS: Final = names("h1 h2 h3 h4 h5 h6")
VERBATIM: Final = names("pre listing xmp plaintext")
LISTS: Final = names("ul ol menu dir dl")
ITEMS: Final = names("li dd dt")
CELLS: Final = names("td th")
TABLE: Final = names("table")
ROW: Final = names("tr")
PARAGRAPH: Final = names("p")

CLOSES_PARAGRAPH: Final = BLOCK - CELLS - names("caption legend optgroup tbody tfoot thead tr")
"""Their start tags end an open `<p>` (HTML Standard, section 13.2.6.4.7)."""

_SECTIONS: Final = names("tbody tfoot thead")
_LIST_LIMITS: Final = BLOCK - names("address div p")

IMPLIED_END: Final = {
    "li": (names("li"), _LIST_LIMITS),
    **dict.fromkeys(("dd", "dt"), (names("dd dt"), _LIST_LIMITS)),
    **dict.fromkeys(CELLS, (CELLS, ROW | TABLE)),
    "tr": (ROW, TABLE),
    **dict.fromkeys(_SECTIONS, (_SECTIONS, TABLE)),
    **dict.fromkeys(("rp", "rt"), (names("rp rt"), BLOCK | {"ruby"})),
}
"""By start tag: which open elements it ends, and beyond which it does not look for them."""

_SCOPE: Final = CELLS | TABLE | names("caption applet object template")

END_SCOPE: Final = {
    **dict.fromkeys(BLOCK | INLINE_BOXES, _SCOPE),
    **dict.fromkeys(CELLS | ROW | TABLE | _SECTIONS | {"caption"}, TABLE),
    "li": _SCOPE | names("ol ul"),
    "p": _SCOPE | names("button"),
}
"""By end tag: beyond which open elements it does not look for its own."""
