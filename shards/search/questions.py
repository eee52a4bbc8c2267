"""What a search is asked and what it answers, for whoever shows it: a terminal or a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One answer: a picture of a document, or the document where it has none."""

    score: float
    """Cosine of question and answer, -1 to 1."""
    number: int
    """Of the document among all of the manifests, from 0, as `Catalog.read` takes it."""
    key: str
    picture: int
    """Of the document, from 1; 0 where the document has none."""
    url: str
    """Address of the picture; of the document where it has none."""
    caption: str
    alt: str
    title: str
    """Of the document."""
    page_url: str


class Searcher(Protocol):
    """Answers questions about one dataset or mixture; may be asked by several threads."""

    model_id: str

    def search_text(self, text: str, limit: int) -> list[Hit]:
        """At most `limit` hits, the best first.

        Raises:
            MissingError: a package or the weights of the model are not here.
        """
        ...

    def search_image(self, data: bytes, limit: int) -> list[Hit]:
        """The same for an encoded picture.

        Raises:
            InputError: it is no picture that can be decoded.
        """
        ...


class Encoder(Protocol):
    """Questions as directions of the space that the embeddings lie in."""

    model_id: str

    def encode_text(self, text: str) -> NDArray[np.float32]:
        """float32[D] of unit length."""
        ...

    def encode_image(self, data: bytes) -> NDArray[np.float32]:
        """float32[D] of unit length."""
        ...
