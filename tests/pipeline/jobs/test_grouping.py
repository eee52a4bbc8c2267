from collections import Counter

import pytest

from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.grouping import MAX_IMAGES, WEB, make_units, make_web_units


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
