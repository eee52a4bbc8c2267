import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from openm3w.pipeline.images.decode import Encoding, UnusableImageError, encode
from openm3w.pipeline.images.keeping import stripped_jpeg

KEEP = Encoding(keep_bytes=True)
SECRETS = {
    "Exif and its place": (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0SECRET"),
    "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0SECRET"),
    "IPTC": (0xED, b"Photoshop 3.0\0SECRET"),
    "an index of further pictures": (0xE2, b"MPF\0SECRET"),
    "a comment": (0xFE, b"SECRET"),
    "a preview": (0xE0, b"JFXX\0\x10SECRET"),
    "an unknown segment": (0xEF, b"SECRET"),
}


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def bits_between(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


def decoded(data):
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_without_metadata_is_stored_as_it_came(image_bytes, options):
    data = image_bytes(300, 200, "JPEG", **options)

    result = encode(data, KEEP)

    assert result.data == data
    assert result.sha256 == result.original.sha256
    assert (result.width, result.height) == (300, 200)
    anew = encode(data, Encoding()).measures
    assert bits_between(result.measures.phash, anew.phash) <= 2
    assert result.measures.sharpness == pytest.approx(anew.sharpness, rel=0.05)
    assert result.measures.entropy == pytest.approx(anew.entropy, abs=0.05)
    assert result.measures.grey_deviation == pytest.approx(anew.grey_deviation, abs=0.5)


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")
@pytest.mark.parametrize("name", SECRETS)
def test_metadata_goes_and_no_pixel_changes(image_bytes, name):
    plain = image_bytes(300, 200, "JPEG")
    data = plain[:2] + segment(*SECRETS[name]) + plain[2:]

    result = encode(data, KEEP)

    assert result.data == plain
    assert result.original.sha256 != result.sha256
    assert (decoded(result.data) == decoded(data)).all()


def test_what_follows_the_picture_goes(image_bytes):
    plain, second = image_bytes(300, 200, "JPEG"), image_bytes(300, 200, "JPEG", seed=1)

    assert encode(plain + second, KEEP).data == plain


def test_a_thumbnail_of_jfif_goes(image_bytes):
    plain = image_bytes(300, 200, "JPEG")
    head = segment(0xE0, plain[6:18] + bytes((2, 1)) + b"SECRET")

    assert encode(plain[:2] + head + plain[20:], KEEP).data == plain


def test_what_says_how_components_are_meant_stays(make):
    data = make.saved(Image.fromarray(make.quarters()), "JPEG", keep_rgb=True, quality=95)
    assert b"Adobe" in data

    assert encode(data, KEEP).data == data


def test_a_profile_that_changes_nothing_goes(image_bytes):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert encode(image_bytes(300, 200, "JPEG", icc_profile=srgb), KEEP).data == image_bytes(
        300, 200, "JPEG"
    )


ENCODED_ANEW = {
    "larger than the side": lambda _, image: image(513, 200, "JPEG"),
    "held sideways": lambda m, image: image(300, 200, "JPEG", exif=m.exif(6)),
    "of a wide gamut": lambda m, image: image(300, 200, "JPEG", icc_profile=m.profile(m.P3)),
    "in grey": lambda m, _: m.saved(m.solid(90, "L"), "JPEG"),
    "in CMYK": lambda m, _: m.saved(m.solid((9, 9, 9, 9), "CMYK"), "JPEG"),
    "not a JPEG": lambda _, image: image(300, 200, "PNG"),
    "with a comment between its scans": lambda _, image: between_scans(
        image(300, 200, "JPEG", progressive=True), segment(0xFE, b"SECRET")
    ),
    "with stray bytes before its end": lambda _, image: (
        image(300, 200, "JPEG")[:-2] + segment(0xE1, b"SECRET") + b"\xff\xd9"
    ),
}


def between_scans(data, content):
    at = data.rindex(b"\xff\xda")
    return data[:at] + content + data[at:]


@pytest.mark.parametrize("name", ENCODED_ANEW)
def test_others_are_encoded_anew(make, image_bytes, name):
    data = ENCODED_ANEW[name](make, image_bytes)

    result = encode(data, KEEP)

    assert result == encode(data, Encoding())
    assert result.data != data
    assert b"SECRET" not in result.data


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_is_cut_off_is_refused_and_not_kept(image_bytes, options):
    data = image_bytes(300, 200, "JPEG", **options)
    for cut in (data[:-500], data[: len(data) // 2]):
        with pytest.raises(UnusableImageError, match=r"^undecodable$"):
            encode(cut, KEEP)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\xff\xd8" + b"\xff\xe1\0\2" * 3])
def test_what_has_no_scans_has_nothing_to_strip(data):
    assert stripped_jpeg(data) is None


def test_no_place_survives_any_encoding(make, image_bytes):
    place = b"SECRET PLACE"
    for form in ("JPEG", "PNG", "WEBP", "AVIF"):
        data = image_bytes(300, 200, form, exif=make.exif(1, place))
        assert place in data, form
        for encoding in (Encoding(), KEEP):
            stored = encode(data, encoding).data
            assert place not in stored, form
            assert b"Exif" not in stored, form
