import os

import pytest

from openm3w.shards.view.keyboard import Keys


@pytest.fixture
def typed():
    """`typed(chunks)`: all keys of a terminal that sends these bytes and then ends."""
    opened = []

    def keys(*chunks):
        reader, writer = os.pipe()
        opened.append(reader)
        source = Keys(reader)
        got = []
        for chunk in chunks:
            os.write(writer, chunk)
            got.append(source.next())
        os.close(writer)
        while True:
            try:
                got.append(source.next())
            except EOFError:
                return got

    yield keys
    for descriptor in opened:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"n"], ["n"]),
        ([b"nnq"], ["n", "n", "q"]),
        ([b"\x1b[C\x1b[6~\x1bOAx"], ["\x1b[C", "\x1b[6~", "\x1bOA", "x"]),
        ([b"\x1b"], ["\x1b"]),
        ([b"\xc3\xa9\xe6\x97\xa5"], ["é", "日"]),
        ([b"\r"], ["\r"]),
        ([b"n\x04q"], ["n"]),
    ],
)
def test_keys_are_cut_at_their_ends(typed, chunks, expected):
    assert typed(*chunks)[: len(expected)] == expected


def test_a_character_in_two_pieces_is_one_key():
    reader, writer = os.pipe()
    os.write(writer, b"\xc3")
    source = Keys(reader)
    os.write(writer, b"\xa9")
    os.close(writer)
    assert source.next() == "é"
    with pytest.raises(EOFError):
        source.next()
    os.close(reader)
