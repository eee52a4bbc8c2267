"""The cells that pictures are measured by, against Pillow's BOX filter to the last grey."""

import io
import itertools
import tarfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from openm3w.pipeline.images import measures, pixels
from openm3w.pipeline.images.headers import read_header
from openm3w.pipeline.images.measures import measure

SIDE = 32
LONGEST = 32_768
SIDES = st.integers(SIDE, 700)


@pytest.fixture(scope="module")
def cells_of():
    if measures.cells is None:
        pytest.skip("not built")
    return measures.cells.cells_of


def drawn(height, width, channels, seed=0):
    """Noise of all values, of the two ends alone, or white, where sums are largest."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return [values, np.where(values > 127, 255, 0).astype(np.uint8), values | 255][seed % 3]


def picture(array):
    mode = "L" if array.shape[2] == 1 else "RGBX"
    return Image.frombuffer(mode, array.shape[1::-1], array, "raw", mode, 0, 1)


def pillow(array):
    grey = picture(array).convert("L")
    return grey.resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()


@settings(max_examples=150, deadline=None)
@given(height=SIDES, width=SIDES, channels=st.sampled_from([1, 4]), seed=st.integers(0, 1000))
def test_any_size_has_pillows_values(cells_of, height, width, channels, seed):
    array = drawn(height, width, channels, seed)

    assert cells_of(array) == pillow(array)


def test_every_width_and_height_has_pillows_values(cells_of):
    for side in range(SIDE, 520):
        wide, tall = drawn(33, side, 1, side), drawn(side, 33, 1, side)
        assert cells_of(wide) == pillow(wide), side
        assert cells_of(tall) == pillow(tall), side


def test_all_colours_have_pillows_luma(cells_of):
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, steps[:1]), axis=-1).reshape(-1, 4)
    for at in range(0, len(cube) - SIDE, 4 * SIDE):
        array = np.repeat(cube[at : at + SIDE][None], SIDE, axis=0)
        assert cells_of(np.ascontiguousarray(array)) == pillow(array)


@pytest.mark.parametrize("size", [(SIDE, LONGEST), (LONGEST, 328), (3200, SIDE), (4096, 4096)])
def test_the_largest_have_pillows_values(cells_of, size):
    for seed in (0, 2):
        array = drawn(*size, 1, seed)
        assert cells_of(array) == pillow(array)


@pytest.mark.parametrize(
    "size", [(SIDE - 1, 50), (50, SIDE - 1), (SIDE, LONGEST + 1), (LONGEST + 1, 328), (3201, SIDE)]
)
@pytest.mark.parametrize("channels", [1, 4])
def test_what_pillow_does_otherwise_is_left_to_it(cells_of, size, channels):
    array = drawn(*size, channels)
    seen = picture(array)

    assert cells_of(array) is None
    assert measure(seen, pixels=array, texture=False) == measure(seen, texture=False)


@pytest.mark.parametrize(
    "array",
    [
        drawn(40, 40, 3),
        drawn(40, 40, 1)[:, :, 0],
        drawn(40, 40, 1).astype(np.int8),
        drawn(40, 40, 1).astype(np.uint16),
        drawn(40, 80, 1)[:, ::2],
        b"bytes",
    ],
)
def test_other_arrays_are_refused(cells_of, array):
    with pytest.raises(ValueError, match=r"expected uint8|not C-contiguous"):
        cells_of(array)


def test_other_objects_are_refused(cells_of):
    with pytest.raises(BufferError, match="not C-contiguous"):
        cells_of(memoryview(drawn(40, 80, 1)[:, ::2]))
    for wrong in (None, 1, "text"):
        with pytest.raises(TypeError):
            cells_of(wrong)


@pytest.mark.parametrize("size", [(0, 50), (50, 0), (0, 0)])
def test_no_pixels_are_left_to_pillow(cells_of, size):
    assert cells_of(drawn(*size, 1)) is None


def test_threads_do_not_meet(cells_of):
    arrays = [drawn(90 + seed, 300, 4, seed) for seed in range(8)] * 8

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(cells_of, arrays)) == [pillow(array) for array in arrays]


def test_measures_are_the_same_without_it(monkeypatch):
    arrays = [drawn(*shape, seed) for seed in range(3) for shape in ((60, 90, 1), (300, 280, 4))]
    ours = [measure(picture(a), texture=a.shape[2] == 1, pixels=a) for a in arrays]
    monkeypatch.setattr(measures, "cells", None)

    assert ours == [measure(picture(a), texture=a.shape[2] == 1, pixels=a) for a in arrays]
    assert ours == [measure(picture(a), texture=a.shape[2] == 1) for a in arrays]


@pytest.mark.real
@pytest.mark.skipif(pixels.simplejpeg is None, reason="no pixels are at hand")
def test_photographs_have_pillows_values(cells_of, realdata):
    with tarfile.open(realdata / "flickr8k/train.tar") as tar:
        files = [member for member in itertools.islice(tar, 300) if member.name.endswith(".jpg")]
        photographs = [tar.extractfile(member).read() for member in files[:100]]
    assert photographs
    for data in photographs:
        header = read_header(data)
        for found in (
            pixels.plain_luma(data, header.width, header.height),
            pixels.plain(data, header.width, header.height, 512),
        ):
            assert cells_of(found[1]) == pillow(found[1])
        grey = Image.open(io.BytesIO(data))
        grey.draft("L", None)
        assert cells_of(np.asarray(grey)[:, :, None]) == pillow(np.asarray(grey)[:, :, None])
