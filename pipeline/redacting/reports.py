"""The report of a dataset once something was taken out of it."""

from openm3w.errors import InputError
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.redacting.tables import without_domains
from openm3w.pipeline.report import read_report, write_report
from openm3w.pipeline.report.distributed import counted_again
from openm3w.shards import commit
from openm3w.shards.manifest import Manifest

_FILES = ("report.json", "report.html")


def rewrite(dataset: Manifest, tombstones: Tombstones) -> None:
    """Commits the report with the funnel that the manifest has, and without buried addresses.

    What the documents are like is counted again; times and the histograms of what was dropped stay
    those of the build. One that cannot be read is removed.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder = dataset.folder
    if commit.read_json(folder / _FILES[0]) is None:
        return
    try:
        report = read_report(folder)
    except InputError:
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
        return
    told = {**report, "stages": dataset.counts.get("stages", report.get("stages", []))}
    for name in ("notes", "bars", "tables"):
        if name in told:
            told[name] = without_domains(told[name], tombstones)
    told = counted_again(told, dataset.counts.get("distributions", {}))
    write_report(folder, told)  # of an attempt before, the page may still be the one of before
