"""A deletion request over datasets and the stores of their builds, from the first step to the last.

1. Tombstones, so that no job and no fetch brings back what goes.
2. The exclude list of the manifest, so that no reader gives it out any more.
3. Shards without it, then the manifest that names them.
4. What the store has of it: tables, packs, fetches.
5. The report, and a line in the ledger.

Each step is committed before the next; after a crash the same command goes on where it stopped.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openm3w.errors import InputError
from openm3w.pipeline import claims, exported
from openm3w.pipeline.fetch.store import forgotten
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.opening import FETCHED
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.redacting import reach, reports
from openm3w.pipeline.redacting import store as stores
from openm3w.pipeline.redacting.pages import chains
from openm3w.pipeline.redacting.requests import Entry, lines_of
from openm3w.shards import commit, manifest
from openm3w.shards.catalog import cache
from openm3w.shards.locking import only_writer
from openm3w.shards.manifest import MANIFEST_NAME
from openm3w.shards.redaction import applying, ledger
from openm3w.shards.redaction.matching import Edits, find_edits
from openm3w.shards.redaction.work import Work, end
from openm3w.shards.search import folder
from openm3w.shards.terminal import counted

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What a request came to in one dataset."""

    dataset: str
    store: str
    samples: int
    """That went whole, or would."""
    images: int
    """That went, those of whole samples too."""
    shards: int
    """Written anew, or removed."""
    excluded: int
    """Keys that the manifest hides for redactions that wait for their rewrite."""
    tombstones: int
    """Entries that were not buried before."""
    rows: int = 0
    """Of the tables of the store."""
    fetched: int = 0
    """Rows of what is remembered of fetches."""
    elsewhere: tuple[str, ...] = ()
    """Shards of others that stay where they stand: the manifest names ours instead."""
    index: str = ""
    """Of search, beside the dataset; "" where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, and how far it goes."""

    entries: tuple[Entry, ...]
    whole: bool = False
    """A document goes with an image of it."""
    exclude_only: bool = False
    dry_run: bool = False


def datasets_of(where: str) -> tuple[list[Path], Path | None]:
    """The folders of the datasets behind a manifest or a mixture, and the mixture's file.

    Also of a mixture whose parts have changed, which readers refuse: an attempt before may have
    changed one.

    Raises:
        InputError: there is no such file.
        ShardError: it is no manifest.
    """
    file = Path(where)
    file = file / MANIFEST_NAME if file.is_dir() else file
    value = commit.read_json(file) or {}
    rows = value.get("manifests")
    if value.get("kind") != "mixture" or not isinstance(rows, list):
        return [manifest.load(file)[0].folder], None
    return [manifest.load(file.parent / str(row["url"]))[0].folder for row in rows], file


def index_of(where: str | Path) -> str:
    """The folder of the search index beside a dataset or a mixture; "" where there is none."""
    place = folder.beside(str(where))
    return str(place) if folder.about_path(place).exists() else ""


def redact(root: Path, request: Request, *, store: Path | None, say: Say) -> Redacted:
    """Carries a request out on one dataset and the store of its build.

    Raises:
        InputError: an entry cannot be buried.
        ShardError: a shard is missing or damaged.
        OutputError: a file cannot be written, or another command is writing to the dataset.
    """
    place = store or claims.find_store(root) or claims.default_store(root)
    if place.resolve() == root.resolve() or root.resolve() in place.resolve().parents:
        raise InputError(f"--store {place}: is inside the dataset; name the store of its build")
    memories = _memories(root, place)
    if not request.exclude_only:
        chains(place)  # before anything is changed: what cannot be purged is told
    if request.dry_run:
        return _looked(root, place, memories, request)
    # Outputs share stores, whose tables and ledger are read, changed and written.
    with only_writer(root, in_place=True), only_writer(place, in_place=True):
        return _redacted(root, place, memories, request, say)


def _redacted(
    root: Path, place: Path, memories: Sequence[Memory], request: Request, say: Say
) -> Redacted:
    meant = stores.meant_in(place, _all([*_tombstones(memories), *_forgotten(request.entries)]))
    of_contents = [("sha256", digits) for digits in sorted(meant.hashes)]
    new = max(_bury(memory, [*request.entries, *of_contents]) for memory in memories)  # type: ignore[list-item]
    say(f"{root}: {counted(new, 'tombstone')} in {', '.join(m.blobs.shown for m in memories)}")
    (dataset,) = manifest.load(root)
    dataset = applying.resume(dataset)
    edits = find_edits(dataset, meant, whole=request.whole)
    if request.whole and dataset.kind == "interleaved":
        # By their ids: nothing else tells a later build, or a later request, that they go whole.
        ids = [("doc-id", known) for known in sorted(_keys(edits) | reach.holders(place, meant))]
        new += max(_bury(memory, ids) for memory in memories)  # type: ignore[arg-type]
        meant = stores.meant_in(place, _all(_tombstones(memories)))
    dataset = applying.hide(dataset, edits)
    stores.hide_dropped(place, meant)
    cache.forget(root)
    cache.forget(place)  # of samples of what was dropped
    say(f"{root}: {counted(len(_keys(edits)), 'sample')} on the exclude list")
    gone: dict[str, int] = {}
    if not request.exclude_only:
        dataset = applying.take_out(dataset, edits, meant)
        done = Work.of(root).done
        say(f"{root}: {counted(len(done), 'shard')} written anew")
        gone = stores.purge(place, meant, memories)
        fetched = f"{gone['fetched']:,} of fetches"
        say(f"{place}: {counted(gone['rows'], 'row')} and {fetched} are gone")
        reports.rewrite(dataset, meant.tombstones)
    result = _result(root, place, edits, new, gone)
    _note(place, root, request, result)
    if not request.exclude_only:
        end(root)
    return result


def _looked(root: Path, place: Path, memories: Sequence[Memory], request: Request) -> Redacted:
    meant = stores.meant_in(place, _all([*_tombstones(memories), *_forgotten(request.entries)]))
    (dataset,) = manifest.load(root)
    edits = find_edits(dataset, meant, whole=request.whole)
    known = _all(_tombstones(memories)).forgotten
    new = sum(not known.holds(sort, spelling) for sort, spelling in request.entries)
    some = [edit for each in edits.values() for edit in each]
    return Redacted(
        dataset=str(root),
        store=str(place),
        samples=sum(edit.whole for edit in some),
        images=sum(edit.num_images for edit in some),
        shards=len(edits),
        excluded=len({edit.key for edit in some} - set(dataset.exclude)),
        tombstones=new,
        index=index_of(root),
    )


def _memories(root: Path, place: Path) -> list[Memory]:
    """The stores of fetches that the dataset's build goes by, and that of its store."""
    beside = (claims.identity_of(root, place) or {}).get(claims.BESIDE, {})
    uris = dict.fromkeys((str(place / FETCHED), exported.fetched_of(place, beside)))
    return [Memory.open(uri) for uri in uris]


def _tombstones(memories: Iterable[Memory]) -> list[str]:
    return [line for memory in memories for line in memory.tombstones().lines]


def _forgotten(entries: Iterable[Entry]) -> list[str]:
    return lines_of(entries, forgotten.new_salt())


def _all(lines: Iterable[str]) -> Tombstones:
    return Tombstones.of(lines)


def _bury(memory: Memory, entries: Sequence[Entry]) -> int:
    known = memory.tombstones().forgotten
    lines = lines_of(entries, known.salt or forgotten.new_salt())
    return memory.bury(lines) if lines else 0


def _keys(edits: Edits) -> set[str]:
    return {edit.key for some in edits.values() for edit in some}


def _result(root: Path, place: Path, edits: Edits, new: int, gone: dict[str, int]) -> Redacted:
    work = Work.of(root)
    some = [edit for each in edits.values() for edit in each]
    return Redacted(
        dataset=str(root),
        store=str(place),
        samples=sum(change.samples for change in work.done) or sum(e.whole for e in some),
        images=sum(change.images for change in work.done) or sum(e.num_images for e in some),
        shards=len(work.done),
        excluded=len(work.hidden),
        tombstones=new,
        rows=gone.get("rows", 0),
        fetched=gone.get("fetched", 0),
        index=index_of(root),
        elsewhere=tuple(
            change.before for change in work.done if not applying.is_inside(root, change.before)
        ),
    )


def _note(place: Path, root: Path, request: Request, result: Redacted) -> None:
    """A line in the ledger, unless it is there from an attempt that was killed behind it."""
    salt = _salt(place)
    asked = lines_of(request.entries, salt)
    work = Work.of(root)
    changes = [asdict(change) for change in work.done]
    step = "excluded" if request.exclude_only else "rewritten"
    about = [step, claims.output_key(root, place), *asked, *(c["after_sha256"] for c in changes)]
    identity = hashlib.blake2b("\n".join(about).encode(), digest_size=8).hexdigest()
    told = ledger.read(place)
    same = (step, claims.output_key(root, place), asked)
    if any(entry["id"] == identity for entry in told) or (
        not changes and any((e["step"], e["dataset"], e["entries"]) == same for e in told)
    ):
        return
    entry: dict[str, Any] = {
        "id": identity,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "step": step,
        "dataset": claims.output_key(root, place),
        "sorts": dict(sorted(Counter(sort for sort, _ in request.entries).items())),
        "entries": asked,
        "samples": result.samples,
        "images": result.images,
        "shards": [{"before": c["before_sha256"], "after": c["after_sha256"]} for c in changes],
    }
    ledger.append(place, entry)


def _salt(place: Path) -> str:
    memory = Memory.open(str(place / FETCHED))
    return memory.tombstones().forgotten.salt or forgotten.new_salt()
