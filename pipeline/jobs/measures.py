"""First part of job 5: the numbers by which any profile can be chosen, one set of tables a unit.

Three kinds of tables: of documents, of their images, and of each view of the text (see
`openm3w.filters.measuring`). They hold no text and are small; `m3w refilter` reads nothing else to
say what another profile would keep.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from openm3w import recipe as recipes
from openm3w.filters.assignment import sentence_layout
from openm3w.filters.measuring import (
    View,
    image_names,
    layout,
    measure_image,
    measure_page,
    measure_text,
    page_names,
    text_names,
)
from openm3w.pipeline.completed import Completed
from openm3w.pipeline.page import Clock
from openm3w.pipeline.plan import Plan

DOCUMENT_FIELDS = [
    ("row", pa.int64()),
    ("doc_id", pa.string()),
    ("url", pa.string()),
    ("language", pa.string()),
    ("language_score", pa.float64()),
    ("opt_out", pa.list_(pa.string())),
]
_IMAGES = [
    ("row", pa.int64()),
    ("image", pa.int32()),
    ("fate", pa.string()),
    ("phash", pa.uint64()),
]
TEXT_FIELDS = [
    ("row", pa.int64()),
    ("words", pa.list_(pa.int32())),
    ("tokens", pa.list_(pa.int32())),
    ("images", pa.list_(pa.int32())),
]
SENTENCE_FIELDS = [
    ("columns", pa.list_(pa.int32())),
    ("words_before", pa.list_(pa.int32())),
    ("sentences_before", pa.list_(pa.int32())),
]
"""`SentenceLayout`, where every sentence of a document has scores."""
DOCUMENTS, IMAGES = "parquet", "images.parquet"
_ROW_GROUP = 1 << 14  # rows of some hundred bytes


def commit_measures(plan: Plan, unit: str, documents: Iterable[Completed]) -> None:
    """Measures one unit's documents and commits the tables.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, clock, count = plan.measures, Clock(), 0
    with contextlib.ExitStack() as stack:

        def table(suffix: str) -> Any:
            schema = tables[suffix]
            return stack.enter_context(folder.writing(unit, schema, suffix, row_group=_ROW_GROUP))

        tables = schemas(plan.views, sentences=bool(plan.sentence_words))
        add_document, add_image = table(DOCUMENTS), table(IMAGES)
        add_text = [table(text_suffix(view)) for view in plan.views]
        for found in documents:
            count += 1
            row, document = found.row, found.document
            clock.lap("read")
            signals = document.signals
            add_document(
                {
                    "row": row,
                    "doc_id": document.doc_id,
                    "url": document.url,
                    "language": signals.language,
                    "language_score": signals.language_score,
                    "opt_out": signals.opt_out,
                    **measure_page(document),
                }
            )
            for index, (image, fate) in enumerate(zip(document.images, found.fates, strict=True)):
                numbers = measure_image(image, document)
                digits = image.content.phash if image.content else ""
                phash = int(digits, 16) if digits else None
                about = {"row": row, "image": index, "fate": fate, "phash": phash}
                add_image({**about, **numbers})
            clock.lap("measure images")
            for view, add in zip(plan.views, add_text, strict=True):
                page = view.apply(document, found.repeats)
                placed = layout(page)
                numbers = measure_text(page, view)
                about = {"row": row, **recipes.to_plain(placed)}
                if most := plan.sentence_words:
                    about |= recipes.to_plain(sentence_layout(page, document, most))
                add({**about, **numbers})
            clock.lap("measure text")
    folder.commit_sidecar(unit, counts={"documents": count}, seconds=clock.seconds)


def schemas(views: Iterable[View], *, sentences: bool) -> dict[str, pa.Schema]:
    """Suffix of the file -> schema of each table of a unit.

    `sentences`: whether every one of them has scores, so that their places are stored too.
    """
    texts = [*TEXT_FIELDS, *(SENTENCE_FIELDS if sentences else [])]
    fields = {DOCUMENTS: (DOCUMENT_FIELDS, page_names()), IMAGES: (_IMAGES, image_names())}
    fields |= {text_suffix(view): (texts, text_names(view)) for view in views}
    return {
        suffix: pa.schema([*about, *((name, pa.float64()) for name in names)])
        for suffix, (about, names) in fields.items()
    }


def text_suffix(view: View) -> str:
    """Of the file that holds a view's numbers."""
    return f"{view.key}.parquet"
