import pytest
import torch

from openm3w.errors import InputError
from openm3w.trainer.data.images import MAX_PIXELS, decode_image


@pytest.mark.torch
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("width", "height"), [(40, 20), (1, 1), (8, 300)])
def test_images_become_squares_of_bytes(image_bytes, format_, width, height):
    pixels = decode_image(image_bytes(width, height, format_), 16, "x")
    assert pixels.shape == (3, 16, 16)
    assert pixels.dtype == torch.uint8


@pytest.mark.torch
def test_pictures_are_upright_and_on_white():
    import io

    from PIL import Image

    lying = Image.new("RGB", (40, 40), "black")
    lying.paste("white", (0, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    buffer = io.BytesIO()
    lying.save(buffer, "JPEG", exif=exif)
    pixels = decode_image(buffer.getvalue(), 8, "x").float()
    assert pixels[:, :3].mean() < 40 < 215 < pixels[:, 5:].mean()
    buffer = io.BytesIO()
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(buffer, "PNG")
    assert (decode_image(buffer.getvalue(), 4, "x") == 255).all()


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
def test_every_colour_mode_becomes_rgb(mode):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new(mode, (9, 9)).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    assert decode_image(buffer.getvalue(), 4, "x").shape == (3, 4, 4)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda _: b"", "not an image in JPEG, PNG, WEBP"),
        (lambda _: b"<svg/>", "not an image"),
        (lambda data: data[: len(data) // 2], "does not decode"),
    ],
)
def test_damaged_images_are_named(image_bytes, harm, message):
    with pytest.raises(InputError, match=f"shard-1, image 0: .*{message}"):
        decode_image(harm(image_bytes(64, 64, "JPEG")), 16, "shard-1, image 0")


@pytest.mark.torch
def test_formats_beside_the_list_are_not_even_tried(image_bytes):
    with pytest.raises(InputError, match="not an image in"):
        decode_image(image_bytes(8, 8, "TIFF"), 16, "x")


@pytest.mark.torch
@pytest.mark.parametrize("side", [7_100, 10_000, 30_000])
def test_huge_images_are_refused_before_they_are_decoded(side):
    # A PNG's head alone: the size is read from it, and no pixel is there to decode.
    import struct
    import zlib

    body = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    assert side * side > MAX_PIXELS
    with pytest.raises(InputError, match="x: "):
        decode_image(head + struct.pack(">I", 0) + b"IDAT" + b"\0" * 4, 16, "x")
