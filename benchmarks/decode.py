"""CPU time of our decoding beside bare libraries, on the same photographs in one run.

    OPENM3W_REALDATA=FOLDER python benchmarks/decode.py

2,000 photographs of Flickr8k are written as JPEGs with a longer side of 256 to 512 px. Libraries
that are not installed are left out (pyvips: `pip install pyvips pyvips-binary`).
"""

import argparse
import importlib.util
import io
import os
import platform
import random
import sys
import tarfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure.tables import print_row, version
from PIL import Image

from openm3w.pipeline.captions.resize import Resizing, size_after
from openm3w.pipeline.captions.scaling import bgr, cv2, kernel, scaled
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.images.decode import Encoding, encode
from openm3w.pipeline.images.measures import measure, original

SET = "flickr8k/train.tar"
DISTRIBUTIONS = ("pillow", "simplejpeg", "opencv-python-headless", "pyvips", "img2dataset")
QUALITY = 90

PIXELS_OF = 200
"""Photographs whose pixels are held for the reduction alone: some 90 MB."""

Step = Callable[[Any], object]
"""Of a file, or of its pixels."""


def main() -> None:
    """Prints a table of decoders, and one of whole paths."""
    options = _options()
    archive = options.realdata / SET
    if not archive.is_file():
        sys.exit(f"{options.realdata}: no {SET}; set OPENM3W_REALDATA")
    warnings.simplefilter("ignore")  # of what img2dataset imports
    files = photographs(archive, options.images)
    size = sum(map(len, files)) / len(files)
    found = ", ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS)
    print(f"Python {platform.python_version()}, {found}.")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.")
    print(f"{len(files)} JPEGs, {size:,.0f} bytes on average.\n")
    print_costs(files, decoders(), options.rounds, base="Pillow")
    for side in (256, 512):
        print(f"Longest side {side}, quality {QUALITY}:\n")
        print_costs(files, interleaved(side), options.rounds, base="bare Pillow")
    if not (_is_installed("img2dataset") and _is_installed("simplejpeg")):
        return
    print("img2dataset's defaults: 256, quality 95, area:\n")
    print_costs(files, captioned(), options.rounds, base="img2dataset's resizer")
    print(f"Of it, reducing by area, from the pixels of the first {PIXELS_OF}:\n")
    print_costs(pixels(files[:PIXELS_OF]), reduced(), options.rounds, base="OpenCV")


def photographs(archive: Path, count: int) -> list[bytes]:
    """Photographs as JPEGs of 256 to 512 pixels; the same for the same count."""
    chance, files = random.Random(5), []
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name.endswith(".jpg") else None
            if content is None:
                continue
            picture = Image.open(content).convert("RGB")
            scale = chance.randint(256, 512) / max(picture.size)
            size = round(picture.width * scale), round(picture.height * scale)
            picture = picture.resize(size, Image.Resampling.LANCZOS)
            files.append(_as_jpeg(picture, chance.choice((75, 80, 85, 90))))
            if len(files) == count:
                break
    return files


def decoders() -> Mapping[str, Step]:
    """Each from bytes to an array or bitmap of RGB."""
    found: dict[str, Step] = {"Pillow": lambda data: Image.open(io.BytesIO(data)).load()}
    if _is_installed("simplejpeg"):
        import simplejpeg

        found["simplejpeg"] = lambda data: simplejpeg.decode_jpeg(data, "RGBX")
    if _is_installed("cv2"):
        found["OpenCV"] = lambda data: cv2().imdecode(
            np.frombuffer(data, np.uint8), cv2().IMREAD_COLOR
        )
    if _is_installed("pyvips"):
        import pyvips

        pyvips.cache_set_max(0)
        found["pyvips"] = lambda data: pyvips.Image.new_from_buffer(data, "").numpy()
    return found


def interleaved(side: int) -> Mapping[str, Step]:
    """Interleaved builds, beside the same without guards and measures."""

    def bare(data: bytes) -> bytes:
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        if max(picture.size) > side:
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        return _as_jpeg(picture, QUALITY)

    encoding = Encoding(side=side, quality=QUALITY)
    keeping = Encoding(side=side, quality=QUALITY, keep_bytes=True)
    return {
        "bare Pillow": bare,
        "ours": lambda data: encode(data, encoding),
        "ours, bytes kept where they fit": lambda data: encode(data, keeping),
        "of it: digests": original,
        "of it: measures of the whole picture": lambda data: measure(Image.open(io.BytesIO(data))),
    }


def captioned() -> Mapping[str, Step]:
    """Caption builds, beside the resizer whose bytes they have."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    from img2dataset.resizer import Resizer

    bare = Resizer(256, "keep_ratio_largest", resize_only_if_bigger=True, encode_quality=95)
    return {
        "img2dataset's resizer": lambda data: bare(io.BytesIO(data)),
        "ours": Resizing(images=Images(), resize=Resize()),
        "ours, whole and bytes kept": Resizing(
            images=Images(keep_bytes=True), resize=Resize(mode="no")
        ),
    }


def pixels(files: Sequence[bytes]) -> Sequence[Any]:
    """RGBX, as our decoder gives them."""
    import simplejpeg

    return [simplejpeg.decode_jpeg(data, "RGBX") for data in files]


def reduced() -> Mapping[str, Step]:
    """A longest side of 256 by OpenCV's `INTER_AREA`, and by ours, with the same bytes."""
    if kernel() is None:
        sys.exit("pipeline/captions/area.c is not built; run make setup")
    resize = Resize(side=256)

    def size(pixels: Any) -> tuple[int, int]:
        return size_after(resize, pixels.shape[1], pixels.shape[0])

    return {
        "OpenCV": lambda pixels: cv2().resize(
            bgr(pixels), size(pixels), interpolation=cv2().INTER_AREA
        ),
        "ours": lambda pixels: scaled(pixels, size(pixels), is_smaller=True),
    }


def print_costs(files: Sequence[Any], steps: Mapping[str, Step], rounds: int, *, base: str) -> None:
    """CPU time of a file, the least of all rounds; they take turns, so that load meets them all."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            for data in files:
                step(data)
            best[name] = min(best[name], time.process_time() - start)
    print_row(("what", "ms of CPU", f"x {base}"))
    print_row(["---"] * 3)
    for name, seconds in best.items():
        print_row([name, f"{1e3 * seconds / len(files):.2f}", f"{seconds / best[base]:.2f}"])
    print()


def _as_jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _options() -> argparse.Namespace:
    realdata = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata")).resolve()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--realdata", type=Path, default=realdata)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts")
    options = parser.parse_args()
    if min(options.rounds, options.images) < 1:
        parser.error("expected --images and --rounds of at least 1")
    return options


if __name__ == "__main__":
    main()
