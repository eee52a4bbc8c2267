import sys

import numpy as np
import pyarrow as pa
import pytest

from openm3w.pipeline.fetch.store.arrays import array_of, mask_of, numbers_of


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int64(), [0, -(2**63), 2**63 - 1]),
        (pa.uint64(), [0, 2**64 - 1]),
        (pa.float64(), [0.5, float("inf"), -0.0, 3]),
        (pa.string(), ["", "plain", "", "two words"]),
        (pa.string(), ["", "ä", "漢字", "\U0001f600", "a\0b", "plain"]),
        (pa.list_(pa.string()), [(), ("a", ""), ["ä"], (), ("\U0001f600", "b", "c")]),
        (pa.list_(pa.int64()), [[1, 2], [], [3]]),
    ],
)
@pytest.mark.parametrize("take", [0, 1, sys.maxsize])
def test_arrays_are_those_of_pyarrow(kind, values, take):
    some = values[:take]
    made = array_of(some, kind)
    made.validate(full=True)
    assert made.equals(pa.array(some, kind))
    assert made.to_pylist() == [list(v) if isinstance(v, tuple) else v for v in some]


@pytest.mark.parametrize(
    ("kind", "values", "error"),
    [
        (pa.int64(), [2**63], OverflowError),
        (pa.int64(), [1.5], TypeError),
        (pa.int64(), ["1"], TypeError),
        (pa.uint64(), [-1], OverflowError),
        (pa.uint64(), [2**64], OverflowError),
        (pa.float64(), ["0.5"], TypeError),
        (pa.string(), [b"bytes"], TypeError),
        (pa.string(), [1], TypeError),
        (pa.string(), ["\ud800"], UnicodeEncodeError),
        (pa.list_(pa.string()), [("a",), None], TypeError),
        (pa.list_(pa.string()), [("a", None)], TypeError),
        (pa.bool_(), [True], TypeError),
        *((kind, [None], TypeError) for kind in (pa.int64(), pa.float64(), pa.string())),
    ],
)
def test_what_is_not_of_the_type_is_refused(kind, values, error):
    with pytest.raises(error):
        array_of(values, kind)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100])
def test_masks_are_those_of_pyarrow(length):
    chosen = np.random.default_rng(length).random(length) < 0.5
    made = mask_of(chosen)
    made.validate(full=True)
    assert made.equals(pa.array(chosen))


@pytest.mark.parametrize("parts", [[], [[]], [[1, 2**64 - 1]], [[], [3]], [[1], [], [2, 3]]])
def test_numbers_are_those_of_pyarrow(parts):
    column = pa.chunked_array(parts, pa.uint64())
    for some in (column, column[1:]):
        numbers = numbers_of(some)
        assert numbers.dtype == np.uint64
        assert numbers.tolist() == some.to_numpy().tolist()
