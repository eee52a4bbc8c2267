"""What a viewer is given, whatever it is, as datasets."""

from pathlib import Path

from openm3w.shards import manifest
from openm3w.shards.catalog import bare
from openm3w.shards.manifest import Manifest


def open_any(where: str) -> tuple[Manifest, ...]:
    """The datasets behind a manifest, its folder, a mixture, or a tar without any.

    Raises:
        InputError: there is no such file.
        ShardError: it is none of these, or damaged.
    """
    path = Path(where)
    if path.suffix == bare.ENDING and path.is_file():
        return (bare.bare(path),)
    return manifest.load(where)
