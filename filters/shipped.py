"""Every filter that is shipped; to import this module registers them. A new one is added here.

It is apart from the package so that one module of it can be had without all of them, as a process
that fetches images wants the form of URLs and no filter.
"""

from openm3w.filters import (
    assignment,
    captions,
    duplicates,
    interleaving,
    language,
    optout,
    pages,
    perplexity,
    safety,
    screen,
    similarity,
    text,
    url,
    window,
)
from openm3w.filters.images import copies, file, look, size
from openm3w.filters.quality import (
    c4,
    fineweb,
    gopher,
    gopher_repetition,
    kosmos,
    obelics,
    omnicorpus,
    pii,
    sentences,
)

__all__ = [
    "assignment",
    "c4",
    "captions",
    "copies",
    "duplicates",
    "file",
    "fineweb",
    "gopher",
    "gopher_repetition",
    "interleaving",
    "kosmos",
    "language",
    "look",
    "obelics",
    "omnicorpus",
    "optout",
    "pages",
    "perplexity",
    "pii",
    "safety",
    "screen",
    "sentences",
    "similarity",
    "size",
    "text",
    "url",
    "window",
]
