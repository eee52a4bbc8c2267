"""HTML to main content: text and images in reading order, and why each other image was left out."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from openm3w.pipeline.extraction import images, reference, region
from openm3w.pipeline.extraction.boxes import Layout, Picture
from openm3w.pipeline.extraction.head import Head, read_head
from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.judging import judge_images
from openm3w.pipeline.extraction.layout import lay_out
from openm3w.pipeline.extraction.naming import marks_site
from openm3w.pipeline.extraction.placing import Places, place_images
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.selection import Selection
from openm3w.pipeline.extraction.spans import make_spans
from openm3w.pipeline.extraction.tokens import tokenize
from openm3w.shards.document import Image, Span

Engine = Literal["openm3w", "trafilatura"]

WIDER_SIDE_SHARE: Final = 0.2
"""Where more text was put aside by its name than was found: the share of the page's text that a
part beside the content may hold at most, instead of `sides.MAX_SIDE_SHARE`."""

MANY_TIMES: Final = 10
"""More text put aside than found, by this factor, and names say nothing of this page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An image element that is no part of the content."""

    url: str
    """Absolute where it resolves; as the page wrote it where not, and outside the content."""
    reason: Reason
    number: int
    """Among the page's image elements."""
    detail: str = ""
    """What tells so, in words, as `inside <div class="related">`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """A page's main content and what its markup says about it."""

    title: str = ""
    spans: tuple[Span, ...] = ()
    """No empty text, and no two texts in a row."""
    left_out: tuple[LeftOut, ...] = ()
    """One for each image element that gave no span, in the page's order."""
    elements: int = 0
    """Image elements of the page: those in `order` and in `left_out` together."""
    order: tuple[int, ...] = ()
    """For each image of `spans` its number among the image elements; -1 for a share image."""
    opt_out: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()


def extract(html: str, url: str, *, engine: Engine = "openm3w") -> Extraction:
    """Main content of a page as text and images in reading order.

    A page without content gives no spans, and one without images in its content the image that
    it wants to be shared with, if it names one, with the role `og`.

    Raises:
        PageLimit: the page has more markup than any that is worth reading.
    """
    with _without_collector():
        return _extract(html, url, engine)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the garbage collector for a page's few milliseconds.

    A page makes thousands of small objects that all live until it is done: looking through them
    for cycles again and again is a tenth of the time, and there are none.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _extract(html: str, url: str, engine: Engine) -> Extraction:
    layout = lay_out(tokenize(html, skip_sides=engine == "openm3w"), skip_sides=engine == "openm3w")
    head = read_head(layout, html, url)
    if engine == "openm3w":
        chosen = region.choose_text(layout)
        if (share := _wider_share(layout, chosen)) is not None:
            # Some of what its name put aside may be the text itself.
            tokens = tokenize(html, skip_sides=False)
            wider = lay_out(tokens, skip_sides=True, max_side_share=share)
            again = region.choose_text(wider)
            if again.num_chars(wider) > chosen.num_chars(layout):
                layout, chosen = wider, again
    elif engine == "trafilatura":
        chosen = reference.choose_text(layout)
    else:
        assert_never(engine)
    places = place_images(layout, chosen)
    roles = places.roles
    found = {picture: images.find_image(picture, head.base) for picture in roles}
    reasons = judge_images(roles, found, layout)
    kept = {picture: found[picture] for picture in roles if picture not in reasons}
    spans = make_spans(layout, chosen, kept, roles)
    order = tuple(picture.number for picture in kept)
    if spans and not kept:
        shared = _share_image(head)
        spans, order = (*shared, *spans), (-1,) * len(shared)
    return Extraction(
        title=head.title,
        spans=spans,
        left_out=_left_out(layout, places, found, reasons),
        elements=len(layout.pictures),
        order=order,
        opt_out=head.opt_out,
        licences=head.licences,
    )


def _wider_share(layout: Layout, chosen: Selection) -> float | None:
    """The share of the text that a part beside the content may hold, if that is asked again.

    It is where much more was put aside than found: in one large part, or in many small ones (a
    forum may call each post a comment).
    """
    found = chosen.num_chars(layout)
    if layout.num_skipped > MANY_TIMES * found:
        return 0.0
    large = layout.largest_skipped > WIDER_SIDE_SHARE * layout.num_text
    return WIDER_SIDE_SHARE if large and layout.num_skipped > 2 * found else None


def _left_out(
    layout: Layout,
    places: Places,
    found: dict[Picture, Found],
    reasons: dict[Picture, Reason],
) -> tuple[LeftOut, ...]:
    left_out = list[LeftOut]()
    for picture in layout.pictures:
        if picture in places.outside:
            reason = Reason.HIDDEN if picture.hidden else Reason.OUTSIDE_CONTENT
            written = images.written_address(picture)
            detail = places.outside[picture]
            left = LeftOut(url=written, reason=reason, number=picture.number, detail=detail)
            left_out.append(left)
        elif picture in reasons:
            image = found[picture]
            url = image.url or image.named
            left_out.append(LeftOut(url=url, reason=reasons[picture], number=picture.number))
    return tuple(left_out)


def _share_image(head: Head) -> tuple[Image, ...]:
    """The first image that the page is shared with, its site's logo apart."""
    shared = tuple(url for url in head.share_images if not marks_site(url))
    return (Image(url=shared[0], candidates=shared, role="og"),) if shared else ()
