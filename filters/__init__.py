"""Pure decisions with countable reasons, and the named profiles made of them.

Importing this package registers every filter that is shipped: a new module is added here.
"""

from openm3w.filters import (
    image,
    interleaving,
    language,
    optout,
    screen,
    similarity,
    text,
    url,
    window,
)

__all__ = [
    "image",
    "interleaving",
    "language",
    "optout",
    "screen",
    "similarity",
    "text",
    "url",
    "window",
]
