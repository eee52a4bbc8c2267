"""Reads datasets with one loader, in that loader's environment, and says what came out.

    python check.py hf_datasets JOBS.json

`JOBS.json` is a list of `{"cwd", "folder", "expected"}`: where the reading process stands, the
dataset as it is named there, and a file of `material.expectation`. The last line printed is a JSON
object: the environment's versions and, for each job, counts for each way of reading and the
differences from what OpenM3W's reader found. A job with a `trap` has a dataset of `traps.py`; its
result is what became of the pickle, for each way of reading.
"""

import importlib
import importlib.metadata
import json
import os
import platform
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rows import Reading, differences, load_expected

_SHOWN_OF_ERROR = 300
"""Characters of an error that are told: its end says what went wrong."""


def main(name: str, jobs_file: str) -> None:
    """Runs loader `name` over every job."""
    jobs = json.loads(Path(jobs_file).read_text(encoding="utf-8"))
    versions = {"python": platform.python_version(), **_versions()}
    print(json.dumps({"versions": versions, "results": [_result(name, job) for job in jobs]}))


def _result(name: str, job: dict[str, str]) -> dict[str, Any]:
    os.chdir(job["cwd"])
    if "trap" in job:
        return {"trap": dict(_sprung(name, job))}
    result: dict[str, Any] = {"counts": {}, "differences": []}
    try:
        loader = importlib.import_module(f"loaders.{name}")
        expected = load_expected(Path(job["expected"]))
        for reading in loader.readings(job["folder"], expected.kind):
            counts, found = differences(reading, expected, without_excluded=loader.HONOURS_EXCLUDE)
            result["counts"][f"{reading.way} {reading.split}".lstrip()] = counts
            result["differences"] += found
    except Exception as error:  # noqa: BLE001 - whatever a loader raises is its answer
        traceback.print_exc()
        result["differences"].append(f"{type(error).__name__}: {error}"[:_SHOWN_OF_ERROR])
    return result


def _sprung(name: str, job: dict[str, str]) -> Iterator[tuple[str, str]]:
    trap = Path(job["trap"])
    loader = importlib.import_module(f"loaders.{name}")
    expected = load_expected(Path(job["expected"]))
    for reading in loader.readings(job["folder"], expected.kind):
        if reading.split == "train":
            wanted = expected.rows("train", without_excluded=loader.HONOURS_EXCLUDE)
            said = _read_through(reading, len(wanted))
            yield reading.way, "runs it" if trap.exists() else said
            if trap.exists():
                trap.rmdir()


def _read_through(reading: Reading, wanted: int) -> str:
    try:
        read = sum(1 for _ in reading.rows)
    except Exception:  # noqa: BLE001 - whatever a loader raises is its answer
        traceback.print_exc()
        return "stops with an error"
    return "leaves it alone" if read == wanted else "skips the sample"


def _versions() -> dict[str, str]:
    return {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}


if __name__ == "__main__":
    main(*sys.argv[1:])
