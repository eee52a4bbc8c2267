import io
import math
import tarfile

import numpy as np
import pytest
from PIL import Image, ImageFilter

from openm3w.filters.images.look import MIN_SHARPNESS
from openm3w.pipeline.images.decode import Encoding, encode, phash_of
from openm3w.pipeline.images.lists import PDQ_DISTANCE, PDQ_MIN_QUALITY, Hamming
from openm3w.pipeline.images.measures import (
    entropy,
    measure,
    original,
    pdq_hash,
    perceptual_hash,
    sharpness,
)


def grey(rows):
    return Image.fromarray(np.array(rows, dtype=np.uint8))


def bits_between(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


def encoded(picture, format="PNG", **options):  # noqa: A002
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photographs():
    """Names and photographs that scikit-image brings along."""
    data = pytest.importorskip("skimage.data")
    names = ("astronaut", "chelsea", "coffee", "rocket")
    return {name: Image.fromarray(getattr(data, name)()) for name in names}


@pytest.mark.parametrize(("shades", "bits"), [(1, 0.0), (2, 1.0), (4, 2.0), (16, 4.0), (256, 8.0)])
def test_equally_frequent_greys_have_the_logarithm_of_their_number(shades, bits):
    assert entropy(grey([[at % shades for at in range(256)]] * 4)) == bits


def test_one_pixel_in_nine_has_half_a_bit():
    rows = np.full((30, 30), 255)
    rows[::3, ::3] = 0
    expected = -(1 / 9 * math.log2(1 / 9) + 8 / 9 * math.log2(8 / 9))
    assert entropy(grey(rows)) == round(expected, 3) == 0.503


def test_the_laplacian_of_planes_and_of_pictures_without_an_inside_is_nothing():
    ramp = [[2 * x + y for x in range(64)] for y in range(64)]
    assert sharpness(grey(ramp)) == 0
    assert sharpness(grey([[0, 255], [255, 0]])) == 0


def test_sharpness_is_the_variance_of_the_four_neighbour_laplacian():
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (17, 23))
    inside = [
        pixels[y - 1, x] + pixels[y + 1, x] + pixels[y, x - 1] + pixels[y, x + 1] - 4 * pixels[y, x]
        for y in range(1, 16)
        for x in range(1, 22)
    ]
    assert sharpness(grey(pixels)) == pytest.approx(np.var(inside), abs=0.005)


def test_numbers_are_of_a_small_picture_whatever_the_size_of_the_file(photographs):
    picture = photographs["astronaut"]  # 512 x 512
    double = picture.resize((1024, 1024), Image.Resampling.NEAREST)

    assert measure(double) == measure(picture)


def test_one_colour_has_no_deviation_entropy_or_sharpness_and_no_hash():
    red = measure(Image.new("RGB", (90, 60), "red"))

    assert (red.grey_deviation, red.entropy, red.sharpness) == (0, 0, 0)
    assert red.phash == "", "all pictures of one colour would be copies of each other"


@pytest.mark.parametrize(("difference", "hashed"), [(1, False), (2, True)])
def test_a_picture_is_hashed_from_a_deviation_of_one_grey_value_on(difference, hashed):
    halves = Image.new("L", (64, 64), 100)
    halves.paste(100 + difference, (0, 0, 32, 64))  # deviation: half the difference
    assert bool(perceptual_hash(halves.convert("RGB"))) is hashed


def test_blur_separates_photographs_from_their_blurred_copies(photographs):
    for name, picture in photographs.items():
        blurred = picture.filter(ImageFilter.GaussianBlur(8))
        assert measure(picture).sharpness > MIN_SHARPNESS > measure(blurred).sharpness, name


def test_a_hash_survives_encoding_and_resizing_and_tells_photographs_apart(photographs):
    hashes = {name: perceptual_hash(picture) for name, picture in photographs.items()}
    for name, picture in photographs.items():
        half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
        for copy in (
            encoded(picture, "JPEG", quality=50),
            encoded(half, "JPEG", quality=80),
            encoded(picture, "WEBP", quality=60),
        ):
            assert bits_between(phash_of(copy, Encoding()), hashes[name]) <= 5, name
        others = [bits_between(hashes[name], digits) for n, digits in hashes.items() if n != name]
        assert min(others) > 16, name


def test_the_hash_of_a_list_is_that_of_the_ledger(photographs):
    data = encoded(photographs["rocket"])
    assert phash_of(data, Encoding()) == encode(data, Encoding()).measures.phash


def test_a_mirrored_picture_has_the_opposite_odd_columns():
    """What a DCT does: mirroring negates every odd horizontal frequency."""
    rng = np.random.default_rng(3)
    picture = grey(rng.integers(0, 256, (32, 32)))
    one, other = (
        np.unpackbits(np.frombuffer(bytes.fromhex(perceptual_hash(p)), np.uint8)).reshape(8, 8)
        for p in (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    )
    # A coefficient's sign decides but for the few between zero and the median.
    assert (one[:, 0::2] == other[:, 0::2]).mean() > 0.8
    assert (one[:, 1::2] != other[:, 1::2]).mean() > 0.8


def test_digests_are_of_the_bytes():
    found = original(b"abc")  # the test vectors of RFC 1321 and FIPS 180
    assert found.num_bytes == 3
    assert found.md5 == "900150983cd24fb0d6963f7d28e17f72"
    assert found.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_pdq_finds_a_copy_and_tells_photographs_apart(photographs):
    pytest.importorskip("pdqhash")
    hashes = {name: pdq_hash(picture) for name, picture in photographs.items()}
    for name, picture in photographs.items():
        digits, quality = hashes[name]
        small = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))
        copy = encode(encoded(small, "JPEG", quality=60), Encoding(), with_pdq=True)
        known = Hamming([digits], words=4)
        assert quality >= PDQ_MIN_QUALITY
        assert known.nearest(copy.pdq[0]) <= PDQ_DISTANCE, name
        others = Hamming([d for n, (d, _) in hashes.items() if n != name], words=4)
        assert others.nearest(digits) > 2 * PDQ_DISTANCE, name


def test_a_picture_of_one_colour_has_no_pdq_to_go_by():
    pytest.importorskip("pdqhash")
    assert pdq_hash(Image.new("RGB", (90, 60), "red"))[1] < PDQ_MIN_QUALITY


@pytest.mark.real
def test_of_real_photographs_copies_are_near_and_others_far(realdata):
    hashes, copies, sharp, blurred = [], [], [], []
    with tarfile.open(realdata / "flickr8k" / "test.tar") as tar:
        for member in [m for m in tar if m.name.endswith(".jpg")][:60]:
            data = tar.extractfile(member).read()
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            hashes.append(phash_of(data, Encoding()))
            smaller = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))
            copies.append(phash_of(encoded(smaller, "JPEG", quality=70), Encoding()))
            sharp.append(measure(picture).sharpness)
            blurred.append(measure(picture.filter(ImageFilter.GaussianBlur(2))).sharpness)
    assert all(bits_between(*pair) <= 5 for pair in zip(hashes, copies, strict=True))
    far = [bits_between(a, b) for at, a in enumerate(hashes) for b in hashes[:at]]
    assert min(far) > 5
    assert 28 <= np.median(far) <= 34
    assert min(sharp) > MIN_SHARPNESS > max(blurred)
