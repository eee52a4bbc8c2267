"""Which elements make paragraphs, and which hold no text that a reader sees."""

from typing import Final


def names(text: str) -> frozenset[str]:
    """A set of words written as one line."""
    return frozenset(text.split())


BLOCK: Final = names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li"
    " listing main menu nav ol optgroup p pre section summary table tbody td tfoot th thead tr ul"
    " xmp"
)
"""Elements that begin and end a paragraph (HTML Standard, section 15.3)."""

SILENT: Final = names(
    "amp-img applet audio button canvas datalist embed head iframe img input link math meta noembed"
    " noframes noscript object option param rp rt script select source style svg template textarea"
    " title track video"
)
"""Elements whose text is no part of the page's text; images inside them still count."""

IMAGES: Final = names("img amp-img")
MARKUP: Final = names("script style svg iframe link")
HEADINGS: Final = names("h1 h2 h3 h4 h5 h6")
VERBATIM: Final = names("pre listing xmp")
LISTS: Final = names("ul ol menu dir dl")
ITEMS: Final = names("li dd dt")
CELLS: Final = names("td th")
