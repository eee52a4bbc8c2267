"""What a viewer is given, whatever it is, as datasets."""

from collections.abc import Sequence
from pathlib import Path

from openm3w.shards import manifest
from openm3w.shards.catalog import bare
from openm3w.shards.catalog.numbered import Numbered
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.manifest import Manifest

TABLE = ".parquet"


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


def open_samples(
    where: str, split: str | None = None, *, more: Sequence[Manifest] = ()
) -> Numbered:
    """The samples behind what `open_any` takes, or of a Parquet table of interleaved documents.

    `more` are datasets that stand behind those of `where`.

    Raises:
        InputError: there is no such file, or nothing in that split.
        ShardError: it is none of these, or damaged.
        MissingError: it is a table, and pyarrow is not installed.
    """
    path = Path(where)
    if path.suffix == TABLE and path.is_file():
        from openm3w.shards.catalog.tables import Table  # with the converters

        return Table(path)
    return Catalog((*open_any(where), *more), split)
