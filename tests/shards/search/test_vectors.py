import itertools

import numpy as np
import pytest

from openm3w.errors import ShardError
from openm3w.shards.search.vectors import FIRST, Vectors, descending


@pytest.fixture
def saved(tmp_path):
    """`saved(array, ...)`: the arrays as files with their numbers of rows."""

    def save(*arrays):
        files = []
        for number, array in enumerate(arrays):
            np.save(tmp_path / f"{number}.npy", array)
            files.append((tmp_path / f"{number}.npy", len(array)))
        return files

    return save


def unit(rng, *shape):
    found = rng.standard_normal(shape).astype(np.float32)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("dim", [1, 24, 256])
def test_scores_are_dot_products_over_all_files(saved, dtype, dim):
    rng = np.random.default_rng(0)
    # The widest file has more rows than are widened at a time.
    arrays = [unit(rng, rows, dim).astype(dtype) for rows in (3, 2 + (1 << 18) // max(dim, 64), 1)]
    query = unit(rng, dim)
    vectors = Vectors(saved(*arrays), dim)
    expected = np.concatenate(arrays).astype(np.float64) @ query.astype(np.float64)
    assert len(vectors) == len(expected)
    np.testing.assert_allclose(vectors.scores(query), expected, atol=2e-6)
    rows = np.array([0, 2, 3, len(expected) - 1])
    np.testing.assert_allclose(vectors.scores_of(rows, query), expected[rows], atol=2e-6)


def test_every_finite_number_of_two_bytes_is_widened_as_numpy_does(saved):
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)][:, None]
    # Divided by a power of two, so that the largest stay those of float32 times the scale.
    found = Vectors(saved(halves), 1).scores(np.array([2.0**-16], np.float32))
    np.testing.assert_array_equal(found, halves[:, 0].astype(np.float32) * np.float32(2.0**-16))


@pytest.mark.parametrize("asked", [1, FIRST, FIRST + 1, 1000])
def test_the_best_come_first_and_equal_ones_in_their_order(asked):
    scores = np.random.default_rng(1).integers(0, 90, 1000).astype(np.float32)
    expected = sorted(range(1000), key=lambda row: (-scores[row], row))
    assert [row for row, _ in itertools.islice(descending(scores), asked)] == expected[:asked]


def test_of_nothing_nothing_comes():
    assert list(descending(np.empty(0, np.float32))) == []


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 4), np.float16), r"expected \[3, 4\]"),
        (np.zeros((3, 5), np.float16), r"expected \[3, 4\]"),
        (np.zeros((3, 4), np.int16), "int16"),
    ],
)
def test_other_embeddings_than_expected_are_damage(saved, array, said):
    ((path, _),) = saved(array)
    with pytest.raises(ShardError, match=said):
        Vectors([(path, 3)], 4)


def test_a_cut_and_a_missing_file_are_damage(saved):
    ((path, _),) = saved(np.zeros((3, 4), np.float16))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ShardError, match="not readable"):
        Vectors([(path, 3)], 4)
    path.unlink()
    with pytest.raises(ShardError, match="index again"):
        Vectors([(path, 3)], 4)
