"""Cuttings of the photographs that scikit-image carries in its wheel, as a web server sends them.

Nothing is downloaded and nothing is drawn at random: a picture's bytes depend on its entry in
`content.toml`, and on the version of Pillow.
"""

import functools
import importlib.util
import io
from pathlib import Path
from typing import Final

from PIL import Image

from openm3w.errors import MissingError
from openm3w.pipeline.demo.content import Picture

PILLOW_FORMAT: Final = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
_SMOOTH: Final = Image.Resampling.LANCZOS


def folder() -> Path:
    """Where scikit-image keeps its photographs; the package is found and not imported.

    Raises:
        MissingError: scikit-image is not installed, or without them.
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise MissingError(
            "m3w demo takes its photographs from scikit-image, which is not installed: "
            "pip install 'scikit-image>=0.24'"
        )
    return Path(spec.origin).parent / "data"


def cut(picture: Picture) -> Image.Image:
    """The photograph's cutting in full size."""
    photo = _open(picture.photo)
    left, top, right, bottom = picture.box or (0.0, 0.0, 1.0, 1.0)
    width, height = photo.size
    piece = photo.crop(
        (round(left * width), round(top * height), round(right * width), round(bottom * height))
    )
    return piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if picture.flip else piece


def render(picture: Picture, width: int, suffix: str = "jpg") -> bytes:
    """The cutting `width` pixels wide, encoded as the suffix says."""
    piece = cut(picture)
    return encode(piece.resize((width, round(piece.height * width / piece.width)), _SMOOTH), suffix)


def encode(image: Image.Image, suffix: str) -> bytes:
    """Encoded bytes without any metadata."""
    buffer = io.BytesIO()
    image.save(buffer, PILLOW_FORMAT[suffix], quality=85)
    return buffer.getvalue()


@functools.lru_cache(maxsize=32)
def _open(name: str) -> Image.Image:
    path = folder() / name
    try:
        with Image.open(path) as photo:
            if photo.mode != "RGBA":
                return photo.convert("RGB")
            white = Image.new("RGBA", photo.size, "white")
            return Image.alpha_composite(white, photo).convert("RGB")
    except FileNotFoundError:
        raise MissingError(
            f"{path}: missing; install scikit-image again: pip install --force-reinstall "
            "'scikit-image>=0.24'"
        ) from None
