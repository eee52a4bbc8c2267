import pytest

from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.images import MAX_URLS, choose, make_units


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (MAX_URLS, [MAX_URLS]), (MAX_URLS + 1, [MAX_URLS, 1])]
)
def test_a_unit_holds_at_most_so_many_urls_in_the_order_of_the_archive(count, sizes):
    found = [Found(f"http://a/{i}", "u", 1_000_000 - i) for i in range(count)]

    units = list(make_units("u", found))

    assert [len(unit.urls) for unit in units] == sizes
    offsets = [f.offset for unit in units for f in unit.urls]
    assert offsets == sorted(offsets)
    assert len({unit.name for unit in units}) == len(units)


def test_units_do_not_depend_on_the_order_of_arrival():
    found = [Found(f"http://a/{i}", "u", i % 7) for i in range(20)]

    assert list(make_units("u", found)) == list(make_units("u", found[::-1]))


def test_urls_that_no_archive_holds_are_of_no_archive():
    (unit,) = make_units("missing3", [Found("http://a/", reason="not_in_archive")])

    assert unit.archive == ""


def row(outcome, reason="", width=100):
    return {"outcome": outcome, "reason": reason, "original_width": width}


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([(0, row("kept"))], row("kept")),
        ([(1, row("kept", "second")), (0, row("kept", "first"))], row("kept", "first")),
        ([(0, row("kept", width=320)), (1, row("kept", width=640))], row("kept", width=320)),
        ([(0, row("dropped", "not_in_archive")), (1, row("kept"))], row("kept")),
        (
            [
                (0, row("dropped", "not_in_archive")),
                (1, row("kept", width=320)),
                (2, row("kept", width=640)),
                (3, row("kept", "the same size later", width=640)),
            ],
            row("kept", width=640),
        ),
        (
            [(1, row("dropped", "too_small")), (0, row("failed", "undecodable"))],
            row("failed", "undecodable"),
        ),
    ],
)
def test_the_preferred_candidate_serves_an_image_or_else_the_largest_kept(candidates, chosen):
    assert choose(candidates) == chosen
