"""The table and the statistics that img2dataset 1.47 writes beside a shard (writer.py, logger.py).

One row for each pair whose image was asked for: those of the shard's samples, and those that came
to no sample, in the shard that their id would have had. A pair is in no table where the profile
dropped it before, and where its picture is on a list of what must not be stored: its address is
not to be published either.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openm3w.pipeline.captions.select import split_group
from openm3w.pipeline.fetch.outcomes import ABSENT, FAULTS, REFUSED
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.jobs.grouping import NOT_HELD
from openm3w.pipeline.jobs.writing import Row
from openm3w.pipeline.store import Folder, dump
from openm3w.shards import caption_tables
from openm3w.shards.captioned import img2dataset_fields
from openm3w.shards.document import Image
from openm3w.shards.ordering import split_by
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
        return caption_tables.write(root, url, rows, self.columns)


def is_published(reason: str) -> bool:
    """Whether a pair that was lost for this reason may stand in a table that is published."""
    return reason != "tombstone" and not reason.startswith("blocked_")


def _missed(pair: Row, reason: str) -> dict[str, Any]:
    status = "failed_to_download" if reason in NOT_DOWNLOADED else "failed_to_resize"
    document = caption_document(pair["doc_id"], Image(url=pair["url"]), pair["caption"])
    own = json.loads(pair["own"])
    return img2dataset_fields(pair["doc_id"], document, own, status=status, error_message=reason)
