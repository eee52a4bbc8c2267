"""The index of nearest neighbours, by clip-retrieval's own function.

It runs in a process of its own: autofaiss writes its progress to standard output, and faiss'
threads and torch's need not meet.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from openm3w.errors import InputError
from openm3w.shards import commit
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Side
from openm3w.shards.terminal import clean_line

_SCRATCH = ".neighbours-"

_PROGRAM = Path(__file__).with_name("clip_index.py")


def is_installed() -> bool:
    """Whether clip-retrieval is here."""
    return importlib.util.find_spec("clip_retrieval") is not None


def build(output: Path, sides: Sequence[Side]) -> None:
    """Makes `image.index` and `text.index` of the embeddings in `output`; both appear whole.

    Raises:
        InputError: clip-retrieval failed.
    """
    _clear(output)
    scratch = output / f"{_SCRATCH}{uuid.uuid4().hex}"
    scratch.mkdir()
    try:
        _index(output, scratch.name)
        for side in sides:
            made = layout.nearest_path(scratch, side)
            if not made.is_file():
                raise InputError(f"{output}: clip-retrieval made no {made.name}")
            about = commit.read_json(made.with_suffix(".json")) or {}
            # autofaiss names the folder in which it was made.
            commit.write_json(output / f"{side}.json", {**about, "index_path": made.name})
            made.replace(layout.nearest_path(output, side))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def remove(output: Path) -> None:
    """Removes the indices, which are of other embeddings."""
    for side in layout.SIDES:
        layout.nearest_path(output, side).unlink(missing_ok=True)
        (output / f"{side}.json").unlink(missing_ok=True)
    _clear(output)


def _clear(output: Path) -> None:
    """Removes what runs left that were killed."""
    for left in output.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)


def _index(output: Path, scratch: str) -> None:
    with tempfile.TemporaryDirectory(prefix="openm3w-") as folder:
        # Names of folders are patterns to autofaiss: one with brackets would hold no embeddings.
        link = Path(folder) / "index"
        link.symlink_to(output.resolve())
        arguments = {
            "embeddings_folder": str(link),
            "index_folder": str(link / scratch),
            "copy_metadata": False,
        }
        # -P: nothing that lies beside the program is taken for a library.
        _run(output, [sys.executable, "-P", str(_PROGRAM), json.dumps(arguments)])


def _run(output: Path, command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")  # noqa: S603
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise InputError(
            f"{output}: clip-retrieval made no index "
            f"({clean_line(said[-1]) if said else f'exit code {done.returncode}'}); the embeddings "
            "are whole, and `m3w search --exact` needs no index"
        )
