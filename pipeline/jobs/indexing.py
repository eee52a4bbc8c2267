"""What the files that `--images` names hold: for each a table, through which images are found.

One unit is one file. The table is that of an archive's records; caption builds write the members
of a tar into the same. What is read and not looked for is counted, as damage is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openm3w.pipeline import runners
from openm3w.pipeline.archive import Damage, read_records
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.images.records import RECORDS, record_row
from openm3w.pipeline.images.resolve import max_joins
from openm3w.pipeline.jobs.documents import record_class
from openm3w.pipeline.page import MAX_ERRORS, Clock
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sniffing import SNIFFED_BYTES
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of the records or members of one file."""

    tally: Tally = field(default_factory=Tally)
    notes: list[str] = field(default_factory=list)

    def damaged(self, error: str, note: str) -> None:
        """Counts what could not be read of a file, with a line that says why."""
        self.tally.add("failed", error)
        self.notes.append(note)


Row = Mapping[str, Any]
"""Of RECORDS."""
Rows = Callable[[ImagePlace, Counted], Iterator[Row]]
"""The rows of a file; what it passes over and what is damaged it counts."""


def run(folder: Folder, job: str, places: Iterable[ImagePlace], rows: Rows, runner: Runner) -> None:
    """Indexes every file whose unit is not committed yet."""
    by_unit = {place.unit: place for place in places}
    left = [by_unit[unit] for unit in folder.pending(by_unit)]
    runners.run_each(runner, "Index", lambda place: commit_index(folder, job, place, rows), left)


def commit_index(folder: Folder, job: str, place: ImagePlace, rows: Rows) -> None:
    """Commits the rows of one file; damage ends it, is counted and noted.

    Raises:
        OutputError: the store cannot be written.
    """
    counted, clock = Counted(), Clock()
    redirects = revisits = 0
    with folder.writing(place.unit, RECORDS) as add:
        for row in rows(place, counted):
            add(row)
            counted.tally.add("kept")
            redirects += bool(row["location"])
            revisits += row["kind"] == "revisit"
    clock.lap("index")
    counts = {
        "source": place.name,
        "stages": [counted.tally.to_json(job, "copies")],
        "redirects": redirects,
        "revisits": revisits,
        "notes": counted.notes,
    }
    folder.commit_sidecar(place.unit, counts=counts, seconds=clock.seconds)


def archive_rows(place: ImagePlace, counted: Counted) -> Iterator[Row]:
    """All responses, resources and revisits of a web archive."""
    # Of a payload its first bytes tell what it is.
    for record in read_records(place.path, max_body=SNIFFED_BYTES):
        if isinstance(record, Damage):
            note = f"damaged at byte {record.offset}: {record.error}"
            counted.damaged("damaged_archive", note)
        elif record.kind == "other":
            counted.tally.add("dropped", record_class(record))
        else:
            yield record_row(record)


def image_rows(place: ImagePlace, counted: Counted) -> Iterator[Row]:
    """Those of `archive_rows` that hold an image, or may lead to one."""
    for row in archive_rows(place, counted):
        if row["kind"] == "revisit" or row["location"]:
            yield row
        elif row["status"] != 200:
            counted.tally.add("dropped", "http_status")
        elif row["content"] != "image":
            counted.tally.add("dropped", "not_an_image")
        else:
            yield row


def num_joins(counts: Iterable[Mapping[str, Any]], max_redirects: int) -> int:
    """Joins that the longest search can need in archives whose units counted this."""
    found = list(counts)
    return max_joins(
        redirects=sum(c["redirects"] for c in found),
        revisits=sum(c["revisits"] for c in found),
        max_redirects=max_redirects,
    )


def damage_lines(counts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The first of these notes, for the one who runs a build; the report has all."""
    found = notes(counts)
    yield from found[:MAX_ERRORS]
    if len(found) > MAX_ERRORS:
        yield f"and {len(found) - MAX_ERRORS} notes more, which the report has"


def notes(counts: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each damage that units noted, with the name of the file."""
    return [f"{each['source']}: {note}" for each in counts for note in each["notes"]]
