"""A store whose numbers are drawn at random: as many documents as wanted, without any page."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.filters.similarity import SIMILARITY, TEXT_SIMILARITY
from openm3w.pipeline import claims, recipe
from openm3w.pipeline import plan as plans
from openm3w.pipeline.build import identity
from openm3w.pipeline.jobs import JOBS
from openm3w.pipeline.jobs.all_packs import ALL_PACKS
from openm3w.pipeline.jobs.measures import DOCUMENTS, IMAGES, schemas
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.scoring.tables import SCHEMAS
from openm3w.pipeline.sidecars import unit_parts
from openm3w.pipeline.sources import Source

UNIT = 40_000
"""Documents: as many pages as an archive of Common Crawl has."""
_WORDS = 30.0  # of a paragraph on average
_PARAGRAPHS = 12
_SENTENCES = 20  # two of fifteen words a paragraph, nearly


def write_store(output: Path, profiles: Iterable[str], *, documents: int, images: int) -> Plan:
    """Writes the numbers of `documents` documents with `images` images each, of these profiles.

    Every image that is available has a score with each sentence of its document.
    """
    floor = ", ".join(f'"{name}"' for name in profiles)
    units = -(-documents // UNIT)
    sources = tuple(
        Source(name=f"{at:05d}.warc.gz", file=Path(f"{at:05d}.warc.gz"), digest="0" * 16)
        for at in range(units)
    )
    asked = (f"floor=[{floor}]", "scores.model=lit", "scores.windows.scope=all")
    settings = recipe.load("openm3w", asked)
    plan = plans.resolve(settings, sources, output, claims.default_store(output), "lit")
    claims.claim(output, plan.store, identity(plan))
    plan.folder("images", "packs").commit_sidecar(ALL_PACKS, counts={"units": []}, seconds={})
    rng = np.random.default_rng(0)
    for at, unit in enumerate(plan.units):
        number = min(UNIT, documents - at * UNIT)
        fates = rng.choice(["", "", "", "not_in_archive"], number * images)
        for suffix, schema in schemas(plan.views, sentences=True).items():
            table = _table(schema, suffix, number, images, rng, fates)
            _write(table, plan.measures.path(unit, suffix))
        scores = _scores(images, rng, fates)
        _write(scores, plan.folder("scores", SIMILARITY).path(unit))
        plan.measures.commit_sidecar(unit, counts={"documents": number}, seconds={})
        for job in JOBS[:-1]:
            for part in unit_parts(plan, job):
                plan.folder(job, part).commit_sidecar(unit, counts={}, seconds={})
    return plan


def _write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def _scores(images: int, rng: np.random.Generator, fates: np.ndarray) -> pa.Table:
    """Job 4's table: cosines of matched and unmatched pairs as ViT-L/14 has them, 0.1 to 0.3."""
    places = np.flatnonzero(fates == "")
    cosines = rng.normal(0.17, 0.05, (len(places), _SENTENCES)).round(4)
    made = {
        "row": places // images,
        "image": places % images,
        SIMILARITY: cosines.max(axis=1),
        TEXT_SIMILARITY: cosines.max(axis=1),
        "window_scores": list(cosines),
    }
    schema = SCHEMAS[SIMILARITY]
    return pa.Table.from_arrays([pa.array(made[f.name], f.type) for f in schema], schema=schema)


def _table(
    schema: pa.Schema,
    suffix: str,
    documents: int,
    images: int,
    rng: np.random.Generator,
    fates: np.ndarray,
) -> pa.Table:
    number = documents * images if suffix == IMAGES else documents
    rows = np.repeat(np.arange(documents), images) if suffix == IMAGES else np.arange(documents)
    made = {
        "row": rows,
        "image": np.tile(np.arange(images), documents).astype(np.int32),
        "fate": fates if suffix == IMAGES else [],
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
            "columns": list(np.tile(np.arange(_SENTENCES, dtype=np.int32), (number, 1))),
            "words_before": list(np.cumsum(rng.poisson(15, (number, _SENTENCES + 1)), axis=1)),
            "sentences_before": list(
                np.sort(rng.integers(0, _SENTENCES, (number, images)), axis=1)
            ),
        }
    arrays = [
        pa.array(made[field.name], field.type)
        if field.name in made
        else pa.array(_numbers(field.name, number, rng))
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


_Draw = Callable[[np.random.Generator, int], np.ndarray]
_DRAWS: tuple[tuple[tuple[str, ...], _Draw], ...] = (
    (("flagged_words", "repeated_words"), lambda rng, n: rng.uniform(0, 0.105, n)),
    (("obelics.stop_words",), lambda rng, n: rng.uniform(0.3, 0.6, n)),
    (("mean_word_length",), lambda rng, n: rng.uniform(2.8, 8, n)),
    (("mean_paragraph",), lambda rng, n: rng.uniform(10, 80, n)),
    (("alphabetic_words",), lambda rng, n: rng.uniform(0.75, 1, n)),
    (("stop_words", ".sentences"), lambda rng, n: rng.poisson(15, n).astype(float)),
    (("words", "side", "pixels", "bytes"), lambda rng, n: rng.lognormal(5.5, 1.0, n)),
    (("aspect",), lambda rng, n: rng.uniform(1, 2.5, n)),
    (("deviation", "scored"), lambda rng, n: rng.uniform(1, 80, n)),
    (("cosine",), lambda rng, n: rng.normal(0.22, 0.05, n)),
    (("count",), lambda rng, n: rng.geometric(0.3, n).astype(float)),
    (("brackets", "ipsum", "marked", "rank"), lambda rng, n: (rng.random(n) < 0.05).astype(float)),
)
"""End of a measure's name -> how it is drawn, so that each bound drops some and keeps more."""


def _numbers(name: str, number: int, rng: np.random.Generator) -> np.ndarray:
    if name.startswith(("url_tokens.", "formats.")):
        return (rng.random(number) < 0.01).astype(float)
    found = (draw for ends, draw in _DRAWS if name.endswith(ends))
    draw = next(found, lambda rng, n: rng.uniform(0, 0.105, n))  # shares, most with a bound of 0.1
    return draw(rng, number)
