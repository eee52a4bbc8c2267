"""The tables of docs/profiles.md, written from the profiles themselves."""

from collections.abc import Sequence
from typing import Any

from openm3w.errors import InputError
from openm3w.filters.comparing import bounds
from openm3w.filters.profiles import Kind, profile_names

BEGIN = "<!-- Written by `m3w profiles page`; edit the profiles instead. -->"
END = "<!-- The end of what is written. -->"

NONE = "\u2014"
"""Cell of a bound that a profile does not have."""

_ROWS: dict[Kind, tuple[tuple[str, str], ...]] = {
    "interleaved": (
        ("language", "language"),
        ("least certainty of the language", "min_language_score"),
        ("words of a page, least", "text.min_words"),
        ("a longer text is cut at, words", "text.max_document_words"),
        ("window, tokens", "document.window_tokens"),
        ("shorter side of an image, pixels", "image.min_side"),
        ("longer side, at most", "image.max_side"),
        ("longer over shorter side", "image.max_aspect"),
        ("formats", "image.formats"),
        ("words of an image's address", "image.url_tokens"),
        ("times the corpus names an address", "image.max_url_count"),
        ("times the corpus uses an image", "image.max_content_count"),
        ("bits between twins on a page", "image.twin_distance"),
        ("images, least", "document.min_images"),
        ("images, most; more drop the page", "document.most_images"),
        ("images, the first that are kept", "document.max_images"),
        ("an image between texts", "document.interspersed"),
        ("share of pages of one image", "document.single_image_share"),
        ("places of images", "document.assignment"),
        ("similarity, CLIP ViT-L/14", "similarity.bounds.openclip:ViT-L-14/openai"),
        ("share of close assignments", "assigned.min_share"),
        ("unsafe, OpenNSFW", "safety.max_nsfw.opennsfw"),
        ("unsafe, on CLIP", "safety.max_nsfw.clip"),
        ("near duplicates are dropped", "duplicates.near"),
        ("same sets of images are", "duplicates.image_sets"),
        ("paragraphs of a domain, from", "duplicates.drop_paragraphs_from"),
    ),
    "caption": (
        ("language", "language"),
        ("least certainty of the language", "min_language_score"),
        ("characters, least", "captions.min_characters"),
        ("characters, most", "captions.max_characters"),
        ("words, least", "captions.min_words"),
        ("words, most", "captions.max_words"),
        ("times a caption occurs, most", "captions.max_occurrences"),
        ("one of each picture and caption", "captions.drop_duplicates"),
        ("shorter side of an image, pixels", "images.min_side"),
        ("longer over shorter side", "images.max_aspect"),
        ("deviation of grey", "images.min_grey_deviation"),
        ("bytes of a crawled image", "images.min_crawled_bytes"),
        ("bits to a picture of an evaluation set, dropped up to", "images.evaluation_distance"),
        ("similarity, CLIP ViT-B/32", "scores.similarity_b32"),
        ("unsafe, OpenNSFW2", "scores.nsfw_opennsfw2"),
        ("unsafe, GantMan", "scores.nsfw_gantman"),
    ),
}
_UNBOUNDED = frozenset(
    {
        *(("text.max_document_words", 0), ("document.window_tokens", 0), ("image.max_side", 0)),
        *(("image.max_url_count", 0), ("image.max_content_count", 0), ("image.twin_distance", -1)),
        *(("document.most_images", 0), ("document.max_images", 0)),
        *(("assigned.min_share", 0.0), ("document.single_image_share", 1.0)),
        ("duplicates.drop_paragraphs_from", 0),
        *(("language", "any"), ("min_language_score", 0.0)),
        *(("captions.max_characters", 0), ("captions.min_words", 0), ("captions.max_words", 0)),
        *(("captions.max_occurrences", 0), ("images.min_side", 1), ("images.max_aspect", 1e6)),
        *(("images.min_grey_deviation", 0.0), ("images.min_crawled_bytes", 0)),
        ("images.evaluation_distance", -1),
    }
)
"""Values by which a profile says that it has no such bound."""


def profile_tables() -> str:
    """The main bounds of all shipped profiles as Markdown, a table for each kind."""
    parts = (
        ("### Documents\n", _table("interleaved")),
        ("### Captions\n", _table("caption")),
    )
    return "\n".join(line for title, table in parts for line in (title, table))


def put_into(page: str) -> str:
    """The page with what stands between its two marks replaced by the tables of today.

    Raises:
        InputError: the page does not have the marks.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise InputError(f"the page lacks the lines {BEGIN!r} and {END!r}: tables go between them")
    return f"{head}{BEGIN}\n\n{profile_tables()}\n{END}{tail}"


def _table(kind: Kind) -> str:
    names = profile_names(kind)
    found = [bounds(name) for name in names]
    lines = [("", *(f"`{name}`" for name in names)), ("---",) * (len(names) + 1)]
    lines += [(title, *(_cell(key, values) for values in found)) for title, key in _ROWS[kind]]
    if kind == "interleaved":
        lines.append(("rules on the text", *map(_rules, found)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(key: str, values: dict[str, Any]) -> str:
    value = values.get(key)
    if key.startswith("similarity.") and not values["similarity.enabled"]:
        return NONE
    if value is None or value is False or value == [] or _is_unbounded(key, value):
        return NONE
    if value is True:
        return "yes"
    return _told(value) if isinstance(value, Sequence) else f"{value:g}"


def _told(value: Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _rules(values: dict[str, Any]) -> str:
    names = dict.fromkeys(key.split(".")[1] for key in values if key.startswith("quality."))
    return ", ".join(f"`{name}`" for name in names) or NONE


def _is_unbounded(key: str, value: object) -> bool:
    return isinstance(value, int | float | str) and (key, value) in _UNBOUNDED
