"""Our reduction by area against OpenCV's own, to the last byte."""

import io
import itertools
import platform
import shlex
import shutil
import sysconfig
import tarfile
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.conftest import photograph

from openm3w.pipeline.captions import scaling
from openm3w.pipeline.captions.resize import Resizing
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.images.decode import Opened

LONGEST_SIDE = 65_535
SIDES = st.integers(1, 300)


@pytest.fixture(scope="module")
def area():
    if scaling.area is None:
        pytest.skip("not built")
    if scaling.kernel() is None:
        assert platform.machine().lower() not in ("x86_64", "amd64"), "it is not OpenCV's"
        pytest.skip("OpenCV's floats are other ones here, and OpenCV is asked")
    return scaling.area


def test_it_is_built_where_there_is_a_compiler():
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    assert scaling.area is not None, "OpenCV does it in three times the time; run make setup"


def drawn(height, width, seed=0):
    """Noise of all values, or of the two ends alone, where sums are largest."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    return np.where(pixels > 127, 255, 0).astype(np.uint8) if seed % 3 == 2 else pixels


def opencv(pixels, width, height):
    bgr = np.ascontiguousarray(pixels[:, :, 2::-1])
    return cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)


def assert_equal(area, pixels, width, height):
    reduced = np.full((height, width, 3), 7, np.uint8)
    assert area.reduce_to_bgr(pixels, reduced) is True
    assert np.array_equal(reduced, opencv(pixels, width, height)), (pixels.shape, reduced.shape)


def is_left(source, target):
    """Whether OpenCV sums whole numbers; its scales are rounded, 49 by way of 1/49 to no whole."""
    scales = [1 / (after / before) for before, after in zip(source, target, strict=True)]
    return all(abs(scale - round(scale)) < 2**-52 for scale in scales)


@settings(max_examples=200, deadline=None)
@given(source=st.tuples(SIDES, SIDES), parts=st.tuples(*[st.floats(0, 1)] * 2), seed=st.integers(0))
def test_any_size_has_opencvs_bytes(area, source, parts, seed):
    height, width = (max(1, round(side * part)) for side, part in zip(source, parts, strict=True))
    pixels = drawn(*source, seed)

    if is_left(source, (height, width)):
        reduced = np.full((height, width, 3), 7, np.uint8)
        assert area.reduce_to_bgr(pixels, reduced) is False
        assert (reduced == 7).all()
    else:
        assert_equal(area, pixels, width, height)


@pytest.mark.parametrize("source", [2, 3, 50, 98, 99, 128])
def test_scales_of_all_kinds_have_opencvs_bytes(area, source):
    pixels = drawn(source + 1, source, source)
    for target in range(1, source):
        assert_equal(area, pixels, target, source)
        if not is_left((source,), (target,)):
            assert_equal(area, pixels[:source], target, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((513, 511), (256, 256)),
        ((512, 511), (256, 256)),  # one scale is whole
        ((511, 513), (256, 255)),
        ((257, 257), (256, 256)),
        ((256, 257), (256, 256)),  # one side stays
        ((1, 257), (1, 256)),
        ((257, 1), (256, 1)),
        ((3, 1000), (2, 999)),
        ((LONGEST_SIDE, 2), (LONGEST_SIDE - 1, 1)),
        ((2, LONGEST_SIDE), (1, LONGEST_SIDE - 1)),
        ((1, LONGEST_SIDE), (1, 256)),
        ((1500, 2001), (192, 256)),
    ],
)
def test_bounds_have_opencvs_bytes(area, source, target):
    assert_equal(area, drawn(*source, 2), target[1], target[0])
    assert_equal(area, drawn(*source), target[1], target[0])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((512, 512), (256, 256)),
        ((512, 300), (256, 100)),
        ((100, 100), (100, 100)),
        ((100, 100), (50, 101)),
        ((100, 100), (101, 50)),
        ((LONGEST_SIDE + 1, 1), (300, 1)),
        ((1, LONGEST_SIDE + 1), (1, 300)),
    ],
)
def test_what_opencv_does_otherwise_is_left_to_it(area, source, target):
    pixels, reduced = drawn(*source), np.full((*target, 3), 7, np.uint8)

    assert area.reduce_to_bgr(pixels, reduced) is False
    assert (reduced == 7).all()
    wanted = opencv(pixels, target[1], target[0])
    assert np.array_equal(scaling.scaled(pixels, target[::-1], is_smaller=True), wanted)


def test_the_picture_is_not_changed_and_its_fourth_value_says_nothing(area):
    pixels, reduced = drawn(40, 50), [np.empty((30, 35, 3), np.uint8) for _ in range(2)]
    before = pixels.copy()
    pixels.flags.writeable = False
    area.reduce_to_bgr(pixels, reduced[0])
    assert np.array_equal(pixels, before)

    before[:, :, 3] = 0
    area.reduce_to_bgr(before, reduced[1])
    assert np.array_equal(*reduced)


GOOD = np.zeros((20, 30, 4), np.uint8)
ROOM = np.zeros((10, 20, 3), np.uint8)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (GOOD[:, :, :3].copy(), ROOM),
        (GOOD, np.zeros((10, 20, 4), np.uint8)),
        (GOOD[0], ROOM),
        (GOOD, ROOM[0]),
        (GOOD[None], ROOM),
        (GOOD.astype(np.int8), ROOM),
        (GOOD.astype(np.float32), ROOM),
        (GOOD, ROOM.astype(np.uint16)),
        (GOOD.astype(bool), ROOM),
        (GOOD[:, ::2], ROOM),
        (GOOD[::-1], ROOM),
        (GOOD, ROOM[:, ::2]),
        (np.asfortranarray(GOOD), ROOM),
        (GOOD[:0], ROOM),
        (GOOD[:, :0], ROOM),
        (GOOD, ROOM[:0]),
        (GOOD, ROOM[:, :0]),
        (bytes(2400), ROOM),
        (GOOD, bytearray(600)),
    ],
)
def test_other_arrays_are_refused(area, source, target):
    with pytest.raises(ValueError, match=r"expected uint8|not C-contiguous"):
        area.reduce_to_bgr(source, target)


def test_what_cannot_be_written_is_refused(area):
    fixed = ROOM.copy()
    fixed.flags.writeable = False

    with pytest.raises(ValueError, match="read-only"):
        area.reduce_to_bgr(GOOD, fixed)
    for wrong in ((), (GOOD,), (GOOD, ROOM, ROOM), (GOOD, None), (None, ROOM)):
        with pytest.raises(TypeError):
            area.reduce_to_bgr(*wrong)


def test_threads_do_not_meet(area):
    pixels = [drawn(90 + seed, 120, seed) for seed in range(8)] * 8

    def done(one):
        reduced = np.empty((47, 61, 3), np.uint8)
        area.reduce_to_bgr(one, reduced)
        return reduced

    with ThreadPoolExecutor(4) as pool:
        for one, reduced in zip(pixels, pool.map(done, pixels), strict=True):
            assert np.array_equal(reduced, opencv(one, 61, 47))


def saved(picture, form):
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


MODES = ("border", "keep_ratio", "keep_ratio_largest", "center_crop")


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(125, 94), (94, 125), (128, 64), (70, 2)])
@pytest.mark.usefixtures("area")
def test_without_ours_opencv_stores_the_same_bytes(monkeypatch, size, form):
    data = saved(photograph(*size, seed=4), form)
    settings = [Resizing(images=Images(), resize=Resize(mode=mode, side=64)) for mode in MODES]
    ours = [resizing(data) for resizing in settings]
    asked = []
    monkeypatch.setattr(scaling, "kernel", lambda: asked.append(1))

    assert [resizing(data) for resizing in settings] == ours
    assert asked


def test_a_kernel_with_other_bytes_is_not_taken(area, monkeypatch):
    class OneOff:
        @staticmethod
        def reduce_to_bgr(source, target):
            done = area.reduce_to_bgr(source, target)
            target[-1, -1, -1] ^= 1
            return done

    assert scaling.kernel.__wrapped__() is area
    monkeypatch.setattr(scaling, "area", OneOff)
    assert scaling.kernel.__wrapped__() is None
    monkeypatch.setattr(scaling, "area", None)
    assert scaling.kernel.__wrapped__() is None


def test_a_picture_without_an_array_is_packed_whole_in_any_bands(monkeypatch):
    picture = photograph(37, 23)
    opened = Opened(picture=picture, width=37, height=23, format="png", num_frames=1)
    for band in (1, 37, 38, 37 * 22, 37 * 23, 10_000):
        monkeypatch.setattr(scaling, "_BAND", band)
        assert np.array_equal(scaling.rgbx(opened)[:, :, :3], np.asarray(picture)), band


@pytest.mark.real
def test_photographs_have_opencvs_bytes(area, realdata):
    with tarfile.open(realdata / "flickr8k/train.tar") as tar:
        files = [member for member in itertools.islice(tar, 200) if member.name.endswith(".jpg")]
        pictures = [Image.open(tar.extractfile(member)).convert("RGBX") for member in files[:50]]
    assert pictures
    for picture, side in itertools.product(pictures, (63, 100, 137, 199)):
        scale = side / max(picture.size)
        height, width = round(picture.height * scale), round(picture.width * scale)
        if not is_left(picture.size, (width, height)):
            assert_equal(area, np.asarray(picture), width, height)
