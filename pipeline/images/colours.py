"""Any picture that Pillow decoded to the RGB values that a browser would show on white paper."""

import contextlib
import functools
import io
from typing import cast

import numpy as np
from PIL import Image, ImageCms

MAX_PROFILE = 1 << 22
"""Bytes of a colour profile that is used. Ours: profiles of printers are up to 3 MB."""
SAME_COLOUR = 2
"""Of 255: a profile that moves no colour by more is sRGB by another maker, and is not applied.
Ours: the rounding of curves stored as tables."""


def to_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB on white, of mode RGB; one of mode RGBX is taken as that.

    White is what img2dataset lays under transparent pixels, and what pages mostly have there.
    16-bit greys are divided by 257, since Pillow would clip them to 255.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        return _on_white(_eight_bits(image), profile)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _on_white(image.convert("RGBA"), profile)
    if profile:
        image = _in_srgb(image.convert("RGB") if image.mode == "P" else image, profile)
    return image if image.mode in ("RGB", "RGBX") else image.convert("RGB")


def is_srgb(profile: bytes | None) -> bool:
    """Whether RGB values under this profile are taken as sRGB.

    There is none, it changes nothing, or it cannot be used.
    """
    return not profile or len(profile) > MAX_PROFILE or _transform(profile, "RGB") is None


def _eight_bits(image: Image.Image) -> Image.Image:
    deep = np.asarray(image).astype(np.uint32).clip(0, 0xFFFF)
    grey = Image.fromarray(((deep + 128) // 257).astype(np.uint8)).convert("RGBA")
    hidden = image.info.get("transparency")
    if isinstance(hidden, int):
        grey.putalpha(Image.fromarray(np.where(deep == hidden, 0, 255).astype(np.uint8)))
    return grey


def _on_white(layered: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        coloured = _in_srgb(layered.convert("RGB"), profile)
        coloured.putalpha(layered.getchannel("A"))
        layered = coloured
    white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layered).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture in the colours that its profile means, where it has a usable one."""
    if image.mode not in ("RGB", "CMYK", "L") or len(profile) > MAX_PROFILE:
        return image
    transform = _transform(profile, image.mode)
    if transform is None:
        return image
    try:
        return cast(Image.Image, ImageCms.applyTransform(image, transform))
    except (ImageCms.PyCMSError, ValueError):
        return image


@functools.lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """To sRGB; None where the profile is broken, of other channels, or changes nothing.

    Few profiles are in use, and building a transform takes longer than applying it.
    """
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
        if mode == "RGB":
            probe = _probe()
            shown = ImageCms.applyTransform(probe, transform)
            moved = np.asarray(shown, dtype=int) - np.asarray(probe, dtype=int)
            if np.abs(moved).max() <= SAME_COLOUR:
                return None
        return transform
    return None


@functools.lru_cache(maxsize=1)
def _probe() -> Image.Image:
    """Colours all over the cube, 15 steps apart."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    return Image.fromarray(np.ascontiguousarray(cube.reshape(len(steps), -1, 3)))
