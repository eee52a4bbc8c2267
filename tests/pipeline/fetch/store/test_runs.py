import numpy as np
import pyarrow as pa
import pytest

from openm3w.pipeline.fetch.store.ledger import cut
from openm3w.pipeline.fetch.store.runs import Part, bounds_of, named, run_json, run_of

TOP = (1 << 64) - 1


@pytest.mark.parametrize("bits", [0, 1, 2, 8])
def test_ranges_of_keys_meet_without_a_gap_from_the_least_to_the_greatest(bits):
    bounds = [bounds_of(index, bits) for index in range(1 << bits)]

    assert bounds[0][0] == 0
    assert bounds[-1][1] == TOP
    assert [high + 1 for _, high in bounds[:-1]] == [low for low, _ in bounds[1:]]


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [
        (0, TOP, [0, 4, 5, 5, 7, TOP]),
        (4, 7, [4, 5, 5, 7]),
        (5, 5, [5, 5]),
        (8, TOP - 1, []),
        (8, TOP, [TOP]),
        (0, 0, [0]),
        (1, 3, []),
    ],
)
def test_both_ends_of_a_range_are_in_it(low, high, kept):
    table = pa.table({"key": pa.array(np.array([0, 4, 5, 5, 7, TOP], np.uint64))})

    assert cut(table, low, high).column("key").to_pylist() == kept


def test_a_run_is_read_as_it_was_written_and_damage_of_it_is_found():
    run = named("0a", [Part(name="p", rows=3, num_bytes=9), Part()], ["x", "y"])
    data = run_json(run)

    assert run_of(run.name, data) == run
    assert (run.bits, run.rows) == (1, 3)
    for broken in (data[:-1], data.replace(b"3", b"4"), b"", b"{}"):
        with pytest.raises(ValueError, match="not those"):
            run_of(run.name, broken)
