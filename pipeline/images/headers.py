"""What the first bytes of an image say, read before any decoder sees them.

A decoder trusts a file about its size and works through all of its parts. Here the size is read
and the parts are counted, in bounded time, so that neither takes a worker's memory or minutes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MAX_SEGMENTS = 2000
"""Of a JPEG's header. Ours: a colour profile or depth map in pieces of 64 kB takes some hundred;
Pillow spends 2 us on each, 10 s on the 5 million that 20 MB can hold."""
MAX_SCANS = 100
"""Of a JPEG. Ours: encoders write some ten; libjpeg-turbo's fuzzers stop at 500."""
MAX_SCANNED = 1_000_000_000
"""Pixels of a JPEG in all of its scans. Ours: ten scans of the largest picture that is decoded.
Each costs a pass over all pixels (16 Mpx: 35 ms) and need not be longer than 30 bytes."""
MAX_CHUNKS = 50_000
"""Of a PNG. Ours: 20 MB in pieces of 4 kB are 5,000; Pillow spends 7 us on each."""
MAX_BLOCKS = 1_000_000
"""Of a GIF. Ours: 20 MB in pieces of 255 bytes are 80,000; a million is walked in a second."""
MAX_COMMENT = 1 << 18
"""Bytes of a GIF's comments before its first frame. Ours: Pillow takes time by their square (1 MB:
0.13 s, 4 MB: 2.1 s)."""


class Segment(NamedTuple):
    """A marker segment of a JPEG, from its 0xFF to `end`; its content begins 4 bytes on."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a file announces."""

    format: str
    """One of IMAGE_FORMATS, or "" for anything else."""
    width: int = 0
    """Pixels as stored, before any turn; 0: left to the decoder, which reads no pixel for it."""
    height: int = 0
    num_frames: int = 0
    """Of a GIF; 0: left to the decoder."""
    is_overloaded: bool = False
    """Has more segments, scans, chunks or blocks than a picture needs."""
    is_damaged: bool = False
    """Ends, or makes no sense, before its pixels begin."""
    is_plain: bool = False
    """A JPEG of three components and 8 bits that says nothing else before its pixels: no Exif, no
    colour profile, no other pictures."""


def read_header(data: bytes) -> Header:
    """Format by magic bytes, size, and whether the parts are few enough to be walked through."""
    name = sniff(data)
    read = _READERS.get(name)
    if read is None:
        return Header(format=name)
    try:
        return read(data)
    except (IndexError, ValueError, struct.error):
        return Header(format=name, is_damaged=True)


def sniff(data: bytes) -> str:
    """The format by its magic bytes, whatever name or media type it came with; "" for others."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM"):
        return "BMP"
    return "AVIF" if data[4:8] == b"ftyp" and _is_avif(data) else ""


def jpeg_segments(data: bytes) -> Iterator[Segment]:
    """Segments up to the first scan, which is the last one given.

    Raises:
        ValueError: no segment stands where one must.
    """
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError(f"no marker at {at}")
        while data[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker, end = data[at + 1], at + 2
        if marker not in _BARE:
            end += int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4 and marker not in _BARE:
            raise ValueError(f"a segment of no length at {at}")
        yield Segment(marker, at, end)
        if marker == SOS:
            return
        at = end


SOS = 0xDA
JFIF, COMMENT = 0xE0, 0xFE
FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, with Huffman codes: what every decoder reads."""
TABLES = frozenset({0xC4, 0xDB, 0xDD})
"""Codes, quantisation, restarts: all that a scan needs beside its frame and itself."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PLAIN = TABLES | {COMMENT, SOS}
_WHOLE_JFIF = 18
"""Bytes of the segment without a thumbnail."""
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def _read_jpeg(data: bytes) -> Header:
    width = height = 0
    is_plain = True
    for count, (marker, start, end) in enumerate(jpeg_segments(data)):
        if count >= MAX_SEGMENTS:
            return Header(format="JPEG", is_overloaded=True)
        if marker in _FRAMES:
            if not width:
                height, width = struct.unpack_from(">HH", data, start + 5)
            is_plain &= marker in FRAMES and (data[start + 4], data[start + 9]) == (8, 3)
        elif marker == JFIF:
            is_plain &= end - start >= _WHOLE_JFIF and data[start + 4 : start + 9] == b"JFIF\0"
        else:
            is_plain &= marker in _PLAIN
    # Inside a scan 0xFF is followed by zero or a restart, so this finds scans, and thumbnails'.
    scans = _count_pairs(data, 0xFF, SOS)
    overloaded = scans > MAX_SCANS or scans * width * height > MAX_SCANNED
    return Header(
        format="JPEG",
        width=width,
        height=height,
        is_overloaded=overloaded,
        is_plain=is_plain,
    )


def _count_pairs(data: bytes, first: int, second: int) -> int:
    """How often the second byte follows the first one; `bytes.count` takes four times as long."""
    values = np.frombuffer(data, np.uint8)
    return int(np.count_nonzero((values[:-1] == first) & (values[1:] == second)))


def _read_png(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    at, count = 8, 0
    while at < len(data) and count <= MAX_CHUNKS:
        (length,) = struct.unpack(">I", data[at : at + 4].rjust(4, b"\0"))
        at += length + 12
        count += 1
    return Header(format="PNG", width=width, height=height, is_overloaded=count > MAX_CHUNKS)


def _read_webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ValueError(f"a WebP of {kind!r}")
    return Header(format="WEBP", width=width, height=height)


def _read_gif(data: bytes) -> Header:
    width, height = struct.unpack_from("<HH", data, 6)
    at = 13 + _colours(data[10])
    blocks = frames = comment = 0
    while at < len(data) and data[at] in b"\x21\x2c" and blocks <= MAX_BLOCKS:
        is_comment = data[at : at + 2] == b"\x21\xfe" and not frames
        if data[at] == 0x2C and at + 10 < len(data):
            frames += 1
            at += 11 + _colours(data[at + 9])  # the descriptor, its colours, the code size
        else:
            at += 2
        while at < len(data) and data[at] and blocks <= MAX_BLOCKS:
            comment += data[at] if is_comment else 0
            at += data[at] + 1
            blocks += 1
        at += 1
        blocks += 1
    return Header(
        format="GIF",
        width=width,
        height=height,
        num_frames=frames,
        is_overloaded=blocks > MAX_BLOCKS or comment > MAX_COMMENT,
    )


_READERS = {"JPEG": _read_jpeg, "PNG": _read_png, "WEBP": _read_webp, "GIF": _read_gif}


def _colours(flags: int) -> int:
    """Bytes of a GIF's colour table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _is_avif(data: bytes) -> bool:
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return any(brands[at : at + 4] in (b"avif", b"avis") for at in range(0, len(brands), 4))
