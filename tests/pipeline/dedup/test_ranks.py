import random

import pytest

from openm3w.pipeline.dedup.ranks import Ranks, _Least

pytestmark = pytest.mark.beam


def test_places_are_those_of_each_key_in_order_up_to_the_most(collect):
    draw = random.Random(3)
    values = {"hot": 3_000, "five": 5, "four": 4, "one": 1}
    keyed = [(key, f"{key}{at:05d}") for key, size in values.items() for at in range(size)]
    draw.shuffle(keyed)

    found = collect(Ranks(5), keyed)

    assert found == sorted((f"{key}{at:05d}", at) for key, size in values.items()
                           for at in range(min(size, 5)))  # fmt: skip


def test_no_more_than_twice_the_most_are_held_however_they_come():
    least, draw = _Least(4), random.Random(1)
    values = draw.sample(range(1000), 100)
    held = [least.create_accumulator() for _ in range(3)]
    for at, value in enumerate(values):
        held[at % 3] = least.add_input(held[at % 3], value)
        assert len(held[at % 3]) < 8

    merged = least.merge_accumulators([*held, least.create_accumulator()])
    assert len(merged) < 8
    assert least.extract_output(least.compact(merged)) == sorted(values)[:4]
