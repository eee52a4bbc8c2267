"""JPEGs whose own bytes are stored, without what they say of camera, place and maker."""

import struct

import numpy as np

from openm3w.pipeline.images.headers import FRAMES, JFIF, SOS, TABLES, jpeg_segments

_ADOBE = 0xEE
_ECHO = np.isin(np.arange(256), [0x00, 0xFF, *range(0xD0, 0xD8)])
"""Bytes behind 0xFF that begin no segment: stuffing, fill, restarts."""


def stripped_jpeg(data: bytes) -> bytes | None:
    """The JPEG of three components and 8 bits without segments that do not make its pixels.

    JFIF's and Adobe's segments stay, which say what the components mean. Comments, Exif, XMP,
    IPTC, colour profiles, previews and what follows the picture are left out. Where nothing is
    left out the very bytes come back. No pixel changes, and none is decoded here.

    None: another kind of JPEG, or segments that are not tables stand between or behind the scans.
    """
    try:
        parts = _parts(data)
    except (IndexError, ValueError, struct.error):
        return None
    if parts is None:
        return None
    whole = b"".join(parts)
    return data if whole == data else whole


def _parts(data: bytes) -> list[bytes] | None:
    parts = [data[:2]]
    framed = False
    for marker, start, end in jpeg_segments(data):
        content = data[start:end]
        if marker in FRAMES:
            framed = content[4] == 8 and content[9] == 3
        elif marker == SOS:
            scans = _scans(data, start)
            return [*parts, scans] if framed and scans else None
        elif marker == JFIF and content[4:9] == b"JFIF\0":
            content = b"\xff\xe0\0\x10" + content[4:16] + b"\0\0"  # no thumbnail
        elif not (marker == _ADOBE and content[4:9] == b"Adobe") and marker not in TABLES:
            if marker < 0xE0:
                return None
            continue
        parts.append(content)
    return None


def _scans(data: bytes, start: int) -> bytes | None:
    """From the first scan to the end of the picture, where only scans and tables stand in it."""
    values = np.frombuffer(data, np.uint8, offset=start)
    marks = np.flatnonzero(values[:-1] == 0xFF)
    marks = marks[~_ECHO[values[marks + 1]]]
    skip = 0
    for at in marks.tolist():
        if at < skip:
            continue
        marker = int(values[at + 1])
        if marker == 0xD9:
            return data[start : start + at + 2]
        if marker != SOS and marker not in TABLES:
            return None
        skip = at + 2 + int.from_bytes(data[start + at + 2 : start + at + 4], "big")
    return None
