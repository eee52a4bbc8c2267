"""Builders of images that are hard to decode, byte by byte where encoders would refuse."""

import functools
import io
import itertools
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

SIZE = (64, 48)


def saved(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(name, content=b""):
    return (
        struct.pack(">I", len(content)) + name + content
        + struct.pack(">I", zlib.crc32(name + content))
    )  # fmt: skip


def png(width, height, rows, *, depth=8, colour=2, before=(), after=()):
    """A PNG of raw rows without filter bytes; `before` and `after` are chunks round the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    parts = [chunk(b"IHDR", header), *before, chunk(b"IDAT", pixels), *after, chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def plain_png(**options):
    width, height = SIZE
    return png(width, height, [bytes((200, 30, 40)) * width] * height, **options)


@functools.cache
def deflated_zeros(size):
    """A zlib stream of so many zeros, made without holding them."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [packer.compress(block[: min(1 << 20, size - at)]) for at in range(0, size, 1 << 20)]
    return b"".join([*parts, packer.flush()])


def png_bomb(side):
    """A whole PNG of one bit a pixel, all black."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = deflated_zeros(side * ((side + 7) // 8 + 1))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def webp(width, height, colour):
    """A whole lossless WebP of one colour: five codes of one symbol, so no bit for any pixel."""
    red, green, blue = colour
    bits = [(width - 1, 14), (height - 1, 14), (0, 1 + 3), (0, 3)]
    for symbol in (green, red, blue, 255, 0):
        bits += [(1, 1), (0, 1), (1, 1), (symbol, 8)]
    value = 0
    for at, (number, count) in zip(
        itertools.accumulate((count for _, count in bits), initial=0), bits, strict=False
    ):
        value |= number << at
        assert number < 1 << count
    stream = b"\x2f" + value.to_bytes(16, "little")
    stream += b"\0" * (len(stream) & 1)
    body = b"WEBPVP8L" + struct.pack("<I", len(stream)) + stream
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(side):
    """A TIFF header of black and white without compression, and none of its pixels."""
    tags = [(256, side), (257, side), (258, 1), (259, 1), (262, 1), (273, 8), (278, side)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def announcing(jpeg, width, height):
    """The JPEG with another size in its header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def gif_frames(count):
    """A GIF whose frames are pixels of other colours; the first is (10, 20, 30)."""
    palette = bytes((10, 20, 30, 200, 30, 40)) + bytes((0, 0, 0)) * 2
    pixel = struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02"
    first, other = pixel + b"\x44\x01\0", pixel + b"\x4c\x01\0"  # the colours 0 and 1
    frames = b"".join(b"\x2c" + (other if at else first) for at in range(count))
    return b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x81\0\0" + palette + frames + b"\x3b"


def after_gif_header(gif, block):
    at = 13 + (3 << (gif[10] & 7) + 1)
    return gif[:at] + block + gif[at:]


def exif(orientation, secret=b""):
    """EXIF of an orientation and, where there is a secret, of a place."""
    entries = [struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)]
    if secret:
        entries.append(struct.pack(">HHII", 0x8825, 4, 1, 38))
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
    place = struct.pack(">HHHII", 1, 0x1B, 7, len(secret), 56) + bytes(4) + secret
    return b"Exif\0\0MM\0*\0\0\0\x08" + directory + (place if secret else b"")


def quarters():
    """Four colours, and no two of the eight ways to hold it look the same."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:] = (200, 40, 40), (40, 160, 60)
    pixels[24:, :32], pixels[24:, 32:] = (50, 60, 200), (220, 220, 90)
    return pixels


UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p[::-1].transpose(1, 0, 2),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p[:, ::-1].transpose(1, 0, 2),
}
"""Orientation of EXIF 2.3, table 6 -> how stored rows and columns are shown."""

P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
"""XYZ of the primaries, adapted to D50, of the published Display P3 and sRGB profiles."""
_GAMMA = 0x0233  # of 256: 2.19921875, Adobe's


def profile(primaries):
    """An ICC profile (version 2, matrix and gamma)."""

    def fixed(values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    xyz = [b"XYZ \0\0\0\0" + fixed(one) for one in primaries]
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, _GAMMA)
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    offset, table, body = 128 + 4 + 12 * len(names), b"", b""
    for name, content in zip(names, [*xyz, curve, curve, curve], strict=True):
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(">I4xI", offset + len(body), 0x02100000) + b"mntrRGB XYZ "
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + fixed((0.9642, 1.0, 0.8249))
    return header.ljust(128, b"\0") + struct.pack(">I", len(names)) + table + body


def shown(colour, primaries):
    """The sRGB values of a colour under `profile(primaries)`: by the definitions, clipped."""
    linear = (np.array(colour) / 255) ** (_GAMMA / 256)
    values = np.linalg.solve(np.array(SRGB).T, np.array(primaries).T @ linear).clip(0, 1)
    curved = np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)
    return tuple(round(value * 255) for value in curved)


def solid(colour, mode="RGB"):
    return Image.new(mode, SIZE, colour)


@pytest.fixture(scope="session")
def make():
    """The builders of this file."""
    return sys.modules[__name__]
