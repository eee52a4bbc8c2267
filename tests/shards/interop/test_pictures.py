import dataclasses
import hashlib
import io

import pytest
from foreign_forms import encoded
from PIL import Image as PillowImage

from openm3w.shards.document import ImageContent
from openm3w.shards.interop import pictures
from openm3w.shards.interop.pictures import UnusableError, store
from openm3w.shards.interop.rows import Picture


def opened(data):
    return PillowImage.open(io.BytesIO(data))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_jpegs_are_kept_byte_for_byte(mode):
    data = encoded(mode=mode, colour=90 if mode == "L" else "teal")
    kept = store(Picture(original_width=600), data)
    assert kept.data == data
    assert (kept.content.width, kept.content.height) == (60, 40)
    assert (kept.content.original_width, kept.content.original_height) == (600, 40)
    assert kept.content.original_format == "jpeg"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_other_formats_become_jpeg(kind):
    kept = store(Picture(), encoded(kind))
    assert opened(kept.data).format == "JPEG"
    assert (kept.content.original_format, kept.content.num_bytes) == (kind.lower(), len(kept.data))


def test_transparent_pixels_become_white():
    kept = store(Picture(), encoded("PNG", mode="RGBA", colour=(200, 0, 0, 0)))
    assert min(opened(kept.data).getpixel((5, 5))) > 250


def test_metadata_goes_and_the_picture_is_turned_upright():
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "taken at home"
    kept = store(Picture(), encoded(exif=exif))
    assert (kept.content.width, kept.content.height) == (40, 60)
    assert b"taken at home" not in kept.data


def test_a_comment_is_metadata_and_a_colour_profile_is_not():
    assert b"by me" not in store(Picture(), encoded(comment=b"by me")).data
    data = encoded(icc_profile=b"profile")
    assert store(Picture(), data).data == data
    kept = store(Picture(), encoded(comment=b"by me", icc_profile=b"profile")).data
    assert opened(kept).info["icc_profile"] == b"profile"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>", "undecodable"),
        (encoded()[:-200], "undecodable"),
        (encoded("PNG")[:60], "undecodable"),
        (encoded("TIFF"), "undecodable"),  # but as a frame of a PDF's
        (encoded("PPM"), "undecodable"),
    ],
    ids=["html", "cut jpeg", "cut png", "tiff", "ppm"],
)
def test_what_does_not_decode_has_a_reason(data, reason):
    with pytest.raises(UnusableError, match=f"^{reason}$"):
        store(Picture(), data)


@pytest.mark.parametrize(("limit", "fits"), [(0, True), (-1, False)])
def test_bytes_are_bounded_inclusively(monkeypatch, limit, fits):
    data = encoded()
    monkeypatch.setattr(pictures, "MAX_BYTES", len(data) + limit)
    if fits:
        assert store(Picture(), data).data == data
    else:
        with pytest.raises(UnusableError, match="too_large"):
            store(Picture(), data)


@pytest.mark.parametrize(("limit", "fits"), [(0, True), (-1, False)])
def test_pixels_are_bounded_inclusively(monkeypatch, limit, fits):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 60 * 40 + limit)
    if fits:
        assert store(Picture(), encoded("PNG")).content.width == 60
    else:
        with pytest.raises(UnusableError, match="too_many_pixels"):
            store(Picture(), encoded("PNG"))


def test_what_was_noted_is_believed_of_those_bytes_only():
    data = encoded()
    noted = store(Picture(original_width=999), data).content
    told = ImageContent(
        sha256=noted.sha256, width=60, height=40, original_width=5, original_height=6,
        num_bytes=len(data), phash="0f" * 8,
    )  # fmt: skip
    assert store(Picture(), data, told).content == told
    assert store(Picture(), encoded(colour="red"), told).content.phash == ""


@pytest.mark.parametrize(("frame", "reason"), [(0, None), (1, "no_bytes")])
def test_frames_that_a_tiff_lacks_are_no_bytes(frame, reason):
    picture = Picture(frame=frame)
    if reason is None:
        assert store(picture, encoded("TIFF")).content.original_format == "tiff"
    else:
        with pytest.raises(UnusableError, match=reason):
            store(picture, encoded("TIFF"))


@pytest.mark.parametrize("change", ["width", "height", "num_bytes"])
def test_what_was_noted_of_another_size_is_not_believed(change):
    data = encoded()
    right = dataclasses.replace(store(Picture(), data).content, phash="0f" * 8)
    wrong = dataclasses.replace(right, **{change: 9999})
    assert store(Picture(), data, right).content == right
    kept = store(Picture(), data, wrong)
    assert (kept.content.width, kept.content.height, kept.content.phash) == (60, 40, "")
    assert kept.content.num_bytes == len(data)


@pytest.mark.parametrize(
    "data", [encoded("PNG"), encoded(comment=b"by me")], ids=["png", "comment"]
)
def test_what_was_noted_spares_no_encoding(data):
    noted = ImageContent(
        sha256=hashlib.sha256(data).hexdigest(), width=60, height=40, original_width=60,
        original_height=40, num_bytes=len(data),
    )  # fmt: skip
    kept = store(Picture(), data, noted)
    assert opened(kept.data).format == "JPEG"
    assert b"by me" not in kept.data
    assert kept.content.sha256 == hashlib.sha256(kept.data).hexdigest()
