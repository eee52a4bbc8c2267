"""What a report is made from: what a build wrote, or the samples of any dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from openm3w.errors import InputError, OpenM3WError
from openm3w.pipeline import claims
from openm3w.pipeline.report.distributed import with_distributions
from openm3w.pipeline.report.page import JSON_NAME, read_report
from openm3w.pipeline.report.samples import Samples, Thumbnails, collected, dropped, kept
from openm3w.shards import describing
from openm3w.shards import manifest as manifests
from openm3w.shards.catalog.distributions import collect
from openm3w.shards.manifest import MANIFEST_NAME, Manifest

_NONE = "Of what was dropped there is no sample: "
_FEWER = "Of what was dropped there may be fewer documents than were asked for: "


def report_of(where: Path, *, counted: bool = True) -> dict[str, Any]:
    """The report of a build, or one that is made of a dataset's manifest and samples.

    `where` is a folder, a manifest or a mixture. Reads every sample of a dataset that nobody
    counted; where there is a report, only if it is to be `counted`.

    Raises:
        InputError: there is neither report nor dataset, or the report does not add up.
        ShardError: a manifest or a shard is damaged.
    """
    folder = where.parent if where.name == MANIFEST_NAME else where
    if (folder / JSON_NAME).is_file() or (where.is_dir() and not _is_dataset(where)):
        report = read_report(folder)
        if not counted or report.get("bars") or not _is_dataset(folder):
            return report
        # Of an adopted folder, or written by an earlier version.
        return with_distributions(report, _summary(manifests.load(folder)))
    return _of_datasets(where, manifests.load(where))


def samples_of(where: Path, most: int, store: Path | None = None) -> Samples:
    """Documents with pictures: at most so many of each reason, and as many that were kept.

    Raises:
        InputError: there is no dataset.
        ShardError: a shard is damaged.
    """
    datasets, thumbnails = manifests.load(where), Thumbnails()
    said: list[str] = []
    lost = _dropped(datasets[0], most, store, said) if len(datasets) == 1 else None
    groups = [*kept(datasets, most, thumbnails)]
    if lost is not None:
        groups += dropped(lost, most, thumbnails)
    return collected(groups, said, thumbnails)


def _is_dataset(folder: Path) -> bool:
    return (folder / MANIFEST_NAME).is_file()


def _of_datasets(where: Path, datasets: Sequence[Manifest]) -> dict[str, Any]:
    head = ["dataset", "kind", "samples", "images", "characters"]
    rows = [
        [each.name, each.kind, each.nsamples, each.images, each.characters] for each in datasets
    ]
    report: dict[str, Any] = {
        "name": datasets[0].name if len(datasets) == 1 else where.stem,
        "about": "What this dataset holds, counted over its samples.",
        "tables": {"datasets": [head, *rows]},
    }
    if len(datasets) == 1:
        (only,) = datasets
        report |= {"recipe": only.recipe, "models": only.models, "versions": only.versions}
        report["stages"] = list(only.counts.get("stages", ()))
    return with_distributions(report, _summary(datasets))


def _summary(datasets: Sequence[Manifest]) -> Mapping[str, Any]:
    """What a build counted, or what is counted now."""
    known = describing.distributions(datasets[0]) if len(datasets) == 1 else None
    return known or collect(datasets).summary()


def _dropped(dataset: Manifest, most: int, store: Path | None, said: list[str]) -> Manifest | None:
    """The sample of what a build dropped; it is made where the store has none, or one of fewer.

    Where there can be none, `said` gets why.
    """
    if dataset.kind != "interleaved":
        said.append(f"{_NONE}only builds of pages keep it.")
        return None
    found = None
    try:
        output = dataset.folder
        place = store or claims.find_store(output) or claims.default_store(output)
        folder = claims.dropped_folder(output, place)
        if _is_dataset(folder):
            (found,) = manifests.load(folder)
            if found.counts.get("dropped_samples", 0) >= most:
                return found
        if claims.identity_of(output, place) is None:
            raise InputError(f"{place} is not the store of a build in {output}; name it by --store")
        if not _make(output, place, most):
            said.append("No document was dropped that could be shown.")
            return None
        (found,) = manifests.load(folder)
    except OpenM3WError as error:
        # What an earlier version left may be shown, and cannot be made again.
        said.append(f"{_FEWER if found else _NONE}{error}")
    return found


def _make(output: Path, store: Path, most: int) -> bool:
    """Writes the sample into the store; whether there is one."""
    # Beam, which a report goes without where the sample is there.
    from openm3w.pipeline.dropped import write_dropped
    from openm3w.pipeline.recipe import Report
    from openm3w.pipeline.reopening import check_done, reopen

    plan = reopen(output, store)
    check_done(plan, bytes_too=True)
    recipe = replace(plan.recipe, report=Report(dropped_samples=most))
    return write_dropped(replace(plan, recipe=recipe)) is not None
