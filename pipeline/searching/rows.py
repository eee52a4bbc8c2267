"""What of a sample is embedded: each picture with what is said of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from openm3w.shards.captioned import caption_of
from openm3w.shards.document import Document, Image, Text
from openm3w.shards.members import utf8
from openm3w.shards.sample import Kind, Sample, image_member


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A picture and what is said of it, or a document that has no picture."""

    picture: int
    """From 1; 0 where the document has none."""
    data: bytes
    words: str
    """"" where nothing is said."""
    image_path: str
    """Name of the picture in its shard; of pairs and texts the key, as clip-retrieval has it."""
    url: str


def rows_of(sample: Sample, kind: Kind) -> Iterator[Row]:
    """The rows of a sample in reading order; one without a picture where it has none."""
    document, key = sample.document, sample.key
    images = document.images
    for number, (image, data) in enumerate(zip(images, sample.images, strict=True)):
        words = caption_of(document) if kind == "caption" else said_of(document, number)
        yield Row(
            picture=number + 1,
            data=data,
            words=_encodable(words),
            image_path=key if kind == "caption" else image_member(key, number),
            url=_encodable(image.url),
        )
    if not images:
        words = "\n\n".join([document.title, *document.texts]).strip()
        yield Row(
            picture=0,
            data=b"",
            words=_encodable(words),
            image_path=key,
            url=_encodable(document.url),
        )


def said_of(document: Document, number: int) -> str:
    """What a page says of its image `number`, from 0: caption, alt or title, or the text near it.

    The text after it goes before the one before it, as MMC4 places an image before its sentence.
    """
    at = [place for place, span in enumerate(document.spans) if isinstance(span, Image)][number]
    image = document.images[number]
    near = [*document.spans[at + 1 : at + 2], *document.spans[max(0, at - 1) : at]]
    texts = [span.text for span in near if isinstance(span, Text)]
    said = (image.caption, image.alt, image.title, *texts, document.title)
    return next((words.strip() for words in said if words.strip()), "")


def _encodable(text: str) -> str:
    """`text` with question marks for lone surrogates, which Parquet cannot hold."""
    return utf8(text).decode()
