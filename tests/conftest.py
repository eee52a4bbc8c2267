"""What tests share: where the real material is, and builders of small inputs."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real material; the test is skipped, saying so, where it is missing."""
    folder = Path(os.environ.get("OPENM3W_REALDATA", ROOT / "../shared/realdata")).resolve()
    if (folder / "warc").is_dir():
        return folder
    message = f"no real material at {folder}; set OPENM3W_REALDATA"
    if os.environ.get("OPENM3W_REQUIRE_REALDATA"):
        pytest.fail(message)
    pytest.skip(message)


def photograph(width: int, height: int, *, seed: int = 0) -> PillowImage.Image:
    """A picture with gradients and texture: neither single-coloured nor alike for two seeds."""
    import numpy as np

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.sin(x / (5 + seed % 7))[..., None] + np.cos(y / (3 + seed % 5))[..., None]
    noise = rng.normal(0, 0.2, (height, width, 3))
    pixels = 127 + 50 * (waves + noise) * rng.uniform(0.5, 1, 3)
    return PillowImage.fromarray(pixels.clip(0, 255).astype("uint8"))


@pytest.fixture(scope="session")
def image_bytes() -> Callable[..., bytes]:
    """`image_bytes(width, height, format="PNG", seed=0)`: an encoded picture."""

    def make(width: int, height: int, format: str = "PNG", *, seed: int = 0, **options) -> bytes:  # noqa: A002
        buffer = io.BytesIO()
        photograph(width, height, seed=seed).save(buffer, format=format, **options)
        return buffer.getvalue()

    return make
