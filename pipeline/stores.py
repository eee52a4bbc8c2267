"""`--store`: where a build keeps what later runs reuse, and what cannot be such a place."""

import re
from dataclasses import dataclass
from pathlib import Path

import click

from openm3w.errors import RecipeError
from openm3w.pipeline.claims import BUILD_NAME, OUTPUTS, default_store
from openm3w.pipeline.fetch.store import marker
from openm3w.pipeline.fetch.store.opening import FETCHED
from openm3w.shards import commit
from openm3w.shards.uris import is_remote, is_web, local_path, shown

_OURS = frozenset({BUILD_NAME, OUTPUTS, FETCHED, "adopted"})
"""One of these is in every store: a build notes its claim before its jobs begin."""
_NOTHING = frozenset({"lost+found"})
"""What is in a file system that was made just now."""
_ONE_SLASH = re.compile(r"[a-z][a-z0-9+.-]+:/(?!/)", re.IGNORECASE)


store_option = click.option(
    "--store",
    metavar="FOLDER|URI",
    help="Folder that the jobs commit to and reuse. Of a URI (s3://bucket/shared) URI/fetched "
    "has what is fetched, and OUTPUT.work the rest.  [default: OUTPUT.work]",
)

folder_option = click.option(
    "--store",
    metavar="FOLDER",
    help="Folder for what later runs reuse.  [default: OUTPUT.work]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where a build keeps what later runs reuse."""

    jobs: Path
    """What its jobs commit."""
    shared: str = ""
    """URI of what is remembered of fetches; "": where the recipe says, or in `jobs`."""


def stores_of(value: str | None, output: Path) -> Stores:
    """What `--store` means for a build into `output`.

    Raises:
        RecipeError: no store can be there: it is empty, of a web server, mistyped, a file, a store
            of fetches itself, or a folder of something else.
        OutputError: none can stand beside `output`.
    """
    if value is None:
        return Stores(jobs=default_store(output))
    if not value.strip():
        raise RecipeError("--store '': an empty name; is a variable of the shell not set?")
    if is_web(value):
        raise _refused(value, "a web server keeps nothing; name a folder, s3://")
    if found := _ONE_SLASH.match(value):
        raise _refused(value, f"has one slash; a URI begins with {found[0]}/")
    if is_remote(value):
        return Stores(jobs=default_store(output), shared=f"{_checked_uri(value)}/{FETCHED}")
    return Stores(jobs=_checked_folder(value))


def folder_of(value: str | None, output: Path) -> Path:
    """What `--store` means for a build into `output` that asks nothing of the web.

    Raises:
        RecipeError: as of `stores_of`, or it is no folder of this machine.
        OutputError: as of `stores_of`.
    """
    stores = stores_of(value, output)
    if stores.shared:
        raise _refused(value or "", "nothing is fetched here; name a folder of this machine")
    return stores.jobs


def _checked_uri(value: str) -> str:
    """A URI without a slash at its end; what is there is asked when the store is opened."""
    uri = value.rstrip("/")
    if uri.endswith(":"):
        raise _refused(value, f"names no place; write {uri}//BUCKET/FOLDER")
    around, _, name = uri.rpartition("/")
    if name == FETCHED and not around.endswith("/"):
        raise _refused(value, f"is where fetches are remembered; name what it is in, {around}")
    return uri


def _checked_folder(value: str) -> Path:
    path = Path(local_path(value))
    try:
        fault = _fault(path)
    except OSError as error:
        fault = f"cannot be read: {error.strerror or error}; see that this account may read it"
    if fault:
        raise _refused(value, fault)
    return path


def _fault(path: Path) -> str:
    """Why no store can be at a path, or ""."""
    if not path.is_dir():
        return "is a file; name a folder" if path.exists() else ""
    if (commit.read_json(path / marker.NAME) or {}).get("kind") == marker.KIND:
        place = path.resolve()
        where = f"the folder it is in, {place.parent}"
        if place.name != FETCHED:
            where = f"another, and this one by --set fetch.store={place}"
        return f"is where fetches are remembered; name {where}"
    names = {one.name for one in path.iterdir() if not one.name.startswith(".")} - _NOTHING
    if names and not names & _OURS:
        return "holds files of something else; name a new or an empty folder"
    return ""


def _refused(value: str, why: str) -> RecipeError:
    return RecipeError(f"--store {shown(value)}: {why}")
