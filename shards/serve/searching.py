"""What answers by meaning must offer; the viewer is handed one where an index was made."""

from collections.abc import Sequence
from typing import Protocol


class Hit(Protocol):
    """A document that was found, and how near it is."""

    @property
    def number(self) -> int:
        """In the `Catalog` of what is served, from 0."""

    @property
    def picture(self) -> int:
        """Of the document, from 1; 0 where it is the document that was found."""

    @property
    def score(self) -> float:
        """Cosine; the larger, the nearer."""


class Searcher(Protocol):
    """Finds documents by the meaning of words or of a picture, the nearest first."""

    def search_text(self, text: str, limit: int, /) -> Sequence[Hit]:
        """At most `limit` documents whose pictures or texts are near the words."""

    def search_image(self, data: bytes, limit: int, /) -> Sequence[Hit]:
        """At most `limit` documents with a picture near this one, which is encoded as a file is.

        Raises:
            InputError: it does not decode.
        """
