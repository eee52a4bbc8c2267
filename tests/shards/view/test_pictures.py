import io
import struct
import zlib

import pytest
from PIL import Image as PillowImage
from rich.console import Console

from openm3w.shards import decoding
from openm3w.shards.sample import IMAGE_FORMATS
from openm3w.shards.view import pictures
from openm3w.shards.view.pictures import Picture


def console(**options):
    options = {"file": io.StringIO(), "width": 80, "no_color": False, **options}
    return Console(**options)


@pytest.mark.parametrize(
    ("size", "bounds", "expected"),
    [
        ((100, 100), (40, 20), (40, 20)),
        ((400, 300), (64, 22), (59, 22)),
        ((400, 100), (64, 22), (64, 8)),
        ((100, 400), (64, 22), (11, 22)),
        ((3000, 1), (64, 22), (64, 1)),
        ((1, 3000), (64, 22), (1, 22)),
        ((100, 100), (0, 0), (1, 1)),
    ],
)
def test_pictures_keep_their_shape_inside_the_bounds(size, bounds, expected):
    assert pictures.fit(*size, *bounds) == expected


def test_half_blocks_show_two_pixels_a_cell():
    image = PillowImage.new("RGB", (2, 4), (255, 0, 0))
    image.paste((0, 0, 255), (0, 1, 2, 2))
    image.paste((0, 255, 0), (0, 2, 2, 4))
    segments = list(pictures.half_blocks(image, 2, 2))
    assert "".join(s.text for s in segments) == "▀▀\n▀▀\n"
    colours = [(s.style.color.name, s.style.bgcolor.name) for s in segments if s.style]
    assert colours == [("#ff0000", "#0000ff")] * 2 + [("#00ff00", "#00ff00")] * 2


def test_a_small_picture_is_not_blown_up():
    image = PillowImage.new("RGB", (60, 60))
    sizes = {
        technique: Picture(
            image=image, number=1, technique=technique, max_columns=64, max_rows=30
        ).cells
        for technique in ("blocks", "kitty")
    }
    assert sizes == {"blocks": (60, 30), "kitty": (10, 5)}


@pytest.mark.parametrize("format", IMAGE_FORMATS)
def test_formats_of_shards_decode(image_bytes, format):  # noqa: A002
    assert decoding.decode(image_bytes(30, 20, format)).size == (30, 20)


@pytest.mark.parametrize("format", ["TIFF", "PPM", "TGA"])
def test_other_formats_are_not_tried(image_bytes, format):  # noqa: A002
    assert decoding.decode(image_bytes(30, 20, format)) is None


def test_bytes_that_are_no_picture_decode_to_none(image_bytes):
    png = image_bytes(64, 64)
    for data in (b"", b"<html>", png[:40], png[: len(png) // 2], b"\xff\xd8\xff\xe0" + b"x" * 99):
        assert decoding.decode(data) is None


def test_a_picture_of_too_many_pixels_is_not_decoded(image_bytes, monkeypatch):
    data = image_bytes(40, 30)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 40 * 30)
    assert decoding.decode(data) is not None
    monkeypatch.setattr(decoding, "MAX_PIXELS", 40 * 30 - 1)
    assert decoding.decode(data) is None


@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("auto", {"force_terminal": False}, "line"),
        ("auto", {"force_terminal": True, "color_system": "truecolor"}, "blocks"),
        ("auto", {"force_terminal": True, "color_system": None}, "line"),
        ("auto", {"force_terminal": True, "color_system": "truecolor", "no_color": True}, "line"),
        ("blocks", {"force_terminal": False}, "blocks"),
        ("blocks", {"force_terminal": True, "no_color": True}, "line"),
        ("none", {"force_terminal": True, "color_system": "truecolor"}, "line"),
        (
            "auto",
            {"force_terminal": True, "color_system": "truecolor", "_environ": {"TERM": "dumb"}},
            "line",
        ),
        ("blocks", {"file": io.TextIOWrapper(io.BytesIO(), "latin-1")}, "line"),
    ],
)
def test_the_technique_follows_wish_terminal_and_no_color(mode, options, expected):
    assert pictures.technique(mode, console(**options)) == expected


@pytest.mark.parametrize("side", [7_000, 65_000])
def test_a_picture_that_promises_too_many_pixels_is_none(side):
    header = struct.pack(">II5B", side, side, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk
    data += struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 0) + b"IDAT" + bytes(4)

    assert decoding.decode(data) is None
