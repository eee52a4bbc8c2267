"""The numbers of measured documents, read back: of each one, or all in columns to choose from."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from openm3w.errors import OutputError
from openm3w.filters.choosing import asks_for_sentences
from openm3w.filters.limits import Measures
from openm3w.filters.measuring import (
    View,
    image_names,
    page_names,
    text_limits,
    view_of,
)
from openm3w.filters.pages import URL_FILTERS
from openm3w.filters.profiles import Profile
from openm3w.filters.rows import Coded, Rows, Sentences
from openm3w.pipeline.jobs.measures import (
    DOCUMENT_FIELDS,
    DOCUMENTS,
    IMAGES,
    SENTENCE_FIELDS,
    TEXT_FIELDS,
    text_suffix,
)
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.store import Folder


def view_for(plan: Plan, profile: Profile) -> View | None:
    """The view among the plan's that has all numbers of `profile`'s, or None."""
    mine = view_of(profile)
    return next((view for view in plan.views if view.covers(mine)), None)


def text_measures(plan: Plan, unit: str, profile: Profile) -> dict[int, Measures]:
    """Row -> numbers of `profile`'s view, whose text the plan has measured."""
    view = view_for(plan, profile)
    if view is None:
        raise ValueError("the profile's text was not measured")
    names = _text_columns(profile)
    rows = plan.measures.rows(unit, ["row", *names], suffix=text_suffix(view))
    return {row.pop("row"): row for row in rows}


def read_rows(
    folder: Folder,
    unit: str,
    profile: Profile,
    view: View,
    model: str,
    *,
    scores: Folder | None = None,
) -> Rows:
    """One unit's tables, as far as `profile` asks for them.

    `scores` are those of the similarity of images, where there are some.

    Raises:
        OutputError: a table is missing or damaged.
    """
    filters = [*profile.page_filters(), *profile.document_filters(model)]
    addresses = ["url"] if any(isinstance(each, URL_FILTERS) for each in filters) else []
    hashes = ["phash"] if profile.twins() else []
    pages = _limited(filters, page_names())
    pictures = _limited(profile.image_filters(model), image_names())
    texts = _text_columns(profile)
    about = [name for name, _ in DOCUMENT_FIELDS if name != "url"]
    moves = asks_for_sentences(profile)
    placed = [name for name, _ in (*TEXT_FIELDS, *(SENTENCE_FIELDS if moves else []))]
    documents = _read(folder, unit, [*about, *addresses, *pages], DOCUMENTS)
    images = _read(folder, unit, ["row", "image", "fate", *hashes, *pictures], IMAGES)
    text = _read(folder, unit, [*placed, *texts], text_suffix(view))
    hashed = images["phash"] if hashes else pa.array([], pa.uint64())
    opt_out = pc.binary_join(documents["opt_out"], "\0").dictionary_encode()
    owners = np.searchsorted(_integers(documents["row"]), _integers(images["row"]))
    sentences = None
    if moves and scores is not None:
        matrix = _read(scores, unit, ("row", "image", "window_scores"))
        sentences = _sentences(text, images, owners, matrix, scores.path(unit))
    return Rows(
        doc_ids=documents["doc_id"].to_pylist(),
        urls=_coded(documents["url"]) if addresses else _NONE,
        languages=_coded(documents["language"]),
        language_scores=_floats(documents["language_score"]),
        opt_out=_coded(opt_out, lambda joined: tuple(joined.split("\0")) if joined else ()),
        pages={name: _floats(documents[name]) for name in pages},
        texts={name: _floats(text[name]) for name in texts},
        paragraphs=_starts(text["words"]),
        words=_integers(pc.list_flatten(text["words"])),
        tokens=_integers(pc.list_flatten(text["tokens"])),
        owners=owners,
        fates=_coded(images["fate"]),
        before=_integers(pc.list_flatten(text["images"])),
        images={name: _floats(images[name]) for name in pictures},
        phashes=np.asarray(pc.fill_null(hashed, 0), dtype=np.uint64),
        is_hashed=np.asarray(pc.is_valid(hashed), dtype=np.bool_),
        sentences=sentences,
    )


def _sentences(
    text: pa.Table, images: pa.Table, owners: Any, matrix: pa.Table, path: Path
) -> Sentences:
    """The sentences, and the rows of cosines of the images that have some.

    Raises:
        OutputError: the scores are not those of the images and sentences.
    """
    starts = _starts(matrix["window_scores"])
    keys, known = _keys(matrix), _keys(images)
    scored = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
    first, size = np.zeros((2, len(images)), np.int64)
    first[scored], size[scored] = starts[:-1], np.diff(starts)
    columns, begins = _integers(pc.list_flatten(text["columns"])), _starts(text["columns"])
    asked = np.zeros(len(text), np.int64)
    some = np.flatnonzero(np.diff(begins))
    if some.size:
        asked[some] = np.maximum.reduceat(columns, begins[some]) + 1
    available = np.asarray(pc.equal(images["fate"], ""), dtype=np.bool_)
    if (size < asked[owners])[available].any() or (known[scored] != keys).any():
        raise OutputError(
            f"{path}: the scores are not those of the documents; remove {path.stem}.json beside "
            "it and run m3w build again"
        )
    return Sentences(
        starts=begins,
        columns=columns,
        words_before=_integers(pc.list_flatten(text["words_before"])),
        before=_integers(pc.list_flatten(text["sentences_before"])),
        score_starts=first,
        scores=_floats(pc.list_flatten(matrix["window_scores"])),
    )


def _keys(table: pa.Table) -> Any:
    """One ascending number for each image of a table."""
    return _integers(table["row"]) << 32 | _integers(table["image"])


_NONE = Coded(names=(), codes=np.zeros(0, np.int64))


def _text_columns(profile: Profile) -> list[str]:
    return sorted({limit.measure for limit in text_limits(view_of(profile))})


def _limited(filters: Iterable[Any], known: Sequence[str]) -> list[str]:
    asked = {limit.measure for f in filters if hasattr(f, "limits") for limit in f.limits()}
    return sorted(asked.intersection(known))


def _read(folder: Folder, unit: str, columns: Sequence[str], suffix: str = "parquet") -> pa.Table:
    try:
        table = pq.read_table(folder.path(unit, suffix), columns=list(columns), memory_map=True)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise folder.damaged(unit, suffix, error) from error
    folder.check_table(unit, suffix, table.schema)
    return table


def _coded(column: Any, convert: Any = lambda name: name) -> Coded:
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.unify_dictionaries().chunk(0) if whole.num_chunks else None
    if whole is None or len(whole) == 0:
        return Coded(names=(), codes=np.zeros(0, np.int64))
    names = tuple(convert(name) for name in whole.dictionary.to_pylist())
    return Coded(names=names, codes=np.asarray(whole.indices, dtype=np.int64))


def _floats(column: Any) -> Any:
    return np.asarray(pc.fill_null(column, math.nan), dtype=np.float64)


def _integers(column: Any) -> Any:
    return np.asarray(column, dtype=np.int64)


def _starts(lists: Any) -> Any:
    sizes = np.asarray(pc.list_value_length(lists), dtype=np.int64)
    return np.concatenate([[0], np.cumsum(sizes)])
