"""What a reader of another format makes of a row of its source.

Each row comes to exactly one of three: a document, one that is left out for a reason, or one that
cannot be read.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from openm3w.shards.document import Document

MAX_IMAGES = 1000
"""Of one document: what three digits in the names of members can count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image of a row: its bytes, or names under which the folders of images may have them."""

    data: bytes | None = None
    frame: int | None = None
    """Which picture of a multi-frame TIFF in `data`, from 0."""
    names: tuple[str, ...] = ()
    """URLs, names of files, or `sha256:` and a digest; the first that is found is taken."""
    original_width: int = 0
    """Pixels before it was stored, as the source notes it; 0 where it does not."""
    original_height: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as a document, its images not yet looked at."""

    document: Document
    """`doc_id` is "" but where the row was written by us; `content` of an image is what the row
    says of it, which is believed where the bytes are such as we store, of that size and digest."""
    pictures: tuple[Picture, ...] = ()
    """Parallel to `document.images`."""
    own_id: str = ""
    """The format's own id."""
    is_unique: bool = True
    """Whether rows with the same `own_id` are the same document."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Of a caption pair: other columns of its table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A row that comes to no document."""

    reason: str
    """In snake_case."""
    outcome: Literal["dropped", "failed"] = "failed"


Found = Row | Left


class MalformedError(ValueError):
    """A row that is not of its format; the text says why."""


def each(
    values: Iterable[Mapping[str, Any] | Left], convert: Callable[[Mapping[str, Any]], Found]
) -> Iterator[Found]:
    """Rows by `convert`; one that it cannot make a document of has failed as `malformed`."""
    for value in values:
        if isinstance(value, Left):
            yield value
            continue
        try:
            yield convert(value)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            yield Left(reason="malformed")


def parallel(texts: Any, images: Any) -> list[tuple[str, None] | tuple[None, str]]:
    """Both lists side by side, exactly one not null at each index: the form of OBELICS.

    Raises:
        MalformedError: they are no such lists.
    """
    if not isinstance(texts, list) or not isinstance(images, list) or len(texts) != len(images):
        raise MalformedError("texts and images are not two lists of one length")
    pairs: list[tuple[str, None] | tuple[None, str]] = []
    for text, image in zip(texts, images, strict=True):
        if isinstance(text, str) and image is None:
            pairs.append((text, None))
        elif text is None and isinstance(image, str):
            pairs.append((None, image))
        else:
            raise MalformedError("texts and images must have exactly one string at each index")
    return pairs


def decoded(value: Any) -> Any:
    """A JSON value that a column holds as a string; other values as they are.

    Raises:
        MalformedError: the string is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"a column holds no JSON: {error}") from error


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def entries(value: Any, count: int) -> Sequence[Mapping[str, Any]]:
    """One object for each of `count` places; empty ones where the value is no such list."""
    if not isinstance(value, list) or len(value) != count:
        return [{}] * count
    return [mapping(entry) for entry in value]


def text(value: Any) -> str:
    """A string, or "" for anything else."""
    return value if isinstance(value, str) else ""


def pixels(value: Any) -> int:
    """A size that somebody noted, as a whole number of pixels; 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if math.isfinite(value) and 0 < value < 1 << 31 else 0


def whole(value: Any) -> int:
    """A number of bytes or a place, 0 where it is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 1 << 63 else 0


def number(value: Any) -> float | None:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def finite(value: Any) -> Any:
    """The value with null for numbers that JSON does not have, and text for what it cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value if value is None or isinstance(value, str | int) else str(value)
