"""Pure decisions with countable reasons, and the named profiles made of them.

Importing this package registers every filter that is shipped: a new module is added here.
"""

from openm3w.filters import (
    assignment,
    image,
    interleaving,
    language,
    optout,
    safety,
    screen,
    similarity,
    text,
    url,
    window,
)
from openm3w.filters.quality import c4, fineweb, gopher, kosmos, obelics, omnicorpus, pii, sentences

__all__ = [
    "assignment",
    "c4",
    "fineweb",
    "gopher",
    "image",
    "interleaving",
    "kosmos",
    "language",
    "obelics",
    "omnicorpus",
    "optout",
    "pii",
    "safety",
    "screen",
    "sentences",
    "similarity",
    "text",
    "url",
    "window",
]
