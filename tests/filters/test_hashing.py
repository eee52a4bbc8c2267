from openm3w.filters.hashing import unit_interval


def test_numbers_are_even_in_the_unit_interval():
    draws = [unit_interval(0, "x", f"{i:032x}") for i in range(4000)]
    assert all(0 <= draw < 1 for draw in draws)
    assert 0.47 < sum(draws) / len(draws) < 0.53
    assert 0.47 < sum(draw < 0.5 for draw in draws) / len(draws) < 0.53


def test_seed_and_purpose_change_the_draw():
    one = unit_interval(0, "x", "a")
    assert one == unit_interval(0, "x", "a")
    assert len({one, unit_interval(1, "x", "a"), unit_interval(0, "y", "a")}) == 3
