"""Hides samples of a dataset at once, and then writes its shards without them.

The manifest is what a reader goes by, and it changes in one rename. New shards have new names: they
wait in a hidden folder until all are there, take their names, and are in the manifest in the next
moment; the shards before are removed after that. A reader with the manifest of before reads the
shards of before, or is told that one is missing; none reads some of each.
"""

import itertools
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from openm3w.shards import card, commit, manifest, published
from openm3w.shards.catalog.distributions import collect
from openm3w.shards.manifest import Manifest
from openm3w.shards.redaction.matching import Covers, Edit, Edits
from openm3w.shards.redaction.rewriting import covered_beside, rewrite, rewrite_beside
from openm3w.shards.redaction.work import Change, Work
from openm3w.shards.writer import ShardEntry

TOMBSTONE = "tombstone"
"""Reason of what was taken out, in every funnel."""

_DATA, _STAGED = "data", ".redacting"
_NUMBERED = re.compile(r"(.*?)(?:-r([0-9]+))?\.tar")
_BESIDE = (".tar", ".tar.idx", ".tar.lengths", ".lengths", ".parquet", "_stats.json")
"""What may stand at the place of a shard, after its stem."""


def resume(dataset: Manifest) -> Manifest:
    """Ends or undoes the change of shards that an attempt before was killed in.

    Raises:
        OutputError: the folder cannot be written.
    """
    root, work = dataset.folder, Work.of(dataset.folder)
    shutil.rmtree(root / _STAGED, ignore_errors=True)
    published.remove_left(root)
    if not work.changes:
        return dataset
    named = {shard.url for shard in dataset.shards}
    if any(change.before in named for change in work.changes):
        _remove(root, (change.after for change in work.changes), named)
        replace(work, changes=()).write(root)
        return dataset
    return _ended(dataset, work)


def hide(dataset: Manifest, edits: Edits) -> Manifest:
    """Puts the samples into the exclude list, also those that are to lose an image alone.

    Raises:
        OutputError: the folder cannot be written.
    """
    root, work = dataset.folder, Work.of(dataset.folder)
    if new := _not_hidden(dataset, edits):
        replace(work, hidden=(*work.hidden, *new)).write(root)
        dataset = exclude(dataset, edits)
    if edits:  # an attempt before may have come as far as the manifest
        card.write_extras(dataset)
    return dataset


def exclude(dataset: Manifest, edits: Edits) -> Manifest:
    """Puts the samples into the exclude list alone, and notes it nowhere.

    Raises:
        OutputError: the folder cannot be written.
    """
    if new := _not_hidden(dataset, edits):
        dataset = replace(dataset, exclude=(*dataset.exclude, *new))
        manifest.write(dataset)
    return dataset


def _not_hidden(dataset: Manifest, edits: Edits) -> list[str]:
    return sorted({e.key for some in edits.values() for e in some} - set(dataset.exclude))


def take_out(dataset: Manifest, edits: Edits, covers: Covers) -> Manifest:
    """Writes what changes without the samples and images, and shows them again that stay.

    Raises:
        ShardError: a shard is missing or damaged.
        OutputError: the folder cannot be written.
    """
    root = dataset.folder
    for folder in (root / _DATA, root / _STAGED):
        commit.check_folder(folder)
    entries: list[ShardEntry] = []
    changes: list[Change] = []
    taken = {shard.url for shard in dataset.shards}
    for shard in dataset.shards:
        some = edits.get(shard.url, ())
        stem = shard.url.removesuffix(".tar")
        if not some and not covered_beside(root / f"{stem}.parquet", covers):
            entries.append(shard)
            continue
        url = _next_url(root, shard.url, taken)
        taken.add(url)
        staged = root / _STAGED / url
        entry = rewrite(dataset, shard, some, root / _STAGED, url)
        rewrite_beside(root / shard.url, staged, some, covers, whole=not entry.nsamples)
        if entry.nsamples:
            entries.append(entry)
        changes.append(_change(shard, entry, url, some))
    work = Work.of(root)
    if changes:
        work = replace(work, changes=tuple(changes)).write(root)
        for staged in sorted(p for p in (root / _STAGED).rglob("*") if p.is_file()):
            target = root / staged.relative_to(root / _STAGED)
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(target)
    # What somebody else hides stays hidden, and so does what waits for another request's rewrite.
    some_edits = [edit for some in edits.values() for edit in some]
    gone = {edit.key for edit in some_edits if edit.whole or edit.key in work.hidden}
    changed = replace(
        dataset,
        shards=tuple(entries),
        exclude=tuple(key for key in dataset.exclude if key not in gone),
        counts=_counted(dataset, edits),
    )
    if changed != dataset:
        changed = _described(changed)
        card.write_extras(changed)
        manifest.write(changed)
    return _ended(changed, work)


def _change(shard: ShardEntry, entry: ShardEntry, url: str, edits: Iterable[Edit]) -> Change:
    some = list(edits)
    return Change(
        before=shard.url,
        before_sha256=shard.sha256,
        after=url if entry.nsamples else "",
        after_sha256=entry.sha256 if entry.nsamples else "",
        samples=sum(edit.whole for edit in some),
        images=sum(edit.num_images for edit in some),
    )


def _next_url(root: Path, url: str, taken: set[str]) -> str:
    """The name of what takes a shard's place, beside it; of one of elsewhere in our data folder."""
    path = Path(url) if is_inside(root, url) else Path(_DATA) / Path(url).name
    found = _NUMBERED.fullmatch(path.name)
    stem, last = found.groups() if found else (path.name, None)
    numbers = itertools.count(int(last or 0) + 1)
    urls = (path.with_name(f"{stem}-r{number}.tar").as_posix() for number in numbers)
    return next(url for url in urls if url not in taken)


def _ended(dataset: Manifest, work: Work) -> Manifest:
    """Removes the shards before, where they are ours to remove."""
    named = {shard.url for shard in dataset.shards}
    _remove(dataset.folder, (change.before for change in work.changes), named)
    shutil.rmtree(dataset.folder / _STAGED, ignore_errors=True)
    if work.changes:
        waiting = tuple(key for key in work.hidden if key in dataset.exclude)
        Work(hidden=waiting, done=(*work.done, *work.changes)).write(dataset.folder)
    return dataset


def _remove(root: Path, urls: Iterable[str], named: set[str]) -> None:
    for url in urls:
        if url and url not in named and is_inside(root, url):
            stem = (root / url).with_suffix("")
            for suffix in _BESIDE:
                stem.with_name(f"{stem.name}{suffix}").unlink(missing_ok=True)


def remove_unlisted(dataset: Manifest) -> None:
    """Removes shards of redactions that the manifest does not name, since it was made anew."""
    named = {shard.url for shard in dataset.shards}
    tars = (dataset.folder / _DATA).glob("*-r*.tar")
    ours = (f"{_DATA}/{tar.name}" for tar in tars if _NUMBERED.fullmatch(tar.name).group(2))  # type: ignore[union-attr]
    _remove(dataset.folder, ours, named)


def is_inside(root: Path, url: str) -> bool:
    """Whether a shard stands in the dataset's own folder; adopted ones may stand elsewhere."""
    return root.resolve() in (root / url).resolve().parents


def _counted(dataset: Manifest, edits: Edits) -> Mapping[str, Any]:
    """The counts of the manifest, what goes moved from kept to dropped in the last stage."""
    some = [edit for each in edits.values() for edit in each]
    whole = [edit for edit in some if edit.whole]
    counts = dict(dataset.counts)
    stages = [dict(stage) for stage in counts.get("stages", ())]
    _move(stages, dataset.nsamples, len(whole), images=False)
    _move(stages, dataset.images, sum(edit.num_images for edit in some), images=True)
    if stages:
        counts["stages"] = stages
    if isinstance(languages := counts.get("languages"), Mapping):
        left = dict(languages)
        for edit in whole:
            if left.get(edit.language, 0):
                left[edit.language] -= 1
        counts["languages"] = {name: number for name, number in left.items() if number}
    return counts


def _described(dataset: Manifest) -> Manifest:
    """Counted again where it was counted: names of what goes are among the counts of before.

    Reads every shard once.
    """
    if "distributions" not in dataset.counts:
        return dataset
    counts = {**dataset.counts, "distributions": collect([dataset]).summary()}
    return replace(dataset, counts=counts)


def _move(stages: list[dict[str, Any]], held: int, number: int, *, images: bool) -> None:
    """In the last stage that kept what the shards held."""
    for stage in reversed(stages):
        of_images = stage.get("unit") == "images"
        if number and of_images == images and stage.get("kept") == held:
            dropped = dict(stage.get("dropped", {}))
            dropped[TOMBSTONE] = dropped.get(TOMBSTONE, 0) + number
            stage.update(kept=held - number, dropped=dict(sorted(dropped.items())))
            return
