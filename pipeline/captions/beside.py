"""The table and the statistics that img2dataset 1.47 writes beside a shard (writer.py, logger.py).

One row for each pair whose image was asked for: those of the shard's samples, and those that came
to no sample, in the shard that their id would have had. A pair is in no table where the profile
dropped it before, and where its picture is on a list of what must not be stored: its address is
not to be published either.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.pipeline.captions.select import split_group
from openm3w.pipeline.fetch.outcomes import ABSENT, FAULTS, REFUSED
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.jobs.grouping import NOT_HELD
from openm3w.pipeline.jobs.writing import Row, split_by
from openm3w.pipeline.store import Folder, dump
from openm3w.shards import commit
from openm3w.shards.captioned import IMG2DATASET_FIELDS, img2dataset_fields
from openm3w.shards.document import Image
from openm3w.shards.sample import Sample, caption_document

NOT_DOWNLOADED = NOT_HELD | REFUSED | ABSENT | FAULTS | {"ambiguous_name", "unreadable"}
"""Outcomes of images whose bytes were not got. All others are decisions on a picture that was, for
which img2dataset has no other word than `failed_to_resize`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Img2dataset:
    """The files beside the shards of one caption build; small and picklable."""

    pairs: Folder
    """Blocks of `rows.PAIRS`."""
    outcomes: Folder
    """Blocks of `select.OUTCOMES`."""
    columns: Mapping[str, str]
    """Columns of the input tables that samples carry -> their types in Arrow."""
    val_share: float
    seed: int
    tombstones: Tombstones = field(default_factory=Tombstones)
    """What was buried since the outcomes were noted."""

    def missed(self, unit: str) -> Iterator[Row]:
        """Pairs that came to no sample: `doc_id`, `split`, and as JSON the row of the table."""
        ended = self.outcomes.rows(unit, ["doc_id", "outcome", "reason"], "outcomes.parquet")
        reasons = {row["doc_id"]: row["reason"] for row in ended if row["outcome"] != "kept"}
        for pair in self.pairs.rows(unit):
            reason = reasons.get(pair["doc_id"], "")
            if reason and is_published(reason) and not self.tombstones.covers(pair["url"]):
                split = split_by(split_group(pair), self.val_share, self.seed)
                yield {"doc_id": pair["doc_id"], "split": split, "row": dump(_missed(pair, reason))}

    def missed_row(self, missed: Row) -> dict[str, Any]:
        """The row of a pair that came to no sample."""
        return dict(json.loads(missed["row"]))

    def row(self, sample: Sample) -> dict[str, Any]:
        """The row of a sample."""
        return img2dataset_fields(sample.key, sample.document, sample.extra)

    def write(self, root: Path, url: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Commits both files beside the shard `url`, and returns their sizes by URL.

        Raises:
            OutputError: the folder cannot be written.
        """
        table, statistics = _beside(url)
        with commit.committed(root / table) as file:
            pq.write_table(_arrow(rows, self.columns), file)
        commit.write_json(root / statistics, _statistics(rows), indent=4)
        return {name: (root / name).stat().st_size for name in (table, statistics)}


def is_published(reason: str) -> bool:
    """Whether a pair that was lost for this reason may stand in a table that is published."""
    return reason != "tombstone" and not reason.startswith("blocked_")


def _missed(pair: Row, reason: str) -> dict[str, Any]:
    status = "failed_to_download" if reason in NOT_DOWNLOADED else "failed_to_resize"
    document = caption_document(pair["doc_id"], Image(url=pair["url"]), pair["caption"])
    own = json.loads(pair["own"])
    return img2dataset_fields(pair["doc_id"], document, own, status=status, error_message=reason)


def _beside(url: str) -> tuple[str, str]:
    stem = url.removesuffix(".tar")
    return f"{stem}.parquet", f"{stem}_stats.json"


def _arrow(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pa.Table:
    kinds = {**columns, **{name: _KINDS.get(name, "string") for name in IMG2DATASET_FIELDS}}
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    cells = {
        name: [_cell(row.get(name), schema.field(name).type) for row in rows] for name in kinds
    }
    return pa.table(cells, schema=schema)


_KINDS = dict.fromkeys(("width", "height", "original_width", "original_height"), "int32")


def _cell(value: Any, kind: pa.DataType) -> Any:
    """A value as its column takes it; null where a JSONL table changes its mind about a column."""
    if value is None or (pa.types.is_string(kind) and isinstance(value, str)):
        return value
    if pa.types.is_string(kind):
        return dump(value)
    if not isinstance(value, int | float):
        return None
    if isinstance(value, bool) or pa.types.is_boolean(kind):
        return value if isinstance(value, bool) and pa.types.is_boolean(kind) else None
    try:
        if pa.types.is_floating(kind):
            return float(value)
        return pa.scalar(value, kind).as_py() if isinstance(value, int) else None
    except OverflowError:
        return None


def _statistics(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts; the times are 0, since the same input is to give the same bytes."""
    statuses = Counter(row["status"] for row in rows)
    messages = Counter(row["error_message"] or row["status"] for row in rows)
    return {
        "count": len(rows),
        "successes": statuses["success"],
        "failed_to_download": statuses["failed_to_download"],
        "failed_to_resize": statuses["failed_to_resize"],
        "duration": 0.0,
        "start_time": 0.0,
        "end_time": 0.0,
        "status_dict": dict(sorted(messages.items())),
    }
