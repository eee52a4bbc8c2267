"""The loaders and their versions, and a virtual environment for each set that resolves together."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import OpenM3WError
from openm3w.shards.sample import KINDS

_TORCH = "torch==2.13.0"
"""Named wherever torch is needed: a loader's own requirement would bring the newest, with CUDA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A loader that is run in an environment."""

    title: str
    loader: str
    """A module of `loaders`."""
    distribution: str = ""
    """The package whose version is told; "" for the standard library."""
    kinds: Sequence[str] = KINDS
    controls: Sequence[str] = ()
    """Names of `controls.CONTROLS` beside those that every loader has to notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Packages that are installed together, and the loaders that are run with them."""

    name: str
    checks: Sequence[Check]
    requirements: Sequence[str] = ()
    alone: Sequence[str] = ()
    """Packages that are installed without what they require, most of which is not imported here."""


_WEBDATASET = Check(title="webdataset", loader="webdataset_stream", distribution="webdataset")

ENVIRONMENTS = (
    Environment(name="python", checks=(Check(title="Python's tarfile", loader="python_tarfile"),)),
    Environment(
        name="webdataset-0.2",
        requirements=("webdataset==0.2.111", "pillow", _TORCH),
        checks=(
            _WEBDATASET,
            Check(title="wids, in webdataset", loader="wids_index", distribution="webdataset"),
        ),
    ),
    Environment(
        name="webdataset-1", requirements=("webdataset==1.0.2", "pillow"), checks=(_WEBDATASET,)
    ),
    Environment(
        name="wids",
        requirements=("wids==0.1.11", "pillow", _TORCH),
        checks=(Check(title="wids", loader="wids_index", distribution="wids"),),
    ),
    Environment(
        name="datasets",
        requirements=("datasets==5.2.0", "pillow"),
        checks=(
            Check(
                title="HF datasets",
                loader="hf_datasets",
                distribution="datasets",
                controls=("a card without the columns", "a card with a column less"),
            ),
        ),
    ),
    Environment(
        name="energon",
        requirements=("megatron-energon==7.4.1", _TORCH),
        checks=(
            Check(
                title="Megatron-Energon",
                loader="energon",
                distribution="megatron-energon",
                controls=(
                    "a split.yaml that excludes nothing",
                    "an index whose offsets are shifted",
                ),
            ),
        ),
    ),
    Environment(
        name="nemo-curator",
        # 1.4.0 requires 130 packages, transformers and openai among them; its reader imports these.
        requirements=("ray==2.60.0", "pyarrow", "pandas", "fsspec", "loguru", "pillow"),
        alone=("nemo-curator==1.4.0", "cosmos-xenna==0.2.0"),
        checks=(
            Check(
                title="NeMo Curator's interleaved reader",
                loader="nemo_curator_reader",
                distribution="nemo-curator",
                kinds=("interleaved",),
            ),
        ),
    ),
)


def make(environment: Environment, root: Path) -> Path:
    """The Python of an environment below `root`, which is made where it is not there yet.

    Raises:
        OpenM3WError: its packages cannot be installed.
    """
    folder = root / environment.name
    stamp = folder / f".made-of-{_digest(environment)}"
    python = folder / "bin" / "python"
    if stamp.exists():
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], environment)
    for packages, options in ((environment.requirements, ()), (environment.alone, ("--no-deps",))):
        if packages:
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*pip, *options, *packages], environment)
    stamp.touch()
    return python


def _digest(environment: Environment) -> str:
    parts = [sys.version, *environment.requirements, "--", *environment.alone]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _run(command: Sequence[str], environment: Environment) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or "no word").splitlines()[-1]
        raise OpenM3WError(f"{environment.name}: cannot be made: {' '.join(command)}: {said}")
