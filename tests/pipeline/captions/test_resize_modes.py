"""Every mode of the resizer against img2dataset's own, on every kind of file.

Equal means byte for byte. Where ours is meant to differ, img2dataset is given the picture as a
viewer shows it, and must store the same bytes: nothing but that step is another.
"""

import functools
import io
import itertools
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from tests.conftest import photograph
from tests.pipeline.images.conftest import P3, profile

from openm3w.pipeline.captions.resize import Resizing
from openm3w.pipeline.captions.settings import Images, Resize

SIDE = 64
MODES = ("no", "border", "keep_ratio", "keep_ratio_largest", "center_crop")
WAYS = list(itertools.product(MODES, (True, False)))
SHAPES = {
    "landscape": (125, 94),
    "portrait": (94, 125),
    "square": (100, 100),
    "side": (64, 64),
    "smaller": (40, 30),
    "smaller_square": (17, 17),
    "only_the_longer_is_bigger": (75, 50),
    "one_more_and_one_less": (65, 63),
    "strip": (161, 4),
    "tiny": (3, 5),
}


def ours(data, mode, only_if_bigger):
    resize = Resize(mode=mode, only_if_bigger=only_if_bigger, side=SIDE)
    encoded = Resizing(images=Images(), resize=resize)(data)
    return (
        encoded.data,
        encoded.width,
        encoded.height,
        encoded.original_width,
        encoded.original_height,
    )


def theirs(data, mode, only_if_bigger):
    """What img2dataset stores of a file, and the sizes that it notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of imghdr, pipes, and albumentations' old names
        from img2dataset.resizer import Resizer

        *found, error = Resizer(SIDE, mode, resize_only_if_bigger=only_if_bigger)(io.BytesIO(data))
    assert error is None
    return tuple(found)


def saved(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def shown(data, *, to_srgb=False):
    """The picture as a viewer shows it, in a file that leaves nothing to interpret."""
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture)
        if to_srgb:
            source = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
            upright = ImageCms.profileToProfile(upright, source, ImageCms.createProfile("sRGB"))
        plain = upright.convert("RGB")
    plain.info = {}
    return saved(plain, "PNG")


def pixels(data):
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def ramp(size):
    return Image.linear_gradient("L").resize(size)


@functools.cache
def file_of(form, shape):
    return saved(photograph(*SHAPES[shape], seed=5), form)


@pytest.mark.parametrize(("mode", "only_if_bigger"), WAYS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_shapes_are_stored_byte_for_byte(form, shape, mode, only_if_bigger):
    data = file_of(form, shape)

    assert ours(data, mode, only_if_bigger) == theirs(data, mode, only_if_bigger)


def with_alpha(size, mode):
    picture = photograph(*size, seed=6)
    if mode == "P":
        picture = picture.quantize(64)
        return saved(picture, "PNG", transparency=bytes(range(0, 256, 4)))
    if mode == "LA":
        return saved(Image.merge("LA", (picture.convert("L"), ramp(size))), "PNG")
    return saved(Image.merge("RGBA", (*picture.split(), ramp(size))), "PNG")


@pytest.mark.parametrize(("mode", "only_if_bigger"), WAYS)
@pytest.mark.parametrize("alpha", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("size", [(125, 94), (40, 30)])
def test_alpha_becomes_white_byte_for_byte(size, alpha, mode, only_if_bigger):
    data = with_alpha(size, alpha)

    assert ours(data, mode, only_if_bigger) == theirs(data, mode, only_if_bigger)


@pytest.mark.parametrize(("mode", "only_if_bigger"), WAYS)
def test_a_palette_without_alpha_is_stored_byte_for_byte(mode, only_if_bigger):
    data = saved(photograph(125, 94, seed=6).quantize(64), "PNG")

    assert ours(data, mode, only_if_bigger) == theirs(data, mode, only_if_bigger)


def held_sideways(size):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    return saved(photograph(*size, seed=7), "JPEG", exif=exif)


DELIBERATE = {
    # One channel is stored as three, so that every picture of a shard opens in the same mode.
    "grey JPEG": lambda size: saved(photograph(*size, seed=1).convert("L"), "JPEG"),
    "grey PNG": lambda size: saved(photograph(*size, seed=1).convert("L"), "PNG"),
    # OpenCV's and Pillow's formulas for CMYK differ by a few of 255 levels, which Lanczos sharpens.
    "CMYK JPEG": lambda size: saved(photograph(*size, seed=2).convert("CMYK"), "JPEG"),
    # img2dataset stores the picture lying on its side.
    "EXIF-rotated": held_sideways,
}


@pytest.mark.parametrize(("mode", "only_if_bigger"), WAYS)
@pytest.mark.parametrize("kind", DELIBERATE)
@pytest.mark.parametrize("size", [(125, 94), (40, 30)])
def test_what_differs_is_what_img2dataset_makes_of_the_picture_as_it_is_shown(
    kind, size, mode, only_if_bigger
):
    data = DELIBERATE[kind](size)
    stored, of_theirs = ours(data, mode, only_if_bigger), theirs(data, mode, only_if_bigger)

    assert stored == theirs(shown(data), mode, only_if_bigger)
    assert stored[0] != of_theirs[0], "no longer deliberate: it is the same"
    if kind == "EXIF-rotated":
        assert stored[3:] == of_theirs[:2:-1]
    else:
        assert stored[1:] == of_theirs[1:]
        most = 0 if kind.startswith("grey") else 8
        assert np.abs(pixels(stored[0]) - pixels(of_theirs[0])).max() <= most


@pytest.mark.parametrize(("mode", "only_if_bigger"), WAYS)
def test_a_colour_profile_is_obeyed_and_img2dataset_ignores_it(mode, only_if_bigger):
    data = saved(photograph(125, 94, seed=8), "PNG", icc_profile=profile(P3))
    stored = ours(data, mode, only_if_bigger)

    assert stored == theirs(shown(data, to_srgb=True), mode, only_if_bigger)
    assert stored[0] != theirs(data, mode, only_if_bigger)[0]


@pytest.mark.parametrize(("mode", "only_if_bigger"), WAYS[2:])
@pytest.mark.parametrize("size", [(513, 385), (385, 513), (275, 263), (259, 353)])
def test_a_large_jpeg_is_decoded_smaller_and_nearly_equal(size, mode, only_if_bigger):
    """libjpeg's reduction to twice the side costs a fraction of decoding the whole."""
    data = saved(photograph(*size, seed=9), "JPEG")
    stored, of_theirs = ours(data, mode, only_if_bigger), theirs(data, mode, only_if_bigger)

    assert stored[1:] == of_theirs[1:]
    assert np.abs(pixels(stored[0]) - pixels(of_theirs[0])).mean() < 4
    as_png = shown(data)
    assert ours(as_png, mode, only_if_bigger) == theirs(as_png, mode, only_if_bigger)
