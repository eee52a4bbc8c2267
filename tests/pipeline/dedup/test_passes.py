import random

import apache_beam as beam
import numpy as np
import pytest

from openm3w.errors import RecipeError
from openm3w.filters.dedup.minhash import MinHash
from openm3w.pipeline.dedup.near import NearDuplicates, packed
from openm3w.pipeline.dedup.passes import Entry, Mark, MarkDuplicates, Place
from openm3w.pipeline.dedup.settings import Near

pytestmark = pytest.mark.beam
MINHASH = MinHash()
WAYS = [
    Near(),
    Near(verify=0.7),
    Near(rounds=3),
    Near(verify=0.8, rounds=3),
    Near(minhash=MinHash(bands=28, rows=4)),  # the same signatures, cut otherwise
]


@pytest.mark.parametrize("near", WAYS, ids=str)
def test_marks_are_what_the_passes_mean(collect, entries, by_hand, near):
    pages = entries(250)
    expected = by_hand(pages, near)
    assert {mark.reason for mark in expected} == {
        "duplicate_url", "duplicate_text", "near_duplicate"}  # fmt: skip

    assert collect(MarkDuplicates(near), pages) == expected


def test_marks_depend_neither_on_the_runner_nor_on_the_order(collect, entries, by_hand):
    near = Near(verify=0.7, rounds=3)
    pages = entries(150, seed=1)
    expected = by_hand(pages, near)

    random.Random(0).shuffle(pages)
    assert collect(MarkDuplicates(near), pages, "local-mp") == expected


def test_of_what_is_alike_one_stays(collect, entries):
    pages = entries(300, seed=2)
    alike = [page._replace(url_key="http://a/", text_key="t") for page in pages[:50]]
    alike += [page._replace(text_key="t") for page in pages[50:100]]
    gone = {mark.name for mark in collect(MarkDuplicates(Near()), alike)}

    assert len(alike) - len(gone) == 1


def test_of_one_record_in_two_archives_the_first_stays(collect):
    copies = [Place("d" * 32, unit, row).name for unit, row in (("b", 1), ("a", 10), ("a", 9))]
    pages = [Entry(name, f"http://{at}/", f"{at}", "", b"") for at, name in enumerate(copies)]
    old = Entry("d" * 32, "", "", "", b"")  # of an earlier crawl, which comes before all

    marks = collect(MarkDuplicates(None), pages)
    assert marks == sorted(Mark(name, "duplicate_record", copies[2]) for name in copies[:2])
    against = collect(MarkDuplicates(None), [*pages, old])
    assert against == sorted(Mark(name, "duplicate_record", old.name) for name in copies)


def test_a_name_says_where_a_document_is():
    for place in (Place("d1", "unit", 0), Place("d1", "unit", 10**8), Place("d1")):
        assert Place.of(place.name) == place
    names = [Place("d1").name, *(Place("d1", "u", row).name for row in (2, 10)), "d2"]
    assert names == sorted(names)


def test_without_near_the_exact_passes_stand_alone(collect, entries):
    reasons = {mark.reason for mark in collect(MarkDuplicates(None), entries(200))}

    assert reasons == {"duplicate_url", "duplicate_text"}


def test_what_an_entry_lacks_makes_it_no_duplicate(collect):
    pages = [Entry(name, "", "", "", b"") for name in "abc"]

    assert collect(MarkDuplicates(Near()), pages) == []


@pytest.mark.parametrize(
    ("minhash", "pairs"), [(MinHash(), 1000), (MinHash(bands=112, rows=1), 300)], ids=str
)
def test_verified_marks_no_pair_below_a_half_and_keeps_those_alike(collect, minhash, pairs):
    rng = np.random.default_rng(11)
    signatures, alike = [], set()
    for number in range(pairs):
        shared = 95 if number % 20 == 0 else int(rng.integers(30, 50))  # of 100
        parts = rng.integers(0, 1 << 32, (100,), np.uint32)
        half = (100 - shared) // 2
        names = f"{number:04d}a", f"{number:04d}b"
        for name, mine in zip(names, (parts[shared : shared + half], parts[shared + half :]),
                              strict=True):  # fmt: skip
            numbers = np.concatenate((parts[:shared], mine))
            signatures.append((name, packed(minhash.of_shingles(numbers))))
        if shared == 95:
            alike.add(names[::-1])

    marked = set(collect(NearDuplicates(Near(minhash=minhash, verify=0.7)), signatures))

    assert marked == alike
    if minhash.rows == 1:  # almost every pair was a candidate
        assert len(collect(NearDuplicates(Near(minhash=minhash)), signatures)) > 295


def test_a_page_that_is_there_8_000_times_is_verified_against_the_first(collect):
    signature = packed(MINHASH.signature("the same words on every page of the site"))
    pages = [(f"{number:05d}", signature) for number in range(8_000)]

    found = collect(NearDuplicates(Near(minhash=MinHash(bands=2, rows=56), verify=0.7)), pages)

    assert found == [(f"{number:05d}", "00000") for number in range(1, 8_000)]


@pytest.mark.parametrize(
    ("field", "wrong", "right"), [("verify", (-0.1, 1.1), (0, 1)), ("rounds", (-1,), (0, 1))]
)
def test_bounds_of_the_settings(field, wrong, right):
    for value in right:
        Near(**{field: value})
    for value in wrong:
        with pytest.raises(RecipeError, match=rf"dedup\.{field}: is {value}"):
            Near(**{field: value})


def test_the_filter_of_candidates_lets_all_of_them_through_and_few_others(collect):
    from openm3w.pipeline.dedup.bloom import MakeBloom, is_perhaps_in

    inside = [f"{number}" for number in range(5000)]
    (bloom,) = collect(MakeBloom(), inside)
    assert all(is_perhaps_in(bloom, name) for name in inside)
    assert sum(is_perhaps_in(bloom, f"other {number}") for number in range(5000)) <= 1

    (nothing,) = collect(beam.Filter(lambda _: False) | MakeBloom(), inside)
    assert not is_perhaps_in(nothing, "0")
