"""How much of a text its repeated sequences of words make up, in characters.

Counting sequences of many lengths is by far the dearest of all text rules, and nearly no text
repeats itself. So a bound that is quick to find comes first: no length of sequence can take more
than that, and where it is inside what a rule allows, nothing is counted.
"""

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import compress, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# numpy is imported where it is used: commands without it import the filters too.

MULTIPLIER = 0x9E3779B97F4A7C15


def top_characters(words: Sequence[str], n: int) -> int:
    """Characters of the commonest sequence of `n` words, times how often it occurs.

    The words are joined with spaces. Of equally common ones the first counts.
    """
    grams = Counter(zip(*(islice(words, start, None) for start in range(n)), strict=False))
    if not grams:
        return 0
    gram, times = grams.most_common(1)[0]
    return (sum(map(len, gram)) + n - 1) * times


def most_top_characters(counts: Counter[str]) -> Callable[[int], int]:
    """For each `n`, a number that `top_characters` cannot exceed for words with these `counts`.

    A sequence that occurs c times has each of its words c times at least, so no place in it takes
    more than the word that takes most room in all the text. Occurrences may overlap: one word may
    stand at several places.
    """
    room = max(map(operator.mul, map(len, counts), counts.values()), default=0)
    times = max(counts.values(), default=0)
    return lambda n: n * room + (n - 1) * times


def repeated_characters(words: Sequence[str], n: int) -> int:
    """Characters in sequences of `n` words that stood before; none is counted in two of them."""
    seen: set[tuple[str, ...]] = set()
    at, characters, last = 0, 0, len(words) - n
    while at <= last:
        gram = tuple(words[at : at + n])
        if gram in seen:
            characters += sum(map(len, gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return characters


def most_repeated_characters(words: Sequence[str], n: int) -> int:
    """A number that `repeated_characters` cannot exceed, for `n` words or more.

    It is the characters of all words that stand in a sequence of n which stood before, wherever
    it begins. Where m > n words stood before, so did each n of them: a longer sequence covers no
    other words. Equal hashes are taken for equal words, which can only raise the number.
    """
    import numpy as np

    if len(words) <= n:
        return 0
    mixed = _mixed(np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64), n)
    # The place stands in the low bits, so that one sort brings equal sequences together in order.
    bits = mixed.size.bit_length()
    placed = np.sort(mixed >> bits << bits | np.arange(mixed.size, dtype=np.uint64))
    equal = placed[1:] >> bits == placed[:-1] >> bits
    again = (placed[1:][equal] & ((1 << bits) - 1)).astype(np.intp)
    if not again.size:
        return 0
    covered = np.zeros(len(words), np.bool_)
    for start in range(n):
        covered[again + start] = True
    return sum(map(len, compress(words, covered.tolist())))


def character_sequences(text: str, n: int) -> tuple[int, list[int]]:
    """Number of different sequences of `n` characters, and how often each repeated one stands.

    Those that stand once are not listed; the others are, in no order. Sequences are told apart by
    a hash of 64 bits.
    """
    import numpy as np

    if len(text) < n:
        return 0, []
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    mixed = np.sort(_mixed(points.astype(np.uint64), n))
    starts = np.flatnonzero(mixed[1:] != mixed[:-1]) + 1
    times = np.diff(starts, prepend=0, append=mixed.size)
    again: list[int] = times[times > 1].tolist()
    return times.size, again


def _mixed(numbers: "NDArray[np.uint64]", n: int) -> "NDArray[np.uint64]":
    """A hash of each `n` numbers that follow each other: n of them as digits, modulo 2^64."""
    import numpy as np

    # By the binary digits of n, from the first on: what is found for k gives 2k, or 2k + 1.
    mixed, length, factor = numbers, 1, MULTIPLIER
    for digit in f"{n:b}"[1:]:
        mixed = mixed[:-length] * np.uint64(factor) + mixed[length:]
        length, factor = 2 * length, factor * factor % 2**64
        if digit == "1":
            mixed = mixed[:-1] * np.uint64(MULTIPLIER) + numbers[length:]
            length, factor = length + 1, factor * MULTIPLIER % 2**64
    return mixed
