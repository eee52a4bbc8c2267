"""Arrow arrays of Python's values and numpy's, and back, without pandas.

`pyarrow.array` imports pandas wherever it is installed, to see whether it was given a piece of it,
and so does `to_numpy`: a fifth of a second in each process, for what no store needs.
"""

import array
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

_NUMBERS = {pa.int64(): "q", pa.uint64(): "Q", pa.float64(): "d"}
"""Type -> code of the standard library's array, which refuses what does not fit."""


def array_of(values: Sequence[Any], kind: Any) -> Any:
    """The same as `pyarrow.array(values, kind)` of numbers of 64 bits, strings, and lists of these.

    Raises:
        TypeError: a value is of another type, or None.
        OverflowError: a number does not fit, or strings and lists have 2^31 bytes or parts.
        UnicodeEncodeError: a string has lone surrogates.
    """
    if kind in _NUMBERS:
        return _made(kind, values, pa.py_buffer(array.array(_NUMBERS[kind], values)))
    if pa.types.is_list(kind):
        parts = array_of(list(itertools.chain.from_iterable(values)), kind.value_type)
        return _made(kind, values, _offsets(values), children=[parts])
    if not pa.types.is_string(kind):
        raise TypeError(f"no array of {kind} is made here")
    text = "".join(values)
    # Of ASCII, as nearly all is, a character is a byte; the others are encoded one by one.
    encoded = values if text.isascii() else list(map(str.encode, values))
    return _made(kind, values, _offsets(encoded), pa.py_buffer(text.encode()))


def mask_of(chosen: Any) -> Any:
    """The same as `pyarrow.array(chosen)` of `bool[N]`."""
    bits = np.packbits(chosen, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(chosen), [None, pa.py_buffer(bits)])


def numbers_of(column: Any) -> Any:
    """The same as `column.to_numpy()` of a column of uint64, without nulls; not to be written."""
    chunks = [np.from_dlpack(chunk) for chunk in column.chunks]
    return chunks[0] if len(chunks) == 1 else np.concatenate([np.empty(0, np.uint64), *chunks])


def _made(kind: Any, values: Sequence[Any], *buffers: Any, **options: Any) -> Any:
    return pa.Array.from_buffers(kind, len(values), [None, *buffers], **options)


def _offsets(values: Sequence[Any]) -> Any:
    """Where each begins and the last one ends, in 32 bits."""
    return pa.py_buffer(array.array("i", itertools.accumulate(map(len, values), initial=0)))
