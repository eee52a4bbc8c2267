"""What the documents of a build are like, of what each of its shards noted."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openm3w.pipeline.jobs.writing import NOTED
from openm3w.pipeline.store import Folder
from openm3w.shards.catalog.distributions import Distributions
from openm3w.shards.writer import ShardEntry


def distributions(written: Folder, entries: Iterable[ShardEntry]) -> dict[str, Any]:
    """`Distributions.summary` over these shards, whose sidecars are in `written`.

    Empty where an earlier version wrote one of them: a report then reads the samples.
    """
    found = Distributions()
    for entry in entries:
        sidecar = written.sidecar(Path(entry.url).stem)
        if sidecar is None or NOTED not in sidecar["counts"]:
            return {}
        found.merge(Distributions.of_json(sidecar["counts"][NOTED]))
    return found.summary()
