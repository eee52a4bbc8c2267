from collections import Counter

import pytest

from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.grouping import (
    MAX_IMAGES,
    NOT_HELD,
    WEB,
    is_for_web,
    make_units,
    make_web_units,
    not_asked,
)


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (MAX_IMAGES, [MAX_IMAGES]), (MAX_IMAGES + 1, [MAX_IMAGES, 1])]
)
def test_a_unit_holds_at_most_so_many_images_in_the_order_of_the_archive(count, sizes):
    found = [Found(f"http://a/{i}", "u", 1_000_000 - i) for i in range(count)]

    units = list(make_units("u", found))

    assert [len(unit.found) for unit in units] == sizes
    offsets = [f.offset for unit in units for f in unit.found]
    assert offsets == sorted(offsets)
    assert len({unit.name for unit in units}) == len(units)


def test_units_do_not_depend_on_the_order_of_arrival():
    found = [Found(f"http://a/{i}", "u", i % 7) for i in range(20)]

    assert list(make_units("u", found)) == list(make_units("u", found[::-1]))


def test_images_that_no_archive_holds_are_of_no_archive():
    (unit,) = make_units("missing3", [Found("http://a/", reason="not_in_archive")])

    assert unit.archive == ""


@pytest.mark.parametrize("reason", sorted(NOT_HELD))
@pytest.mark.parametrize(
    ("origin", "why_not"),
    [
        ("http://a/", ""),
        ("HTTPS://[bad/", ""),  # the fetcher says what is wrong with it
        ("ftp://a/", "bad_scheme"),
        ("data:image/png;base64,", "bad_scheme"),
        ("a.jpg", "bad_url"),
        ("", "bad_url"),
    ],
)
def test_the_web_is_asked_for_what_begins_as_a_url_of_its_own(reason, origin, why_not):
    found = Found(origin, reason=reason)

    assert is_for_web(found, str) is not bool(why_not)
    assert not_asked(found, str) == Found(origin, reason=why_not or reason)


@pytest.mark.parametrize("found", [Found("a.jpg", "u", 5), Found("a.jpg", reason="ambiguous_name")])
def test_what_a_file_has_stays_as_it_was_found(found):
    assert not is_for_web(found, str)
    assert not_asked(found, str) == found


def test_units_mix_domains_and_keep_each_in_its_place():
    found = [Found(f"http://a{at % 50}.example/{at}") for at in range(600)]
    found += [Found(f"http://large.example/{at}") for at in range(600)]
    units = list(make_web_units("web0000", found))
    assert [len(unit.found) for unit in units] == [MAX_IMAGES, MAX_IMAGES, 200]
    assert {unit.archive for unit in units} == {WEB}
    assert sorted(f.origin for unit in units for f in unit.found) == sorted(f.origin for f in found)
    # Half of all are of the large domain, in every unit, and each small one is in every unit too.
    for unit in units:
        domains = Counter(f.origin.split("/")[2] for f in unit.found)
        assert abs(domains.pop("large.example") - len(unit.found) / 2) <= 50
        assert len(domains) == 50
    assert make_web_units("web0000", found[::-1]).__next__() == units[0]
