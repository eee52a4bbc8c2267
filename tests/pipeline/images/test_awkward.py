"""Awkward images: each decodes to the right pixels or is refused for the right reason.

Pixels are compared with what the file was made of, or with a computation by the definition, never
with another decoder. No file is a copy of anybody's; `conftest.py` makes them.
"""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from openm3w.pipeline.images import pixels
from openm3w.pipeline.images.decode import (
    REASONS,
    Encoding,
    UnusableImageError,
    encode,
    open_picture,
)

ENCODING = Encoding()
needs_simplejpeg = pytest.mark.skipif(
    pixels.simplejpeg is None, reason="Pillow fills a JPEG's missing end up with grey"
)

REFUSED = {
    "1 a JPEG that is cut off": (lambda m: jpeg(m)[:-300], "undecodable"),
    "2 a page that is called a JPEG": (lambda _: b"<!doctype html><p>gone", "unknown_format"),
    "3 nothing": (lambda _: b"", "empty"),
    "4 SVG": (lambda _: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown_format"),
    "5 EPS": (lambda _: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unknown_format"),
    "6 HEIC": (lambda _: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "unknown_format"),
    "7 a PNG of 900 Mpx": (lambda m: m.png_bomb(30_000), "too_many_pixels"),
    "8 a WebP of 144 Mpx": (lambda m: m.webp(12_000, 12_000, (9, 9, 9)), "too_many_pixels"),
    "9 a TIFF of 625 Mpx": (lambda m: m.tiff(25_000), "unknown_format"),
    "10 a JPEG that claims 65,500 x 65,500": (
        lambda m: m.announcing(jpeg(m), 65_500, 65_500),
        "too_many_pixels",
    ),
    "11 a PNG with 300 MB of text": (
        lambda m: m.plain_png(before=[text(m, b"zTXt", b"a\0\0")]),
        "undecodable",
    ),
    "11b the same behind its pixels": (
        lambda m: m.plain_png(after=[text(m, b"zTXt", b"a\0\0")]),
        "undecodable",
    ),
    "11c the same in Unicode": (
        lambda m: m.plain_png(before=[text(m, b"iTXt", b"a\0\1\0\0\0")]),
        "undecodable",
    ),
    "12 a PNG with 300 MB of colour profile": (
        lambda m: m.plain_png(before=[text(m, b"iCCP", b"a\0\0")]),
        "undecodable",
    ),
    "25 a GIF with 1 MB of comment": (
        lambda m: m.after_gif_header(m.gif_frames(1), comment(4096)),
        "too_complex",
    ),
    "26 a JPEG of 3,000 segments": (
        lambda m: jpeg(m)[:2] + b"\xff\xfe\0\2" * 3000 + jpeg(m)[2:],
        "too_complex",
    ),
    "27 a progressive JPEG of 110 scans": (lambda m: scans(m, 100), "too_complex"),
    "28 a PNG of 60,000 chunks": (
        lambda m: m.plain_png(before=[m.chunk(b"prVt")] * 60_000),
        "too_complex",
    ),
    "29 a GIF whose frame is larger than it": (
        lambda m: m.gif_frames(1).replace(b"\x2c\0\0\0\0\1\0\1\0", b"\x2c\0\0\0\0\xff\xff\xff\xff"),
        "too_many_pixels",
    ),
    "30 a BMP that claims 3,600 Mpx": (lambda m: bmp(m, 60_000), "too_many_pixels"),
}
"""Number and name -> how it is made, and the reason."""


def jpeg(m, **options):
    return m.saved(Image.fromarray(m.quarters()), "JPEG", quality=95, **options)


def text(m, kind, head):
    return m.chunk(kind, head + m.deflated_zeros(300_000_000))


def comment(blocks):
    return b"!\xfe" + (b"\xff" + b"x" * 255) * blocks + b"\0"


def scans(m, more):
    """A progressive JPEG whose last scan is repeated."""
    data = jpeg(m, progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * more + data[-2:]


def bmp(m, side):
    data = m.saved(m.solid("red"), "BMP")
    return data[:18] + side.to_bytes(4, "little") * 2 + data[26:]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_decoded_is_refused_for_its_reason(make, name):
    build, reason = REFUSED[name]
    assert reason in REASONS

    with pytest.raises(UnusableImageError, match=f"^{reason}$"):
        open_picture(build(make), ENCODING)


CHILD = """
import io, sys
from PIL import Image
from openm3w.pipeline.images.decode import Encoding, UnusableImageError, encode

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

buffer = io.BytesIO()
Image.new("RGB", (900, 900), "red").save(buffer, "JPEG")
encode(buffer.getvalue(), Encoding())
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    before = peak()
    try:
        encode(data, Encoding())
        reason = ""
    except UnusableImageError as error:
        reason = str(error)
    print(reason, peak() - before)
"""
BOMBS = [name for name in REFUSED if name.split()[0] not in ("1", "2", "3", "4", "5", "6")]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_bomb_takes_memory(make, tmp_path):
    """Decoded, the smallest of them would take 144 MB; 32 MiB is what any small image may."""
    paths = []
    for at, name in enumerate(BOMBS):
        paths.append(tmp_path / str(at))
        paths[-1].write_bytes(REFUSED[name][0](make))

    said = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, paths)], capture_output=True, check=True, text=True
    ).stdout.splitlines()

    found = {name: line.split() for name, line in zip(BOMBS, said, strict=True)}
    assert {name: reason for name, (reason, _) in found.items()} == {
        name: REFUSED[name][1] for name in BOMBS
    }
    assert {name: grown for name, (_, grown) in found.items() if int(grown) > 32 << 10} == {}


P3_COLOURS = [(200, 100, 50), (120, 160, 90), (30, 60, 200), (0, 255, 0)]


def on_white(colour, alpha):
    """The definition of "over": what shows of it, and the rest white."""
    return tuple(round((value * alpha + 255 * (255 - alpha)) / 255) for value in colour)


def of_cmyk(cyan, magenta, yellow, black):
    """Ink on white paper, which is what there is to go by without a profile."""
    return tuple(round((255 - ink) * (255 - black) / 255) for ink in (cyan, magenta, yellow))


SIDES = (64, 48)
DECODED = {
    "13 a GIF of one pixel": (lambda m: m.gif_frames(1), (1, 1), 1, (10, 20, 30), 0),
    "14 a GIF of 300 frames": (lambda m: m.gif_frames(300), (1, 1), 300, (10, 20, 30), 0),
    "15 AVIF": (lambda m: m.saved(m.solid((200, 30, 40)), "AVIF"), SIDES, 1, (200, 30, 40), 4),
    "15b an animated AVIF": (lambda m: animated(m, "AVIF"), SIDES, 3, (200, 30, 40), 4),
    "16 an animated GIF": (lambda m: animated(m, "GIF"), SIDES, 3, (200, 30, 40), 0),
    "17 an animated WebP": (
        lambda m: animated(m, "WEBP", lossless=True), SIDES, 3, (200, 30, 40), 0,
    ),
    "17b an animated PNG": (lambda m: animated(m, "PNG"), SIDES, 3, (200, 30, 40), 0),
    "17c WebP": (lambda m: m.webp(*SIDES, (200, 30, 40)), SIDES, 1, (200, 30, 40), 0),
    "18 CMYK, inverted as Adobe does": (
        lambda m: m.saved(m.solid((40, 160, 90, 30), "CMYK"), "JPEG", quality=100),
        SIDES, 1, of_cmyk(40, 160, 90, 30), 3,
    ),
    "19 grey and alpha": (
        lambda m: m.png(64, 48, [bytes((100, 128)) * 64] * 48, colour=4),
        SIDES, 1, on_white((100, 100, 100), 128), 1,
    ),
    "19b nothing to be seen": (
        lambda m: m.saved(m.solid((0, 0, 0, 0), "RGBA"), "PNG"), SIDES, 1, (255, 255, 255), 0,
    ),
    "20 a palette with alpha": (
        lambda m: m.png(
            64, 48, [bytes(64)] * 48, colour=3,
            before=[m.chunk(b"PLTE", bytes((90, 90, 90))), m.chunk(b"tRNS", b"\x40")],
        ),
        SIDES, 1, on_white((90, 90, 90), 64), 1,
    ),
    "20b one colour that is transparent": (
        lambda m: m.plain_png(before=[m.chunk(b"tRNS", bytes((0, 200, 0, 30, 0, 40)))]),
        SIDES, 1, (255, 255, 255), 0,
    ),
    "20c one grey of 16 bits that is transparent": (
        lambda m: m.png(
            64, 48, [b"\x12\x34" * 64] * 48, colour=0, depth=16,
            before=[m.chunk(b"tRNS", b"\x12\x34")],
        ),
        SIDES, 1, (255, 255, 255), 0,
    ),
    "21 1 x 20,000": (
        lambda m: m.png(1, 20_000, [bytes((9, 8, 7))] * 20_000), (1, 20_000), 1, (9, 8, 7), 0,
    ),
    **{
        f"22 {colour} of a wide gamut": (
            lambda m, colour=colour: m.saved(
                m.solid(colour), "PNG", icc_profile=m.profile(m.P3)
            ),
            SIDES, 1, lambda m, colour=colour: m.shown(colour, m.P3), 1,
        )
        for colour in P3_COLOURS
    },
    "22b the same with alpha": (
        lambda m: m.saved(m.solid((200, 100, 50, 128), "RGBA"), "PNG", icc_profile=m.profile(m.P3)),
        SIDES, 1, lambda m: on_white(m.shown((200, 100, 50), m.P3), 128), 1,
    ),
    "22c the same as a JPEG": (
        lambda m: m.saved(
            m.solid((200, 100, 50)), "JPEG", quality=100, icc_profile=m.profile(m.P3)
        ),
        SIDES, 1, lambda m: m.shown((200, 100, 50), m.P3), 3,
    ),
    "22d the same with a palette": (
        lambda m: m.png(
            64, 48, [bytes(64)] * 48, colour=3,
            before=[
                m.chunk(b"iCCP", b"a\0\0" + m.zlib.compress(m.profile(m.P3))),
                m.chunk(b"PLTE", bytes((200, 100, 50))),
            ],
        ),
        SIDES, 1, lambda m: m.shown((200, 100, 50), m.P3), 1,
    ),
}  # fmt: skip
"""Number and name -> how it is made, its size, frames, a colour of its first frame, tolerance."""


def animated(m, form, **options):
    frames = [m.solid((200, 30, 40)), m.solid("blue"), m.solid("green")]
    return m.saved(frames[0], form, save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize("name", DECODED)
def test_what_can_be_decoded_has_the_right_pixels(make, name):
    build, size, frames, colour, tolerance = DECODED[name]
    expected = colour(make) if callable(colour) else colour

    opened = open_picture(build(make), ENCODING)

    pixels = np.asarray(opened.picture.convert("RGB")).astype(int)
    assert (opened.width, opened.height, opened.num_frames) == (*size, frames)
    assert opened.picture.size == size
    assert np.abs(pixels - expected).max() <= tolerance
    assert encode(build(make), ENCODING).original_frames == frames


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_23_all_eight_ways_to_hold_a_camera(make, form, orientation):
    options = {"lossless": True} if form == "WEBP" else {"quality": 95, "subsampling": 0}
    data = make.saved(
        Image.fromarray(make.quarters()),
        form,
        exif=make.exif(orientation),
        **(options if form != "PNG" else {}),
    )

    opened = open_picture(data, ENCODING)

    expected = make.UPRIGHT[orientation](make.quarters()).astype(int)
    found = np.asarray(opened.picture.convert("RGB")).astype(int)
    assert found.shape == expected.shape == (opened.height, opened.width, 3)
    middles = np.ix_(*((side // 4, 3 * side // 4) for side in expected.shape[:2]))
    assert np.abs(found[middles] - expected[middles]).max() <= (3 if form == "JPEG" else 0)


def test_24_sixteen_bits_of_grey_are_divided_by_257(make):
    values = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
    data = make.png(64, 48, [row.astype(">u2").tobytes() for row in values], colour=0, depth=16)

    found = np.asarray(open_picture(data, ENCODING).picture).astype(int)

    expected = np.rint(values / 257).astype(int)
    assert (found == expected[..., None]).all()
    assert (expected.min(), expected.max()) == (0, 255)


@needs_simplejpeg
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_whose_end_is_marked_too_early_is_refused(make, mode):
    data = make.saved(Image.fromarray(make.quarters()).convert(mode), "JPEG", quality=95)
    for broken in (
        data[:-200] + b"\xff\xd9",
        make.announcing(data, 640, 480),
        make.announcing(data, 9000, 9000),
    ):
        with pytest.raises(UnusableImageError, match=r"^undecodable$"):
            open_picture(broken, ENCODING)


def test_bytes_between_and_behind_segments_are_no_damage(make):
    data = jpeg(make)
    plain = encode(data, ENCODING)

    for odd in (data + b"behind", data[:-2] + b"stray" + data[-2:]):
        assert encode(odd, ENCODING).data == plain.data


@pytest.mark.parametrize("side", [128, 512])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_both_decoders_of_jpegs_give_the_same_bytes(make, image_bytes, side, options, monkeypatch):
    pytest.importorskip("simplejpeg")
    encoding = Encoding(side=side)
    files = [
        image_bytes(1201, 803, "JPEG", **options),
        image_bytes(333, 251, "JPEG", **options),
        make.saved(Image.open(io.BytesIO(image_bytes(600, 400))).convert("L"), "JPEG"),
    ]
    fast = [encode(data, encoding) for data in files]
    monkeypatch.setattr(pixels, "simplejpeg", None)
    assert [encode(data, encoding) for data in files] == fast
