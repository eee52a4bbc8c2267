"""Which build an output belongs to: said before its work, and found again after it.

A store may hold units of any recipe, since each says what it was made from; an output folder is
of one build, which the store remembers.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openm3w import recipe as recipes
from openm3w.errors import OutputError
from openm3w.shards import commit, published
from openm3w.shards.locking import is_lock, only_writer
from openm3w.shards.manifest import MANIFEST_NAME

BUILD_NAME = "build.json"
"""In the store: which build it belongs to, and the seconds that each job took."""

OUTPUTS = "outputs"
"""In the store: a note on each output."""

DROPPED = "dropped"
"""In the store: a folder for each output, with a sample of what its build dropped."""

BESIDE = "beside"
"""Key of what an identity holds that tells no build from another: it is noted and not digested."""

AGAIN = "again"
"""Key, in what is beside, of what a build asks the web again for."""

_PUBLISHED = "published"
"""Key of a claim whose build was published once."""


def default_store(output: Path) -> Path:
    """`out.work` beside `out`, also where `output` is written with a slash or as `.`.

    Raises:
        OutputError: `output` is the root, beside which nothing stands.
    """
    resolved = output.resolve()
    if not resolved.name:
        raise OutputError(f"{output}: is a whole file system; name a folder in it")
    return resolved.with_name(f"{resolved.name}.work")


@contextmanager
def claimed(output: Path, store: Path, identity: Mapping[str, Any]) -> Iterator[None]:
    """Has `output` for the build `identity` alone while the block runs.

    Raises:
        OutputError: it holds another build or something else, or another build is writing to it.
    """
    check_place(output, store)
    with only_writer(output) as alone:
        claim(output, store, identity)
        if alone:  # now: each killed attempt left a shard's worth, which would pile up
            published.remove_left(output)
        yield


def check_place(output: Path, store: Path) -> None:
    """Looks whether output and store can stand where they are wanted.

    Raises:
        OutputError: one is a file, inside the other, or inside a dataset.
    """
    for folder, what in ((output, "--output"), (store, "--store")):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file; choose another {what}")
    ours, store_path = output.resolve(), store.resolve()
    if ours == store_path or ours in store_path.parents or store_path in ours.parents:
        raise OutputError(f"{output}: and --store {store} must stand side by side, not inside")
    if (store / MANIFEST_NAME).exists():
        raise OutputError(f"{store}: holds a dataset; choose another --store")
    for folder, what in ((output, "--output"), (store, "--store")):
        published.check_outside(folder, what)


def claim(output: Path, store: Path, identity: Mapping[str, Any]) -> None:
    """Notes that `output` belongs to the build `identity`.

    Raises:
        OutputError: it holds another build, or something else.
    """
    mine = digest_of(identity)
    check_place(output, store)
    note = _claim_path(output, store)
    theirs = published_build(output) or claimed_build(output, store)
    occupied = output.is_dir() and not all(map(is_lock, output.iterdir()))
    if occupied and theirs != mine:
        if not theirs:
            raise OutputError(f"{output}: holds files of something else; choose another --output")
        what = "a build of another recipe or input"
        before = identity_of(output, store)
        if _same_request(before, identity):
            changed = "a list, a profile or OpenM3W changed"
            if _again_of(before) != _again_of(identity):
                changed = "its URLs were asked again (--refetch)"
            what = f"the same build as it was before {changed}"
        raise OutputError(
            f"{output}: holds {what}; choose another --output (with --store {store} what has not "
            "changed is not done again)"
        )
    if theirs and theirs != mine and note.exists():
        # Of an output that was moved away, it may be; where it is now, its build tells it.
        note.replace(note.with_name(f"{theirs}.json"))
    was = commit.read_json(note) or {}
    published = {_PUBLISHED: True} if was.get(_PUBLISHED) and was.get("build") == mine else {}
    commit.write_json(note, {"build": mine, "identity": dict(identity), **published})
    path = store / BUILD_NAME
    known = commit.read_json(path) or {}
    if known.get("fingerprint") != identity.get("fingerprint"):
        known.pop("seconds", None)  # another build's
    commit.write_json(path, {**known, **identity})


def _same_request(before: Mapping[str, Any] | None, identity: Mapping[str, Any]) -> bool:
    """Whether both were asked for in the same words, as far as both know them."""
    asked = ("model", "sources", "images")
    if before is None or any(before.get(key) != identity.get(key) for key in asked):
        return False
    old, new = dict(before.get("recipe", {})), dict(identity.get("recipe", {}))
    if "" in (old.get("language"), new.get("language")):
        old["language"] = new["language"] = ""  # once a recipe always had one
    return old == new


def _again_of(identity: Mapping[str, Any] | None) -> Any:
    return (identity or {}).get(BESIDE, {}).get(AGAIN)


def digest_of(identity: Mapping[str, Any]) -> str:
    """What a build is called in its manifest and in notes: digits of all that is not beside."""
    return recipes.fingerprint({key: identity[key] for key in identity if key != BESIDE})


def identity_of(output: Path, store: Path) -> dict[str, Any] | None:
    """What `claim` was told about the build in `output`, or None.

    Where output or store was moved since, the build that the output's manifest names tells it.
    """
    here, built = _claim_path(output, store), published_build(output)
    if built and claimed_build(output, store) != built:
        # Another output was moved here, whose note is of where it was.
        return _identity_by_build(output, store)
    return _identity_in(here)


def noted_beside(output: Path, store: Path) -> dict[str, Any]:
    """What the identity of the build in `output` holds beside; empty where there is none.

    Nor is there one where it was published and the output has been removed since.
    """
    note = commit.read_json(_claim_path(output, store)) or {}
    if note.get(_PUBLISHED) and not (output / MANIFEST_NAME).exists():
        return {}
    return dict((identity_of(output, store) or {}).get(BESIDE, {}))


def note_published(output: Path, store: Path) -> None:
    """Notes that the build in `output` was published once."""
    note = _claim_path(output, store)
    commit.write_json(note, {**(commit.read_json(note) or {}), _PUBLISHED: True})


def find_store(output: Path) -> Path | None:
    """The store of the build in `output`: the default one, or a `*.work` beside it that claims it.

    An output says nothing of where it was made, so the folders beside it are asked: which has a
    note of it in this place, else which has one of the same build, as a store that was moved.
    """
    beside = sorted(output.resolve().parent.glob("*.work"))
    noted = [store for store in beside if _identity_in(_claim_path(output, store)) is not None]
    built = published_build(output)
    # A store may claim an output that was removed and made from another store since.
    current = [store for store in noted if built in ("", claimed_build(output, store))]
    if not noted:
        noted = current = [s for s in beside if _identity_by_build(output, s) is not None]
    if (usual := default_store(output)) in noted:
        return usual
    return current[0] if len(current) == 1 else None


def _identity_in(note: Path) -> dict[str, Any] | None:
    identity = (commit.read_json(note) or {}).get("identity")
    return identity if isinstance(identity, dict) else None


def _identity_by_build(output: Path, store: Path) -> dict[str, Any] | None:
    built = published_build(output)
    notes = sorted((store / OUTPUTS).glob("*.json")) if built else []
    named = (note for note in notes if (commit.read_json(note) or {}).get("build") == built)
    return next(filter(None, map(_identity_in, named)), None)


def claimed_build(output: Path, store: Path) -> str:
    """The build that the store's note of the output names, or ""."""
    return str((commit.read_json(_claim_path(output, store)) or {}).get("build", ""))


def _claim_path(output: Path, store: Path) -> Path:
    """One note for each output, so that builds that share a store do not evict each other."""
    return store / OUTPUTS / f"{output_key(output, store)}.json"


def output_key(output: Path, store: Path) -> str:
    """16 hex digits of where an output stands, seen from its store."""
    name = os.path.relpath(output.resolve(), store.resolve())
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def dropped_folder(output: Path, store: Path) -> Path:
    """Where the sample of what an output's build dropped stands: builds of a store have one each.

    See `openm3w.pipeline.dropped`.
    """
    return store / DROPPED / f"{output.resolve().name}-{output_key(output, store)[:8]}"


def published_build(output: Path) -> str:
    """The build that the output's manifest names, or ""; its store may have been removed since."""
    return str((commit.read_json(output / MANIFEST_NAME) or {}).get("build", ""))
