import hashlib
import io
import platform
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from openm3w.pipeline.images.decode import Encoding, UnusableImageError, encode, open_picture
from openm3w.pipeline.images.measures import measure

ENCODING = Encoding()


def encoded(picture, format="PNG", **options):  # noqa: A002
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return encode(buffer.getvalue(), ENCODING)


def pixels(result):
    return np.asarray(Image.open(io.BytesIO(result.data)).convert("RGB"), dtype=int)


@pytest.mark.parametrize(
    ("size", "stored"),
    [
        ((512, 300), (512, 300)),
        ((513, 300), (512, 299)),
        ((100, 1024), (50, 512)),
        ((64, 64), (64, 64)),
    ],
)
def test_the_longest_side_is_reduced_to_the_bound_and_never_enlarged(image_bytes, size, stored):
    result = encode(image_bytes(*size), ENCODING)

    assert (result.width, result.height) == stored
    assert (result.original_width, result.original_height) == size


@pytest.mark.parametrize("size", [(511, 300), (512, 512), (513, 300), (40, 1200)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("keep_bytes", [False, True])
def test_what_is_measured_is_the_picture_that_is_stored(size, mode, keep_bytes):
    noise = np.random.default_rng(3).integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3))
    drawn = Image.fromarray(noise.astype(np.uint8)).resize(size).convert(mode)
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=90)
    encoding = Encoding(keep_bytes=keep_bytes)

    # The definition: of Pillow's picture alone, whose pixels are handed to nobody.
    kept = keep_bytes and max(size) <= 512
    picture = open_picture(buffer.getvalue(), encoding, lambda *_: kept).picture
    picture.thumbnail((512, 512), Image.Resampling.LANCZOS)
    assert encode(buffer.getvalue(), encoding).measures == measure(picture)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"])
def test_allowed_formats_become_jpeg(image_bytes, format):  # noqa: A002
    result = encode(image_bytes(80, 70, format), ENCODING)

    assert result.original_format == format.lower()
    assert result.data[:3] == b"\xff\xd8\xff"


def test_equal_input_gives_equal_bytes(image_bytes):
    assert encode(image_bytes(700, 90), ENCODING) == encode(image_bytes(700, 90), ENCODING)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_is_turned_upright_and_its_original_size_with_it(orientation):
    picture = Image.new("RGB", (600, 200), "white")
    picture.paste("red", (0, 0, 300, 200))  # the left half, as stored
    exif = Image.Exif()
    exif[0x0112] = orientation

    result = encoded(picture, "JPEG", exif=exif, quality=95)

    upright = {1: (0, 0), 3: (0, -1), 6: (0, 0), 8: (-1, 0)}[orientation]
    size = (600, 200) if orientation in (1, 3) else (200, 600)
    assert (result.original_width, result.original_height) == size
    assert np.abs(pixels(result)[upright] - [255, 0, 0]).max() < 12
    assert b"Exif" not in result.data


def test_a_large_jpeg_keeps_its_original_size_in_the_record(image_bytes):
    result = encode(image_bytes(3000, 2000, "JPEG"), ENCODING)

    assert (result.original_width, result.original_height) == (3000, 2000)
    assert (result.width, result.height) == (512, 341)


def test_transparency_becomes_white():
    result = encoded(Image.new("RGBA", (80, 80), (0, 0, 0, 0)))

    assert pixels(result).min() == 255


def test_palette_transparency_becomes_white():
    picture = Image.new("P", (80, 80), 0)
    picture.putpalette([10, 20, 30] * 256)

    assert pixels(encoded(picture, transparency=0)).min() == 255


def test_sixteen_bit_grey_is_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 100 * 80).reshape(80, 100).astype(np.uint16)

    result = encoded(Image.fromarray(ramp))

    assert abs(pixels(result)[40, 50, 0] - 128) < 6


def test_cmyk_becomes_rgb():
    result = encoded(Image.new("CMYK", (80, 80), (0, 255, 255, 0)), "JPEG")

    assert np.abs(pixels(result)[40, 40] - [255, 0, 0]).max() < 12


def test_the_first_frame_of_an_animation_is_taken():
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "blue")]

    result = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert np.abs(pixels(result)[40, 40] - [255, 0, 0]).max() < 12


def wide_gamut_profile():
    """The sRGB profile with red and green exchanged: any reader of profiles sees the difference."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ", 128), data.index(b"gXYZ", 128)
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def test_colours_mean_what_the_embedded_profile_says():
    picture = Image.new("RGB", (80, 80), (255, 0, 0))

    exchanged = pixels(encoded(picture, icc_profile=wide_gamut_profile()))[40, 40]

    assert np.abs(exchanged - [0, 255, 0]).max() < 12


def test_a_profile_that_changes_nothing_or_fits_nothing_is_ignored():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    picture = Image.new("RGB", (80, 80), (200, 60, 60))

    plain = pixels(encoded(picture))[40, 40]
    with_srgb = pixels(
        encoded(
            picture, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        )
    )[40, 40]
    with_alien = pixels(encoded(picture, icc_profile=lab.tobytes()))[40, 40]
    with_junk = pixels(encoded(picture, icc_profile=b"no profile"))[40, 40]

    assert np.abs(plain - with_srgb).max() <= 2
    assert np.abs(plain - with_alien).max() <= 2
    assert np.abs(plain - with_junk).max() <= 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<html>not an image</html>", "unknown_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unknown_format"),
        (b"\xff\xd8\xff\xe0 no more", "undecodable"),
        (b"x" * (Encoding().max_bytes + 1), "too_large"),
    ],
)
def test_what_is_no_usable_image_has_a_reason(data, reason):
    with pytest.raises(UnusableImageError, match=f"^{reason}$"):
        encode(data, ENCODING)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_cut_off_image_is_undecodable(image_bytes, format):  # noqa: A002
    with pytest.raises(UnusableImageError, match=r"^undecodable$"):
        encode(image_bytes(300, 300, format)[:-2000], ENCODING)


def test_pixels_are_counted_before_they_are_decoded(image_bytes):
    exact = Encoding(max_pixels=80 * 70)

    encode(image_bytes(80, 70), exact)
    with pytest.raises(UnusableImageError, match=r"^too_many_pixels$"):
        encode(image_bytes(80, 71), exact)


def test_a_header_that_announces_a_bomb_is_refused(image_bytes):
    png = bytearray(image_bytes(80, 70))
    png[16:24] = (60_000).to_bytes(4, "big") * 2

    with pytest.raises(UnusableImageError, match=r"^(too_many_pixels|unknown_format|undecodable)$"):
        encode(bytes(png), ENCODING)


def test_what_was_fetched_is_noted_and_not_what_is_stored(image_bytes):
    data = image_bytes(700, 90)

    result = encode(data, ENCODING)

    assert result.original.num_bytes == len(data) != len(result.data)
    assert result.original.sha256 == hashlib.sha256(data).hexdigest()
    assert result.original.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert result.sha256 == hashlib.sha256(result.data).hexdigest()


def test_pdq_is_made_on_demand(image_bytes):
    pytest.importorskip("pdqhash")

    assert encode(image_bytes(90, 90), ENCODING).pdq is None
    digits, quality = encode(image_bytes(90, 90), ENCODING, with_pdq=True).pdq
    assert len(digits) == 64
    assert 0 <= quality <= 100


def test_a_comment_of_the_original_does_not_survive():
    result = encoded(Image.new("RGB", (80, 80)), "JPEG", comment=b"taken at home")

    assert b"taken at home" not in result.data


@pytest.mark.parametrize("bound", ["max_bytes", "max_pixels"])
def test_a_bound_that_lets_nothing_through_is_refused(bound):
    with pytest.raises(ValueError, match="at least 1"):
        Encoding(**{bound: 0})


def test_threads_decode_side_by_side_and_leave_warnings_as_they_were(image_bytes):
    files = [image_bytes(200 + at, 150, "JPEG", seed=at) for at in range(8)]
    # Its EXIF ends early, of which Pillow warns; warnings are errors in these tests.
    files += [image_bytes(200, 150, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12")]
    alone = [encode(data, ENCODING) for data in files]
    before = list(warnings.filters)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: encode(data, ENCODING), files * 5))

    assert together == alone * 5
    assert warnings.filters == before


def test_more_pixels_than_pillow_allows_cannot_be_asked_for():
    assert Encoding(max_pixels=89_478_485).max_pixels == 89_478_485
    with pytest.raises(ValueError, match="above Pillow's"):
        Encoding(max_pixels=89_478_486)


FAULTS = """
import io, resource
import numpy as np
from PIL import Image
from openm3w.pipeline.images.decode import Encoding, encode
buffer = io.BytesIO()
noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
Image.fromarray(noise).save(buffer, "JPEG")
for _ in range(5):
    encode(buffer.getvalue(), Encoding(side=300))
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    encode(buffer.getvalue(), Encoding(side=300))
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 50)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory anyhow"
)
def test_the_memory_of_one_picture_serves_the_next():
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, timeout=60
    )

    assert float(done.stdout) < 20, "pages of 4 kB; a picture has 150"
