"""A dataset of ours to another format, shard by shard: whole or not at all."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w import __version__
from openm3w.errors import InputError, OutputError, ShardError
from openm3w.shards import commit, funnel, reader
from openm3w.shards.funnel import Stage, Unit
from openm3w.shards.interop.formats import Format
from openm3w.shards.interop.output import whole_folder
from openm3w.shards.interop.writing import Done, Part
from openm3w.shards.manifest import Manifest
from openm3w.shards.ordering import is_split
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.writer import ShardEntry

NOTE = "export.json"
"""In an export: what it was made of, and what became of each sample. Written last."""
_UNITS: dict[Kind, Unit] = {"interleaved": "pages", "caption": "pairs", "text": "texts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export ended with."""

    stage: Stage
    files: int
    already_done: bool


def export_dataset(
    dataset: Manifest, wanted: Format, output: Path, *, with_images: bool = True
) -> Exported:
    """Writes a dataset in another format; samples on the exclude list are left out.

    Args:
        dataset: Whose shards are read, each held against its digest in the manifest first.
        wanted: The format.
        output: A folder that appears when all is written; the same call again finds it done.
        with_images: Whether a format that names images by address only gets them in tar files
            beside, and datatrove's its images inside.

    Raises:
        InputError: the format does not hold this kind, or is nothing without images.
        MissingError: a package that the format needs is not installed.
        OutputError: the output holds something else or cannot be written.
        ShardError: a shard is damaged or missing, or a split is called what no file can be.
    """
    for shard in dataset.shards:
        if not is_split(shard.split):
            raise ShardError(
                f"{dataset.root}: {shard.split!r} is no name of a split: letters, digits, ., - "
                "and _"
            )
    if dataset.kind not in wanted.kinds or wanted.write is None:
        held = " and ".join(wanted.kinds)
        raise InputError(
            f"{dataset.root}: holds {dataset.kind} samples, {wanted.name} holds {held}"
        )
    if not with_images and not wanted.can_lack_images:
        raise InputError(f"{wanted.name}: has no addresses in the place of images; keep them")
    identity = {
        "format": wanted.name,
        "name": dataset.name,
        "kind": dataset.kind,
        "fingerprint": dataset.fingerprint,
        "with_images": with_images,
        "openm3w": __version__,
    }
    if (before := _finished(output, identity)) is not None:
        return before
    with whole_folder(output) as root:
        work = _Work(dataset, wanted, root, with_images=with_images)
        done = [work.part(shard) for shard in dataset.shards]
        if wanted.finish is not None:
            wanted.finish(root, done)
        stage = work.stage(done)
        files = len(done)
        note = {**identity, "files": files, "stages": [funnel.to_json(stage)]}
        commit.write_json(root / NOTE, note)
    return Exported(stage=stage, files=files, already_done=False)


class _Work:
    """One export: shards to parts, and the samples that were left out before."""

    def __init__(self, dataset: Manifest, wanted: Format, root: Path, *, with_images: bool) -> None:
        self._dataset, self._wanted, self._root = dataset, wanted, root
        self._with_images = with_images
        self._excluded = frozenset(dataset.exclude)
        self._numbers: Counter[str] = Counter()
        self._left_out = 0

    def part(self, shard: ShardEntry) -> Done:
        """Writes one shard."""
        number = self._numbers[shard.split]
        self._numbers[shard.split] += 1
        part = Part(
            numbered=self._samples(shard),
            root=self._root,
            kind=self._dataset.kind,
            split=shard.split,
            number=number,
            url=shard.url,
            with_images=self._with_images,
        )
        assert self._wanted.write is not None  # noqa: S101 -- checked before
        return self._wanted.write(part)

    def stage(self, done: list[Done]) -> Stage:
        """What became of all samples."""
        dropped: Counter[str] = Counter()
        for each in done:
            dropped.update(each.dropped)
        if self._left_out:
            dropped["excluded"] += self._left_out
        stage = Stage(
            job="export",
            unit=_UNITS[self._dataset.kind],
            entered=self._dataset.nsamples,
            kept=sum(each.kept for each in done),
            dropped=dropped,
        )
        stage.check()
        return stage

    def _samples(self, shard: ShardEntry) -> Iterator[tuple[int, Sample]]:
        samples = reader.read_shard(self._dataset, shard, verify="full")
        for number, sample in enumerate(samples):
            if sample.key in self._excluded:
                self._left_out += 1
            else:
                yield number, sample


def _finished(output: Path, identity: dict[str, Any]) -> Exported | None:
    """What an export of the same kind ended with, where it is there."""
    note = commit.read_json(output / NOTE)
    if note is None:
        return None
    if {name: note.get(name) for name in identity} != identity:
        raise OutputError(f"{output}: holds another export; choose another --output")
    try:
        (stage,) = (funnel.from_json(each) for each in note["stages"])
        return Exported(stage=stage, files=int(note["files"]), already_done=True)
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError(
            f"{output / NOTE}: is damaged; remove the folder and run the same command again"
        ) from error
