"""What a build's report says: the funnel, histograms, where the time went, what was damaged."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openm3w.filters.similarity import SIMILARITY
from openm3w.pipeline.answered import answered
from openm3w.pipeline.jobs import JOBS, indexing
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.sidecars import copies_counts, counts_of, seconds_of
from openm3w.shards import funnel
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest

_SIMILARITY = [round(-0.2 + 0.05 * step, 2) for step in range(21)]
_SIDES = [0.0, 64, 100, 150, 200, 300, 400, 512, 800, 1200, 2000, 20_000]


def interleaved_report(
    plan: Plan, stages: Sequence[Stage], manifest: Manifest, seconds: Mapping[str, float]
) -> dict[str, Any]:
    """The mapping that `openm3w.pipeline.report.write_report` renders."""
    web = answered(counts_of(plan, "images"))
    return {
        "name": manifest.name,
        "recipe": manifest.recipe,
        "models": manifest.models,
        "versions": manifest.versions,
        "inputs": [source.name for source in plan.sources],
        "stages": [funnel.to_json(stage) for stage in stages],
        "histograms": {**_histograms(plan), **web.get("histograms", {})},
        "bars": web.get("bars", {}),
        "tables": _tables(plan, stages, manifest, seconds),
        "notes": damage_notes(plan),
    }


def damage_notes(plan: Plan) -> list[str]:
    """A line for each archive that could not be read to its end, and for pages that failed."""
    return (
        [
            f"{counts['source']}: damaged at byte {damage['offset']}: {damage['error']}"
            for counts in counts_of(plan, "documents")
            for damage in counts["damage"]
        ]
        + [
            f"{counts['source']}: {error['url']}: {error['error']}"
            for counts in counts_of(plan, "documents")
            for error in counts["errors"]
        ]
        + indexing.notes(copies_counts(plan))
        + [
            f"{error['url']}: {error['error']}"
            for counts in counts_of(plan, "shards")
            for error in counts["errors"]
        ]
    )


def _histograms(plan: Plan) -> dict[str, Any]:
    sides: list[float] = []
    scores: list[float] = []
    for unit in plan.units:
        places = plan.folder("images", "places").rows(unit)
        sides += [
            min(row["original_width"], row["original_height"])
            for row in places
            if row["outcome"] == "kept"
        ]
        if SIMILARITY in plan.score_parts:
            scored = plan.folder("scores", SIMILARITY).rows(unit, [SIMILARITY])
            scores += [row[SIMILARITY] for row in scored if row[SIMILARITY] is not None]
    found = {
        "shorter side of the images that were stored, pixels": histogram(sides, _SIDES),
    }
    if scores:
        found["similarity of all scored images with the text near them"] = histogram(
            scores, _SIMILARITY
        )
    return found


def histogram(values: Iterable[float], edges: Sequence[float]) -> dict[str, list[Any]]:
    """Counts of values in edges[i] <= value < edges[i + 1]; those outside go to the ends."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        at = sum(value >= edge for edge in edges[1:-1])
        counts[at] += 1
    return {"edges": list(edges), "counts": counts}


def _tables(
    plan: Plan, stages: Sequence[Stage], manifest: Manifest, seconds: Mapping[str, float]
) -> dict[str, list[list[Any]]]:
    languages: Counter[str] = Counter()
    image_records = 0
    for counts in counts_of(plan, "documents"):
        languages.update(counts["languages"])
        image_records += counts["image_records"]
    total = sum(seconds.values()) or 1.0
    jobs = [
        [job, f"{seconds.get(job, 0.0):.1f}", f"{seconds.get(job, 0.0) / total:.0%}"]
        for job in JOBS
    ]
    return {
        "time by job": [["job", "seconds", "share"], *jobs],
        "time inside the workers": [["step", "seconds"], *_steps(plan)],
        "languages of the extracted pages": [
            ["language", "pages"],
            *map(list, languages.most_common(20)),
        ],
        "images in the archives": _archive_images(stages, image_records, manifest),
    }


def _steps(plan: Plan) -> list[list[Any]]:
    rows = []
    for job in JOBS:
        for step, value in seconds_of(plan, job).most_common():
            rows.append([f"{job}: {step}", f"{value:.1f}"])
    return rows


def _archive_images(
    stages: Sequence[Stage], image_records: int, manifest: Manifest
) -> list[list[Any]]:
    """What became of the image records of the input, which are not the pages' image elements."""
    urls = next((stage for stage in stages if stage.unit == "urls"), None)
    rows: list[list[Any]] = [["what", "number"], ["image records in the input", image_records]]
    if urls is not None:
        rows += [["distinct URLs that kept pages name", urls.entered]]
        rows += [["of these stored", urls.kept]]
        rows += [[f"of these {reason}", n] for reason, n in _lost(urls)]
    return [*rows, ["image places in the shards", manifest.images]]


def _lost(stage: Stage) -> Iterable[tuple[str, int]]:
    return sorted(itertools.chain(stage.dropped.items(), stage.failed.items()))
