"""Which elements make paragraphs, and which hold no text that a reader sees."""

from typing import Final

BLOCK: Final = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li"
    " listing main menu nav ol optgroup p pre section summary table tbody td tfoot th thead tr ul"
    " xmp".split()
)
"""Elements that begin and end a paragraph (HTML Standard, section 15.3)."""

SILENT: Final = frozenset(
    "amp-img applet audio button canvas datalist embed head iframe img input link math meta noembed noframes"
    " noscript object option param rp rt script select source style svg template textarea title"
    " track video".split()
)
"""Elements whose text is no part of the page's text; images inside them still count."""

HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
VERBATIM: Final = frozenset(("pre", "listing", "xmp"))
LISTS: Final = frozenset(("ul", "ol", "menu", "dir", "dl"))
ITEMS: Final = frozenset(("li", "dd", "dt"))
CELLS: Final = frozenset(("td", "th"))
IMAGES: Final = frozenset(("img", "amp-img"))
MARKUP: Final = frozenset(("script", "style", "svg", "iframe", "link"))
