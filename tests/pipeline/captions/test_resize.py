import io

import numpy as np
import pytest
from PIL import Image

from openm3w.pipeline.captions.resize import Resizing, size_after
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.images.decode import Encoding, UnusableImageError, encode, phash_of


def resized(data, **resize):
    names = ("max_pixels", "max_bytes", "texture")
    images = Images(**{name: resize.pop(name) for name in names if name in resize})
    return Resizing(images=images, resize=Resize(**resize))(data)


@pytest.mark.parametrize(
    ("size", "options", "stored"),
    [
        ((800, 600), {}, (256, 192)),
        ((200, 100), {}, (200, 100)),
        ((200, 100), {"only_if_bigger": False}, (256, 128)),
        ((800, 600), {"mode": "keep_ratio"}, (341, 256)),
        ((800, 600), {"mode": "center_crop"}, (256, 256)),
        ((800, 600), {"mode": "border"}, (256, 256)),
        ((800, 600), {"mode": "no"}, (800, 600)),
        ((3000, 2000), {"mode": "no"}, (3000, 2000)),
    ],
)
def test_sizes_are_those_of_img2dataset(image_bytes, size, options, stored):
    encoded = resized(image_bytes(*size, "JPEG"), **options)

    with Image.open(io.BytesIO(encoded.data)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (encoded.width, encoded.height)
        assert abs(picture.width - stored[0]) <= 1
        assert abs(picture.height - stored[1]) <= 1
    assert (encoded.original_width, encoded.original_height) == size


def test_a_side_that_no_jpeg_can_have_is_not_resized():
    buffer = io.BytesIO()
    Image.new("L", (65_501, 2)).save(buffer, "PNG")

    with pytest.raises(UnusableImageError, match=r"^not_resized$"):
        resized(buffer.getvalue(), mode="no")


def test_numbers_are_of_the_picture_as_it_came_whatever_is_stored(image_bytes):
    data = image_bytes(500, 375, "JPEG")
    measured = encode(data, Encoding()).measures

    for mode in ("keep_ratio_largest", "border", "center_crop", "no"):
        assert resized(data, mode=mode, texture=True).measures == measured, mode


@pytest.mark.parametrize("keep_bytes", [True, False])
def test_entropy_and_sharpness_are_measured_where_they_are_asked_for(image_bytes, keep_bytes):
    data = image_bytes(256, 200, "JPEG")

    def measured(**images):
        settings = Images(keep_bytes=keep_bytes, **images)
        return Resizing(images=settings, resize=Resize())(data).measures

    plain, whole = measured(), measured(texture=True)

    assert (plain.entropy, plain.sharpness) == (None, None)
    assert whole.entropy > 0
    assert whole.sharpness > 0
    assert (plain.phash, plain.grey_deviation) == (whole.phash, whole.grey_deviation)


def kept(data, **resize):
    settings = Resize(**resize)
    return Resizing(images=Images(keep_bytes=True), resize=settings)(data)


def test_bytes_are_kept_where_nothing_is_resized(image_bytes):
    small, large = image_bytes(256, 200, "JPEG"), image_bytes(257, 200, "JPEG")

    assert kept(small).data == small
    assert kept(large).data != large
    assert kept(large, mode="no").data == large
    assert kept(small, only_if_bigger=False).data == small, "its longer side is 256 already"
    assert kept(small, mode="border", only_if_bigger=False).data != small
    assert resized(small).data != small, "without the option"


def test_a_picture_held_sideways_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    picture = Image.new("RGB", (300, 100), "white")
    picture.paste((255, 0, 0), (0, 0, 150, 100))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)

    encoded = resized(buffer.getvalue())

    with Image.open(io.BytesIO(encoded.data)) as stored:
        pixels = np.asarray(stored.convert("RGB")).astype(int)
    assert pixels.shape[0] > pixels.shape[1]
    assert pixels[5, 40, 1] < 60  # red stands on top
    assert (encoded.original_width, encoded.original_height) == (100, 300)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_every_allowed_format_is_stored(image_bytes, form):
    assert resized(image_bytes(100, 80, form)).width == 100


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<html>", "unknown_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unknown_format"),
    ],
)
def test_other_bytes_never_reach_the_resizer(data, reason):
    with pytest.raises(UnusableImageError, match=reason):
        resized(data)


@pytest.mark.parametrize(
    ("size", "form", "options"),
    [
        ((1100, 1050), "JPEG", {}),  # decoded at half the size for 256 px, whole for 512
        ((1100, 1050), "JPEG", {"side": 100}),
        ((2100, 2060), "JPEG", {"mode": "no"}),  # and at half for 512
        ((700, 600), "PNG", {}),
        ((200, 100), "JPEG", {"only_if_bigger": False}),
    ],
)
def test_a_file_has_the_hashes_that_lists_made_of_it_have(image_bytes, size, form, options):
    data = image_bytes(*size, form, seed=1)
    measured = resized(data, texture=True, **options).measures

    assert measured == encode(data, Encoding()).measures
    assert measured.phash == phash_of(data, Encoding())


def test_bounds_hold_before_decoding(image_bytes):
    data = image_bytes(100, 100, "JPEG")

    assert resized(data, max_pixels=10_000).width == 100
    with pytest.raises(UnusableImageError, match="too_many_pixels"):
        resized(data, max_pixels=9_999)
    with pytest.raises(UnusableImageError, match="too_large"):
        resized(data, max_bytes=len(data) - 1)
    with pytest.raises(UnusableImageError, match="undecodable"):
        resized(data[: len(data) // 2])


def test_transparent_pixels_become_white():
    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(buffer, "PNG")

    with Image.open(io.BytesIO(resized(buffer.getvalue()).data)) as stored:
        assert stored.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["keep_ratio_largest", "keep_ratio", "no"])
@pytest.mark.parametrize("side", [64, 100, 333])
@pytest.mark.parametrize("only_if_bigger", [True, False])
def test_the_size_that_a_picture_is_scaled_to_is_known_before(
    image_bytes, mode, side, only_if_bigger
):
    resize = Resize(mode=mode, side=side, only_if_bigger=only_if_bigger)
    encoded = Resizing(images=Images(), resize=resize)(image_bytes(201, 100))

    assert size_after(resize, 201, 100) == (encoded.width, encoded.height)
