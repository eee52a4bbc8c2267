"""What makes a folder a finished dataset, and what may stand around one."""

from pathlib import Path
from typing import get_args

from openm3w.errors import OutputError
from openm3w.shards import commit, manifest
from openm3w.shards.card import ENERGON_FOLDER
from openm3w.shards.manifest import MANIFEST_NAME, SUCCESS_NAME, Manifest
from openm3w.shards.sample import Kind

DATA_FOLDER = "data"


def finished(output: Path) -> Manifest | None:
    """The manifest of a dataset that is complete and whose shards are still there in full size."""
    if not all((output / name).is_file() for name in (SUCCESS_NAME, MANIFEST_NAME)):
        return None
    (found,) = manifest.load(output / MANIFEST_NAME)
    return None if torn_shards(output, found) else found


def torn_shards(output: Path, found: Manifest) -> list[str]:
    """The shards of a manifest that are gone or of another size."""
    sizes = {shard.url: shard.filesize for shard in found.shards}
    paths = {url: output / url for url in sizes}
    return [
        url
        for url, path in paths.items()
        if not path.is_file() or path.stat().st_size != sizes[url]
    ]


def remove_left(output: Path) -> None:
    """Removes temporary files of attempts that were killed; nobody else may be writing there."""
    for folder in (output, output / DATA_FOLDER, output / ENERGON_FOLDER):
        if folder == output or not folder.is_symlink():  # else others' files may be there
            for left in filter(_is_ours, folder.glob(".*.tmp")):
                left.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Whether only the writer of this dataset makes such a file.

    Beside shards of others, which their folder may be a dataset of, any command may be writing an
    index.
    """
    return path.parent.name == DATA_FOLDER or ".tar." not in path.name


def check_outside(folder: Path, option: str) -> None:
    """Looks whether a folder that is to be written is inside no dataset.

    Raises:
        OutputError: it is.
    """
    if around := next(filter(_is_dataset, folder.resolve().parents), None):
        raise OutputError(f"{folder}: is inside the dataset {around}; choose another {option}")


def _is_dataset(folder: Path) -> bool:
    """Whether shards are published there; of a mixture only the manifest stands in its folder."""
    kind = (commit.read_json(folder / MANIFEST_NAME) or {}).get("kind")
    return kind in get_args(Kind)
