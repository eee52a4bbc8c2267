"""A store whose numbers are drawn at random: as many documents as wanted, without any page."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.pipeline import plan as plans
from openm3w.pipeline import publish, recipe
from openm3w.pipeline.build import identity
from openm3w.pipeline.jobs.measures import DOCUMENTS, IMAGES, schemas
from openm3w.pipeline.plan import JOBS, Plan
from openm3w.pipeline.sidecars import unit_parts
from openm3w.pipeline.sources import Source

UNIT = 40_000
"""Documents: as many pages as an archive of Common Crawl has."""
_WORDS = 30.0  # of a paragraph on average
_PARAGRAPHS = 12


def write_store(output: Path, profiles: Iterable[str], *, documents: int, images: int) -> Plan:
    """Writes the numbers of `documents` documents with `images` images each, of these profiles.

    Every image that is available has a score with each sentence of its document.
    """
    floor = ", ".join(f'"{name}"' for name in profiles)
    units = -(-documents // UNIT)
    sources = tuple(
        Source(name=f"{at:05d}.warc.gz", path=Path(f"{at:05d}.warc.gz"), digest="0" * 16)
        for at in range(units)
    )
    settings = recipe.load("openm3w", (f"floor=[{floor}]", "scores.model=lit"))
    plan = plans.make_plan(settings, sources, output, publish.default_store(output), "lit")
    publish.claim(output, plan.store, identity(plan))
    rng = np.random.default_rng(0)
    for at, unit in enumerate(plan.units):
        number = min(UNIT, documents - at * UNIT)
        for suffix, schema in schemas(plan.views).items():
            path = plan.measures.path(unit, suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(_table(schema, suffix, number, images, rng), path, compression="zstd")
        plan.measures.commit_sidecar(unit, counts={"documents": number}, seconds={})
        for job in JOBS[:-1]:
            for part in unit_parts(plan, job):
                plan.folder(job, part).commit_sidecar(unit, counts={}, seconds={})
    return plan


def _table(
    schema: pa.Schema, suffix: str, documents: int, images: int, rng: np.random.Generator
) -> pa.Table:
    number = documents * images if suffix == IMAGES else documents
    rows = np.repeat(np.arange(documents), images) if suffix == IMAGES else np.arange(documents)
    made = {
        "row": rows,
        "image": np.tile(np.arange(images), documents).astype(np.int32),
        "fate": rng.choice(["", "", "", "not_in_archive"], number),
        "phash": rng.integers(0, 1 << 63, number).astype(np.uint64),
        "doc_id": [rng.bytes(16).hex() for _ in range(number)] if suffix == DOCUMENTS else [],
        "url": [f"https://example.org/{at}" for at in range(number)],
        "language": rng.choice(["en", "en", "en", "de"], number),
        "language_score": rng.uniform(0.5, 1, number),
        "opt_out": [["x-robots-tag: noai"] if draw < 0.01 else [] for draw in rng.random(number)],
    }
    if "words" in schema.names:
        sizes = rng.poisson(_WORDS, (number, _PARAGRAPHS)).astype(np.int32)
        made |= {
            "words": list(sizes),
            "tokens": list((sizes * 1.4).astype(np.int32)),
            "images": list(np.sort(rng.integers(0, _PARAGRAPHS, (number, images)), axis=1)),
        }
    arrays = [
        pa.array(made[field.name], field.type)
        if field.name in made
        else pa.array(_numbers(field.name, number, rng))
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _numbers(name: str, number: int, rng: np.random.Generator) -> np.ndarray:
    """Pixels, words and scores, so that each bound drops some and keeps more."""
    if name.endswith(("words", "side", "pixels", "bytes")):
        return rng.lognormal(5.5, 1.0, number)
    if name.endswith(("ratio", "aspect")):
        return rng.uniform(1, 3.5, number)
    if name.endswith(("deviation", "scored")):
        return rng.uniform(1, 80, number)
    return rng.uniform(0, 1, number)
