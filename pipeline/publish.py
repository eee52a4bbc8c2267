"""What every build does around its jobs: claim the folders, judge failures, publish.

A store may hold units of any recipe, since each says what it was made from; an output folder is
of one build, which the store remembers.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError
from openm3w.pipeline.locking import is_lock, only_writer
from openm3w.pipeline.report import write_report
from openm3w.shards import card, commit, manifest
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import MANIFEST_NAME, SUCCESS_NAME, Manifest
from openm3w.shards.sample import Kind

BUILD_NAME = "build.json"
"""In the store: which build it belongs to, and the seconds that each job took."""

BESIDE = "beside"
"""Key of what an identity holds that tells no build from another: it is noted and not digested."""

AGAIN = "again"
"""Key, in what is beside, of what a build asks the web again for."""

Say = Callable[[str], None]

_PUBLISHED = "published"
"""Key of a claim whose build was published once."""

OUTPUTS = "outputs"
"""In the store: a note on each output."""

_FEW = 100
"""Below so many the share of failures says little, and does not end a build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a build ended with."""

    manifest: Manifest
    already_done: bool
    """Everything was committed before, and nothing was done."""


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
    with only_writer(output):
        claim(output, store, identity)
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
        if around := next(filter(_is_dataset, folder.resolve().parents), None):
            raise OutputError(f"{folder}: is inside the dataset {around}; choose another {what}")


def _is_dataset(folder: Path) -> bool:
    """Whether shards are published there; of a mixture only the manifest stands in its folder."""
    kind = (commit.read_json(folder / MANIFEST_NAME) or {}).get("kind")
    return kind in get_args(Kind)


def claim(output: Path, store: Path, identity: Mapping[str, Any]) -> None:
    """Notes that `output` belongs to the build `identity`.

    Raises:
        OutputError: it holds another build, or something else.
    """
    mine = _digest(identity)
    check_place(output, store)
    note = _claim_path(output, store)
    theirs = _published_build(output) or (commit.read_json(note) or {}).get("build")
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


def _digest(identity: Mapping[str, Any]) -> str:
    return recipes.fingerprint({key: identity[key] for key in identity if key != BESIDE})


def identity_of(output: Path, store: Path) -> dict[str, Any] | None:
    """What `claim` was told about the build in `output`, or None.

    Where output or store was moved since, the build that the output's manifest names tells it.
    """
    here, built = _claim_path(output, store), _published_build(output)
    if built and _claimed_build(output, store) != built:
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


def _identity_in(note: Path) -> dict[str, Any] | None:
    identity = (commit.read_json(note) or {}).get("identity")
    return identity if isinstance(identity, dict) else None


def _identity_by_build(output: Path, store: Path) -> dict[str, Any] | None:
    built = _published_build(output)
    notes = sorted((store / OUTPUTS).glob("*.json")) if built else []
    named = (note for note in notes if (commit.read_json(note) or {}).get("build") == built)
    return next(filter(None, map(_identity_in, named)), None)


def find_store(output: Path) -> Path | None:
    """The store of the build in `output`: the default one, or a `*.work` beside it that claims it.

    An output says nothing of where it was made, so the folders beside it are asked: which has a
    note of it in this place, else which has one of the same build, as a store that was moved.
    """
    beside = sorted(output.resolve().parent.glob("*.work"))
    noted = [store for store in beside if _identity_in(_claim_path(output, store)) is not None]
    built = _published_build(output)
    # A store may claim an output that was removed and made from another store since.
    current = [store for store in noted if built in ("", _claimed_build(output, store))]
    if not noted:
        noted = current = [s for s in beside if _identity_by_build(output, s) is not None]
    if (usual := default_store(output)) in noted:
        return usual
    return current[0] if len(current) == 1 else None


def _claimed_build(output: Path, store: Path) -> str:
    return str((commit.read_json(_claim_path(output, store)) or {}).get("build", ""))


def _claim_path(output: Path, store: Path) -> Path:
    """One note for each output, so that builds that share a store do not evict each other."""
    return store / OUTPUTS / f"{output_key(output, store)}.json"


def output_key(output: Path, store: Path) -> str:
    """16 hex digits of where an output stands, seen from its store."""
    name = os.path.relpath(output.resolve(), store.resolve())
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def _published_build(output: Path) -> str:
    """The build that the output's manifest names; the store may have been removed since."""
    return str((commit.read_json(output / MANIFEST_NAME) or {}).get("build", ""))


def finished(output: Path) -> Manifest | None:
    """The manifest of a build that is complete and whose shards are still there in full size."""
    if not all((output / name).is_file() for name in (SUCCESS_NAME, MANIFEST_NAME)):
        return None
    (found,) = manifest.load(output / MANIFEST_NAME)
    return None if _torn_shards(output, found) else found


def _torn_shards(output: Path, found: Manifest) -> list[str]:
    """The shards of a manifest that are gone or of another size."""
    sizes = {shard.url: shard.filesize for shard in found.shards}
    paths = {url: output / url for url in sizes}
    return [
        url
        for url, path in paths.items()
        if not path.is_file() or path.stat().st_size != sizes[url]
    ]


@contextmanager
def timed(store: Path, job: str) -> Iterator[None]:
    """Adds the block's wall-clock seconds to those of earlier runs of this build."""
    started = time.perf_counter()
    yield
    path = store / BUILD_NAME
    known = commit.read_json(path) or {}
    seconds = {**seconds_by_job(store)}
    seconds[job] = round(seconds.get(job, 0.0) + time.perf_counter() - started, 3)
    commit.write_json(path, {**known, "seconds": seconds})


def seconds_by_job(store: Path) -> dict[str, float]:
    """Wall-clock seconds by job, added up over all runs."""
    return dict((commit.read_json(store / BUILD_NAME) or {}).get("seconds", {}))


def check_failures(
    stages: Iterable[Stage], max_failed_share: float, why: Sequence[str] = ()
) -> None:
    """Ends a build of which too much failed: something is wrong with the set-up.

    `why` are errors that say more than their names.

    Raises:
        InputError: with the commonest errors.
    """
    for stage in stages:
        if stage.entered >= _FEW and stage.num_failed > max_failed_share * stage.entered:
            raise InputError(
                f"job {stage.job}: {stage.num_failed / stage.entered:.0%} of {stage.entered} "
                f"{stage.unit} failed ({top(stage.failed)}), more than "
                f"max_failed_share={max_failed_share:.0%}{''.join(f'; {each}' for each in why)}"
            )


def summary(job: str, stages: Sequence[Stage]) -> str:
    """One line about a finished job."""
    parts = []
    for stage in stages:
        lost = {**stage.dropped, **stage.failed}
        text = f"{stage.kept} of {stage.entered} {stage.unit}"
        parts.append(f"{text} ({top(lost)})" if lost else text)
    return f"{job}: {'; '.join(parts)}"


def top(counts: Mapping[str, int], most: int = 4) -> str:
    """The commonest reasons with their numbers."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {count}" for name, count in ordered[:most])
    return f"{shown}, ..." if len(ordered) > most else shown


def publish(
    result: Manifest,
    report: Mapping[str, Any],
    identity: Mapping[str, Any] | None = None,
    store: Path | None = None,
) -> Manifest:
    """Writes report, card, manifest and, last, `_SUCCESS`.

    `identity` and `store` are what `claimed` was given.

    Raises:
        OutputError: another build has claimed the folder or replaced shards meanwhile, or it cannot
            be written.
    """
    named = replace(result, build=_digest(identity)) if identity else result
    if store is not None:
        _check_still_ours(named, store)
    write_report(named.root, report)
    card.write_extras(named)
    if not (data := named.root / "data").is_symlink():  # else others' files may be there
        for left in data.glob(".*.tmp"):  # of an attempt that was killed
            left.unlink(missing_ok=True)
    manifest.write(named)
    if store is not None:
        note = _claim_path(named.root, store)
        commit.write_json(note, {**(commit.read_json(note) or {}), _PUBLISHED: True})
    return named


def recipe_table(recipe: Any) -> dict[str, Any]:
    """A recipe as it is published and told from others: without where fetches are remembered.

    That place is of one machine or account, its URI may hold a password, and what is built does
    not depend on it.
    """
    table: dict[str, Any] = recipes.to_plain(recipe)
    if "fetch" in table:
        table["fetch"] = {key: table["fetch"][key] for key in table["fetch"] if key != "store"}
    return table


def _check_still_ours(result: Manifest, store: Path) -> None:
    """Where the folder's file system has no locks, another build may have come between."""
    output = result.root
    claims = {_claimed_build(output, store), _published_build(output) or result.build}
    if claims != {result.build} or _torn_shards(output, result):
        raise OutputError(
            f"{output}: another build has written to it meanwhile; remove the folder and run the "
            "same command again"
        )
