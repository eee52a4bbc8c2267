"""Registers shards that others wrote: checked, counted, hashed and described where they lie.

Every shard is looked at before anything is said, so that all that cannot be adopted are named
together; what was found of the others is remembered.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from openm3w import __version__
from openm3w.errors import LISTED, InputError, OutputError, ShardError
from openm3w.pipeline import claims, publish
from openm3w.pipeline.captions.adopt_counts import index_path, is_described
from openm3w.pipeline.captions.adopt_memory import Facts, Memory
from openm3w.pipeline.captions.adopt_repeats import find_repeats
from openm3w.pipeline.captions.adopt_tar import UnfitShardError
from openm3w.pipeline.printing import quiet
from openm3w.pipeline.publish import Published, Say
from openm3w.shards import commit, funnel, manifest, published
from openm3w.shards.card import CARD_NAME, ENERGON_FOLDER
from openm3w.shards.funnel import Stage
from openm3w.shards.locking import is_lock, only_writer
from openm3w.shards.manifest import MANIFEST_NAME, Manifest
from openm3w.shards.writer import ShardEntry

SPLIT = "train"
"""Of every adopted shard: img2dataset mixes the domains, so none can be held out whole."""

_TOLD_EVERY = 30.0
"""Seconds between two lines on how far it is. Ours: as often as one looks at a long job."""

_LEFT_AFTER = 60.0
"""Seconds after which nobody writes an index any more. Ours: writing one takes milliseconds."""

_WORKERS = 4
"""Shards that are read at once. Ours: reading waits for disks, and more take turns at the
interpreter: of 538 MB with a busy disk 1 read 31 MB/s, 4 read 42 MB/s."""

Faults = Mapping[Path, UnfitShardError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Every shard of a folder is in one of the two."""

    fit: Mapping[Path, Facts]
    faults: Faults
    keys_repeat: bool


def adopt(
    folder: Path, output: Path, *, name: str, skip_damaged: bool = False, say: Say = quiet
) -> Published:
    """Writes `output/manifest.json` for the shards in `folder`, and an index beside each tar.

    Where `folder` cannot be written, there is no index, and that is told.

    Args:
        folder: Holds the tars.
        output: For the manifest; may be `folder`. What was found is remembered beside it.
        name: Of the dataset.
        skip_damaged: Leaves out shards that cannot be adopted, counts and lists them.
        say: Is told how far it is.

    Raises:
        InputError: there are no such shards, or none that can be adopted.
        ShardError: shards cannot be adopted: a line for each.
        OutputError: the output holds something else, is being written to, or cannot be written; or
            a folder of ours in it is a link.
    """
    tars = _tars(folder)
    store = claims.default_store(output)
    claims.check_place(output, store)
    for made in (output / ENERGON_FOLDER, store / "adopted"):
        commit.check_folder(made)
    with only_writer(output):
        known = _earlier(folder, output)
        # Data of others is often read-only; readers do without an index.
        can_index = os.access(folder, os.W_OK, effective_ids=True)
        checked = _checked(tars, Memory(root=store / "adopted", can_index=can_index), say)
        if checked.faults and not skip_damaged:
            raise ShardError(_told(folder, len(tars), checked.faults.values()))
        if not any(facts.nsamples for facts in checked.fit.values()):
            raise InputError(_nothing(folder, len(tars), checked.faults.values()))
        result = _manifest(folder, output, name, checked)
        if known is not None and manifest.to_json(known) == manifest.to_json(result):
            return Published(manifest=known, already_done=True)
        _remove_left(folder)
        if without := sum(not index_path(tar).is_file() for tar in checked.fit):
            say(
                f"{folder}: cannot be written, so {without} shards have no index; readers walk "
                "the headers of a tar instead"
            )
        report = {
            "name": name,
            "stages": result.counts["stages"],
            "versions": result.versions,
            "notes": [f"left out: {fault}" for fault in checked.faults.values()],
        }
        return Published(manifest=publish.publish(result, report), already_done=False)


def _tars(folder: Path) -> list[Path]:
    if not folder.is_dir():
        what = "is a file; name the folder that holds it" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}")
    tars = sorted(path for path in folder.glob("*.tar") if path.is_file())
    if not tars:
        raise InputError(
            f"{folder}: no .tar files; img2dataset writes them with --output_format webdataset"
        )
    return tars


def _remove_left(folder: Path) -> None:
    """Removes what a command that was killed has left of an index; another may be writing one."""
    for left in folder.glob(".*.tar.idx.*.tmp"):
        with contextlib.suppress(OSError):  # gone meanwhile, or the folder is read-only
            if time.time() - left.stat().st_mtime > _LEFT_AFTER:
                left.unlink()


def _earlier(folder: Path, output: Path) -> Manifest | None:
    """The manifest of an earlier adoption of this folder, if its shards are there in full size."""
    own = output.resolve() == folder.resolve()
    if not (output / MANIFEST_NAME).exists():
        if own and (output / CARD_NAME).exists():
            raise OutputError(
                f"{output}: has a {CARD_NAME} already, which would be overwritten; "
                "choose another --output"
            )
        if not own and not all(map(is_lock, output.iterdir())):
            raise OutputError(f"{output}: holds files of something else; choose another --output")
        return None
    (known,) = manifest.load(output)
    if known.recipe.get("adopted") != folder.resolve().name:
        raise OutputError(f"{output}: holds another dataset; choose another --output")
    return published.finished(output)


def _checked(tars: Sequence[Path], memory: Memory, say: Say) -> Checked:
    found: dict[Path, Facts] = {}
    faults: dict[Path, UnfitShardError] = {}
    for tar in tars:
        if (facts := memory.recall(tar)) is not None:
            found[tar] = facts
    if found:
        say(f"{len(found)} of {len(tars)} shards were checked before")
    described = any(map(is_described, tars))

    def check(tar: Path) -> Facts | UnfitShardError:
        try:
            return memory.check(tar, described=described)
        except UnfitShardError as error:
            return error

    told, pending = time.monotonic(), [tar for tar in tars if tar not in found]
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        for number, (tar, result) in enumerate(zip(pending, pool.map(check, pending), strict=True)):
            if isinstance(result, UnfitShardError):
                faults[tar] = result
            else:
                found[tar] = result
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                say(f"{number + 1} of {len(pending)} shards checked, {len(faults)} of them unfit")
    repeats = find_repeats({tar: found[tar] for tar in tars if tar in found})
    faults.update(repeats.faults)
    return Checked(
        fit={tar: found[tar] for tar in tars if tar not in faults},
        faults={tar: faults[tar] for tar in tars if tar in faults},
        keys_repeat=repeats.keys_repeat,
    )


def _told(folder: Path, num_tars: int, faults: Iterable[UnfitShardError]) -> str:
    lines = [str(fault) for fault in faults]
    head = (
        f"{folder}: {len(lines)} of {num_tars} shards cannot be adopted; mend or remove them, or "
        "leave them out with --skip-damaged:"
    )
    return LISTED.join([head, *lines])


def _nothing(folder: Path, num_tars: int, faults: Iterable[UnfitShardError]) -> str:
    lines = [str(fault) for fault in faults]
    if not lines:
        return f"{folder}: no shard has a sample; is it the folder that was meant?"
    head = f"{folder}: {num_tars} shards without a single sample that can be adopted:"
    return LISTED.join([head, *lines])


def _manifest(folder: Path, output: Path, name: str, checked: Checked) -> Manifest:
    entries = [_entry(tar, facts, output) for tar, facts in checked.fit.items() if facts.nsamples]
    stages = [_shards_stage(checked), *(facts.funnel for facts in checked.fit.values())]
    is_own = not checked.keys_repeat and all(facts.has_ids for facts in checked.fit.values())
    return Manifest(
        name=name,
        kind="caption",
        shards=tuple(entries),
        root=output,
        keys="own" if is_own else "foreign",
        recipe={"adopted": folder.resolve().name},
        versions={"openm3w": __version__},
        counts={"stages": [funnel.to_json(stage) for stage in funnel.merge(stages)]},
    )


def _shards_stage(checked: Checked) -> Stage:
    empty = sum(facts.nsamples == 0 for facts in checked.fit.values())
    kinds = [fault.kind for fault in checked.faults.values()]
    counts = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    dropped = {kind: count for kind, count in counts.items() if kind == "duplicate"}
    return Stage(
        job="adopt",
        unit="shards",
        entered=len(checked.fit) + len(checked.faults),
        kept=len(checked.fit) - empty,
        dropped=dropped | ({"empty": empty} if empty else {}),
        failed={kind: count for kind, count in counts.items() if kind != "duplicate"},
    )


def _entry(tar: Path, facts: Facts, output: Path) -> ShardEntry:
    return ShardEntry(
        url=Path(os.path.relpath(tar.resolve(), output.resolve())).as_posix(),
        split=SPLIT,
        nsamples=facts.nsamples,
        filesize=facts.filesize,
        sha256=facts.sha256,
        images=facts.nsamples,
        characters=facts.characters,
        max_images=1,
    )
