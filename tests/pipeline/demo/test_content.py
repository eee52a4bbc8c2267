import re

import pytest

from openm3w.pipeline.demo import content, site
from openm3w.pipeline.demo.content import PICTURE_MARK

CONTENT = content.load()


def _names(page):
    return [p.removeprefix(PICTURE_MARK) for p in page.body if p.startswith(PICTURE_MARK)]


@pytest.mark.parametrize("page", CONTENT.pages, ids=lambda page: page.url)
def test_every_picture_of_a_page_is_described(page):
    assert _names(page)
    assert set(_names(page)) <= set(CONTENT.pictures)


@pytest.mark.parametrize("page", CONTENT.pages, ids=lambda page: page.url)
def test_every_page_has_a_template_and_text_before_and_after_its_first_picture(page):
    assert page.template in site.SIZES
    places = [i for i, part in enumerate(page.body) if part.startswith(PICTURE_MARK)]
    assert 0 < places[0] < len(page.body) - 1


def test_every_picture_stands_on_some_page():
    used = {name for page in CONTENT.pages for name in _names(page)}
    unused = set(CONTENT.pictures) - used
    # Some serve the caption source only; a page of its own would be thin.
    assert unused <= {"print"}


def test_pages_have_different_addresses():
    urls = [page.url for page in CONTENT.pages]
    assert len(urls) == len(set(urls))
    assert len({re.match(r"http://([^/]+)/", url)[1] for url in urls}) == 4


@pytest.mark.parametrize("name", sorted(CONTENT.pictures))
def test_boxes_lie_inside_the_photograph(name):
    box = CONTENT.pictures[name].box
    if box:
        left, top, right, bottom = box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
