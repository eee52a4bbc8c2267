"""Links in folders of others: what they lead to is read only where it is of the same data.

A repository or an archive may hold a link to any file of the machine that reads it, whose bytes
would then stand in shards that are published.
"""

from pathlib import Path

from openm3w.errors import InputError


def check_links(folder: Path) -> None:
    """Looks whether every link in a folder stays in it; a file is as the user named it.

    In the cache of huggingface_hub (0.36, docs/source/en/guides/manage-cache.md) the files of
    `snapshots/<commit>` are links into `blobs` beside `snapshots`, which is why those may be.

    Raises:
        InputError: one leads elsewhere.
    """
    if not folder.is_dir():
        return
    real = folder.resolve()
    caches = [it.parent for it in (real, *real.parents) if it.name == "snapshots"]
    within = [real, *(cache / "blobs" for cache in caches)]
    for path in folder.rglob("*"):
        if path.is_symlink() and path.exists():
            target = path.resolve()
            if not any(map(target.is_relative_to, within)):
                raise InputError(
                    f"{path}: is a link to what is outside of {folder}, which is not followed; "
                    "name what it leads to, or put a copy in its place"
                )
