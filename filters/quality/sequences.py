"""Sequences of words counted out for many lengths at once.

Where a sequence of n words stands twice, so do the n - 1 that it begins with. So lengths are gone
through from short to long, and each looks only at places where the one before stood twice: few in
nearly all texts. Places are found by hashes, and what is found is compared word by word.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from openm3w.filters.quality import repetition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# numpy is imported where it is used: commands without it import the filters too.


class _Groups(NamedTuple):
    """Places of sequences with equal hashes, of two or more each."""

    places: "NDArray[np.uint64]"
    """One group after the other, ascending in each."""
    sizes: "NDArray[np.int64]"


def count_characters(
    words: Sequence[str], tops: Sequence[int], repeats: Sequence[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """`top_characters` for each length of `tops`, `repeated_characters` for each of `repeats`."""
    # Where none stands twice, the first is the commonest.
    top = {n: _characters(words[:n]) if len(words) >= n else 0 for n in tops}
    again = dict.fromkeys(repeats, 0)
    for n, groups in _twice(words, max(*tops, *repeats)):
        if n in top:
            top[n] = _top_characters(words, n, groups)
        if n in again:
            again[n] = _repeated_characters(words, n, groups)
    return top, again


def _top_characters(words: Sequence[str], n: int, groups: _Groups) -> int:
    times = int(groups.sizes.max())
    starts = groups.sizes.cumsum()[groups.sizes == times] - times
    start = starts[groups.places[starts].argmin()]
    places = groups.places[start : start + times].tolist()
    gram = words[places[0] : places[0] + n]
    if any(words[at : at + n] != gram for at in places):  # equal hashes of different words
        return repetition.top_characters(words, n)
    return _characters(gram) * times


def _repeated_characters(words: Sequence[str], n: int, groups: _Groups) -> int:
    """As `repetition.repeated_characters`, past all sequences that stand once."""
    seen: set[tuple[str, ...]] = set()
    end = characters = 0
    for at in sorted(groups.places.tolist()):
        if at < end:
            continue
        gram = tuple(words[at : at + n])
        if gram in seen:
            characters += sum(map(len, gram))
            end = at + n
        else:
            seen.add(gram)
    return characters


def _characters(gram: Sequence[str]) -> int:
    return sum(map(len, gram)) + len(gram) - 1


def _twice(words: Sequence[str], longest: int) -> Iterator[tuple[int, _Groups]]:
    """Each length from 2 to `longest` for which places have equal hashes, and those places."""
    import numpy as np

    hashes = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    mixed, places = hashes, np.arange(len(words), dtype=np.uint64)
    for n in range(2, min(longest, len(words)) + 1):
        mixed = mixed[:-1] * np.uint64(repetition.MULTIPLIER) + hashes[n - 1 :]
        groups = _grouped(mixed, places[places < mixed.size])
        if not groups.sizes.size:
            return
        yield n, groups
        places = groups.places


def _grouped(mixed: "NDArray[np.uint64]", places: "NDArray[np.uint64]") -> _Groups:
    import numpy as np

    # The place stands in the low bits, so that one sort brings equal sequences together in order.
    bits = mixed.size.bit_length()
    placed = np.sort(mixed[places] >> bits << bits | places)
    inner = np.flatnonzero(placed[1:] >> bits != placed[:-1] >> bits) + 1
    ends = np.concatenate((inner, [placed.size]))
    sizes = ends - np.concatenate(([0], inner))
    in_group = np.repeat(sizes > 1, sizes)
    return _Groups(placed[in_group] & ((1 << bits) - 1), sizes[sizes > 1])
