"""Plain JPEGs, whose header Pillow does not read once more, are what Pillow would make of them."""

import io
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import photograph

from openm3w.pipeline.images import opening, pixels
from openm3w.pipeline.images.headers import read_header
from openm3w.pipeline.images.opening import Encoding, UnusableImageError, open_picture

SIDE = 64
ENCODING = Encoding(side=SIDE)

pytestmark = pytest.mark.skipif(pixels.simplejpeg is None, reason="Pillow reads all files")


def jpeg(width=90, height=70, mode="RGB", **options):
    buffer = io.BytesIO()
    photograph(width, height, seed=width).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def seen(data, *, keeps):
    """All that is known of a picture after opening it, or why it cannot be used."""
    try:
        opened = open_picture(data, ENCODING, (lambda *size: size[0] > 1) if keeps else None)
    except UnusableImageError as error:
        return str(error)
    said = opened.width, opened.height, opened.format, opened.num_frames, opened.kept
    array = None if opened.pixels is None else opened.pixels[:, :, :3].tobytes()
    picture = opened.picture
    colours = picture if picture.mode == "L" else picture.convert("RGB")
    return said, array, picture.mode, picture.size, picture.info, colours.tobytes()


@pytest.fixture
def both(monkeypatch):
    """`both(data, keeps=)`: what is seen the short way and Pillow's."""

    def look(data, *, keeps):
        found = seen(data, keeps=keeps)
        with monkeypatch.context() as patch:
            patch.setattr(opening, "_opened_plain", lambda *_: None)
            return found, seen(data, keeps=keeps)

    return look


EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"


@pytest.mark.parametrize(
    ("options", "is_plain"),
    [
        ({}, True),
        ({"progressive": True}, True),
        ({"comment": b"of a maker"}, True),
        ({"restart_marker_blocks": 4}, True),
        ({"dpi": (72, 72)}, True),
        ({"exif": EXIF}, False),
        ({"icc_profile": b"profile"}, False),
        ({"mode": "L"}, False),
        ({"mode": "CMYK"}, False),
    ],
)
@pytest.mark.parametrize("keeps", [True, False])
def test_kinds_of_jpeg_are_seen_alike(both, options, is_plain, keeps):
    data = jpeg(**options)
    short, pillows = both(data, keeps=keeps)

    assert short == pillows
    assert not isinstance(short, str)
    assert read_header(data).is_plain is is_plain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\0\x10JFIF\0", b"\0\x10JFXX\0"),
        (b"\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", b"\0\x0fJFIF\0\1\1\0\0\1\0\1\0"),
        (b"\xff\xdb\0\x43", b"\xff\xee\0\x04ab\xff\xdb\0\x43"),
    ],
)
def test_what_pillow_may_read_otherwise_is_not_plain(both, old, new):
    data = jpeg()
    assert old in data
    data = data.replace(old, new, 1)

    assert not read_header(data).is_plain
    short, pillows = both(data, keeps=True)
    assert short == pillows


@pytest.mark.parametrize("size", [(255, 400), (256, 256), (400, 255), (1, 70), (3000, 20)])
def test_sizes_are_seen_alike(both, size):
    for keeps in (True, False):
        short, pillows = both(jpeg(*size), keeps=keeps)
        assert short == pillows
        assert not isinstance(short, str)


def test_a_large_one_is_reduced_as_it_is_decoded():
    opened = open_picture(jpeg(4 * SIDE, 4 * SIDE), ENCODING)
    assert (opened.picture.size, opened.width) == ((2 * SIDE, 2 * SIDE), 4 * SIDE)
    opened = open_picture(jpeg(4 * SIDE, 4 * SIDE - 1), ENCODING)
    assert opened.picture.size == (4 * SIDE, 4 * SIDE - 1)


SHORT = """
import resource, sys
from openm3w.pipeline.images.opening import Encoding, UnusableImageError, open_picture
data, keeps = bytes.fromhex(sys.argv[1]), (lambda *_: True) if sys.argv[2] == "True" else None
for few in (False, True):
    if few:
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (48 << 20), -1))
    try:
        open_picture(data, Encoding(side=4096), keeps)
    except UnusableImageError as error:
        print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures by Linux's /proc")
@pytest.mark.parametrize("keeps", [True, False])
def test_one_that_memory_does_not_hold_ends_no_process(keeps):
    data = jpeg().replace(b"\0\x46\0\x5a\3", b"\x20\0\x20\0\3")  # 8192 x 8192
    done = subprocess.run(
        [sys.executable, "-c", SHORT, data.hex(), str(keeps)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "undecodable\n" * 2


def test_damaged_ones_are_refused_alike(both):
    rng = random.Random(5)
    whole = [jpeg(40, 30, comment=b"c"), jpeg(30, 40, progressive=True)]
    refused = 0
    for _ in range(400):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.choice([1, 1, 3])):
            value = rng.choice([0, 1, 0xC0, 0xD9, 0xDA, 0xE0, 0xE1, 0xFE, 0xFF, rng.randrange(256)])
            data[rng.randrange(2, min(len(data), 660))] = value
        short, pillows = both(bytes(data), keeps=rng.random() < 0.5)
        assert short == pillows, bytes(data).hex()
        refused += isinstance(short, str)
    assert 40 < refused < 360
