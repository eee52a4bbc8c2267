"""Which images of the content are none to look at, or stand there twice."""

from collections import Counter
from typing import Final

from openm3w.pipeline.extraction.boxes import Layout, Picture
from openm3w.pipeline.extraction.images import Found, judge_name, with_twin
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.twins import is_rendition, pair_twins
from openm3w.shards.document import Role

DECORATION: Final = 4
"""An image that stands in the content this often decorates it."""


def judge_images(
    places: dict[Picture, Role], found: dict[Picture, Found], layout: Layout
) -> dict[Picture, Reason]:
    """Why each image that is left out although it stands in the content is left out.

    `found` gains what noscript twins add.
    """
    reasons = dict[Picture, Reason]()
    for twin, picture in pair_twins(list(places), found, layout).items():
        reasons[twin] = Reason.NOSCRIPT_TWIN
        found[picture] = with_twin(found[picture], found[twin])
    times = Counter(found[picture].url for picture in places if picture not in reasons)
    seen = dict[str, Picture]()
    lead: Picture | None = None
    last: Picture | None = None
    for picture, role in places.items():
        if picture in reasons:
            continue
        url = found[picture].url
        reason = _own_reason(picture, found[picture])
        if reason is None and (times[url] >= DECORATION or _is_repeated(url, role, seen, places)):
            reason = Reason.REPEATED
        if reason is None and last is not None and is_rendition(last, picture, found, layout):
            found[last] = with_twin(found[last], found[picture])
            reason = Reason.REPEATED
        if reason is not None:
            reasons[picture] = reason
            continue
        if role == "lead":
            if lead is not None:  # the one nearest to the text is the lead
                reasons[lead] = Reason.OUTSIDE_CONTENT
            lead = picture
        elif lead is not None and found[lead].url == url:
            reasons[lead] = Reason.REPEATED
        seen[url] = last = picture
    return reasons


def _is_repeated(
    url: str, role: Role, seen: dict[str, Picture], places: dict[Picture, Role]
) -> bool:
    """Whether the image came before; one that was the lead moves to its place in the content."""
    return url in seen and places[seen[url]] == role


def _own_reason(picture: Picture, found: Found) -> Reason | None:
    """Why an image is left out whatever the others are."""
    return Reason.HIDDEN if picture.hidden else found.reason or judge_name(found, picture)
