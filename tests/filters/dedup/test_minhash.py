import numpy as np
import pytest

from openm3w.errors import RecipeError
from openm3w.filters.dedup.minhash import (
    MinHash,
    candidate_probability,
    estimated_jaccard,
    verified_probability,
)

PAIRS = {0.5: 5_000, 0.7: 20_000, 0.8: 8_000, 0.9: 2_000}
"""So that a point is 2.8 standard errors of the share that is found, or more: they are 0.0032,
0.0035, 0.0030 and 0.0004."""


def pair(rng, shared, alone):
    """Two sets with just this many shared elements, and `alone` that are in one of them."""
    numbers = rng.permutation(np.unique(rng.integers(0, 1 << 32, 2 * (shared + alone), np.uint32)))
    rest = numbers[shared : shared + alone]
    return (np.concatenate((numbers[:shared], part)) for part in np.array_split(rest, 2))


def shares_a_band(minhash, one, other):
    return not set(minhash.band_keys(one)).isdisjoint(minhash.band_keys(other))


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.8, 0.9])
def test_planted_pairs_are_found_as_often_as_the_curve_says(similarity):
    rng, minhash = np.random.default_rng(7), MinHash()
    shared = round(100 * similarity)
    found, verified, estimates = 0, 0, []
    for _ in range(PAIRS[similarity]):
        one, other = (minhash.of_shingles(part) for part in pair(rng, shared, 100 - shared))
        candidates = shares_a_band(minhash, one, other)
        estimates.append(estimated_jaccard(one, other))
        found += candidates
        verified += candidates and estimates[-1] >= 0.7

    assert found / PAIRS[similarity] == pytest.approx(candidate_probability(similarity), abs=0.01)
    expected = verified_probability(similarity, 0.7)
    assert verified / PAIRS[similarity] == pytest.approx(expected, abs=0.01)
    assert np.mean(estimates) == pytest.approx(similarity, abs=0.003)
    # As of 112 independent draws: the permutations do not lean on each other.
    expected = np.sqrt(similarity * (1 - similarity) / 112)
    assert np.std(estimates) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("bands", "rows"), [(20, 13), (9, 13), (1, 1), (16, 1), (2, 4)])
def test_any_bands_and_rows_follow_their_own_curve(bands, rows):
    rng, minhash = np.random.default_rng(3), MinHash(bands=bands, rows=rows)
    pairs = 1500
    found = 0
    for _ in range(pairs):
        one, other = (minhash.of_shingles(part) for part in pair(rng, 80, 20))
        assert one.shape == (bands * rows,)
        found += shares_a_band(minhash, one, other)

    assert found / pairs == pytest.approx(candidate_probability(0.8, bands, rows), abs=0.045)


@pytest.mark.parametrize(
    ("similarity", "expected"),  # by hand: 1 - (1 - s^8)^14
    [(0.0, 0.0), (0.5, 0.05332), (0.7, 0.56450), (0.75, 0.77163), (0.8, 0.92355), (1.0, 1.0)],
)
def test_the_curve(similarity, expected):
    assert candidate_probability(similarity) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("similarity", [0.0, 0.3, 0.8, 1.0])
def test_the_curve_of_verified_pairs(similarity):
    s = similarity
    # One band: it agrees as a whole, and so do all values.
    assert verified_probability(s, 0.9, bands=1, rows=2) == pytest.approx(s**2)
    # Bands of one value: half of the values are enough, or both must be equal.
    assert verified_probability(s, 0.5, bands=2, rows=1) == pytest.approx(1 - (1 - s) ** 2)
    assert verified_probability(s, 0.51, bands=2, rows=1) == pytest.approx(s**2)
    # Two bands of two values, of which one agrees and three values are equal, or all are.
    expected = s**4 + 4 * s**3 * (1 - s)
    assert verified_probability(s, 0.75, bands=2, rows=2) == pytest.approx(expected)
    assert verified_probability(s, 0.0) == pytest.approx(candidate_probability(s))


def test_a_signature_does_not_depend_on_order_repetition_or_blocks():
    minhash, rng = MinHash(), np.random.default_rng(0)
    numbers = rng.integers(0, 1 << 32, 5000, dtype=np.uint32)
    signature = minhash.of_shingles(numbers)

    assert signature.dtype == np.uint32
    assert (minhash.of_shingles(rng.permutation(np.tile(numbers, 3))) == signature).all()
    parts = [minhash.of_shingles(part) for part in np.array_split(numbers, 11)]
    assert (np.minimum.reduce(parts) == signature).all()


def test_each_value_is_the_least_under_its_permutation():
    minhash = MinHash(bands=2, rows=3, seed=5)
    zero, one = (minhash.of_shingles(np.array([x], np.uint32)).tolist() for x in (0, 1))
    # x -> a x + b modulo 2^32, with b from x = 0 and a from x = 1.
    numbers = [3, 1 << 31, 0xFFFFFFFF, 12345]
    expected = [min(((b - a) * x + a) % (1 << 32) for x in numbers)
                for a, b in zip(zero, one, strict=True)]  # fmt: skip

    assert minhash.of_shingles(np.array(numbers, np.uint32)).tolist() == expected
    assert all((b - a) % 2 for a, b in zip(zero, one, strict=True)), "a factor is even"


def test_another_seed_draws_other_permutations():
    numbers = np.arange(100, dtype=np.uint32)

    assert not (MinHash().of_shingles(numbers) == MinHash(seed=2).of_shingles(numbers)).any()


def test_a_text_is_signed_by_its_shingles_and_none_without_a_word():
    minhash = MinHash(words=2)

    assert minhash.signature(" ... ") is None
    assert (minhash.signature("a b c") == minhash.signature("A, b; c!")).all()
    with pytest.raises(ValueError, match="at least one shingle"):
        minhash.of_shingles(np.empty(0, np.uint32))


def test_band_keys_tell_bands_apart_and_depend_on_every_row():
    minhash = MinHash(bands=3, rows=2)
    equal = minhash.band_keys(np.array([1, 2] * 3, np.uint32))
    assert len(set(equal)) == 3
    assert all(len(key) == 8 for key in equal)

    changed = minhash.band_keys(np.array([1, 2, 1, 3, 2, 2], np.uint32))
    assert [one == other for one, other in zip(equal, changed, strict=True)] == [True, False, False]
    assert minhash.band_keys(np.array([2, 1] * 3, np.uint32))[0] != equal[0]


def test_signatures_and_keys_never_change():
    # Saved states hold signatures.
    signature = MinHash().signature("The quick brown fox jumps over the lazy dog")

    assert signature[:4].tolist() == [107147694, 6851216, 1335497279, 240506176]
    assert MinHash().band_keys(signature)[0].hex() == "001e2750cdb35f5b"


@pytest.mark.parametrize("name", ["bands", "rows", "words"])
def test_bounds_of_the_settings(name):
    MinHash(**{name: 1})
    with pytest.raises(RecipeError, match=f"minhash.{name}: is 0; use 1 or more"):
        MinHash(**{name: 0})


def test_a_negative_seed_is_refused():
    with pytest.raises(RecipeError, match=r"minhash\.seed"):
        MinHash(seed=-1)


def test_signatures_have_a_largest_size():
    assert MinHash(bands=20, rows=450).values == 9000
    with pytest.raises(RecipeError, match="10001 values"):
        MinHash(bands=1, rows=10_001)
