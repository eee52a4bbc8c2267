"""Which images of the content are none to look at, or stand there twice."""

from collections import Counter
from typing import Final

from openm3w.pipeline.extraction.boxes import Layout, Picture
from openm3w.pipeline.extraction.images import Found, with_twin
from openm3w.pipeline.extraction.naming import MAX_TRACKER_SIDE, judge_address, waits
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.twins import is_rendition, is_stand_in, pair_twins
from openm3w.shards.document import Role

DECORATION: Final = 4
"""An image that stands in the content this often decorates it."""


def judge_images(
    places: dict[Picture, Role], found: dict[Picture, Found], layout: Layout
) -> dict[Picture, Reason]:
    """Why each image that is left out although it stands in the content is left out.

    `found` gains what noscript twins add.
    """
    reasons = _merge_twins(list(places), found, layout)
    times = Counter(found[p].url for p in places if p not in reasons and not p.hidden)
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
            if not is_stand_in(picture):
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


def _merge_twins(
    pictures: list[Picture], found: dict[Picture, Found], layout: Layout
) -> dict[Picture, Reason]:
    reasons = dict[Picture, Reason]()
    for twin, picture in pair_twins(pictures, found, layout).items():
        if picture.hidden:  # until a script shows it; to be seen is the twin
            found[twin] = with_twin(found[twin], found[picture])
        else:
            reasons[twin] = Reason.NOSCRIPT_TWIN
            found[picture] = with_twin(found[picture], found[twin])
    return reasons


def _is_repeated(
    url: str, role: Role, seen: dict[str, Picture], places: dict[Picture, Role]
) -> bool:
    """Whether the image came before; one that was the lead moves to its place in the content."""
    return url in seen and places[seen[url]] == role


def _own_reason(picture: Picture, found: Found) -> Reason | None:
    """Why an image is left out whatever the others are."""
    return Reason.HIDDEN if picture.hidden else found.reason or _judge_name(found, picture)


def _judge_name(found: Found, picture: Picture) -> Reason | None:
    """Whether declared size, name or class say that the image is none to look at."""
    # Pages write 0 for "as it comes", beside a real number for the other side.
    sides = [side for side in (found.width, found.height) if side]
    if not sides and 0 in (found.width, found.height):
        return Reason.TRACKING_PIXEL
    classes = picture.attributes.get("class", "")
    if found.lazy:
        classes = waits(classes)
        if max(sides, default=0) <= MAX_TRACKER_SIDE:
            sides = []  # the size of the placeholder
    return judge_address(found.url, sides, classes)
