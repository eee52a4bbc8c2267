"""Proves that the shards are read unchanged by other loaders: `make interop`.

    python scripts/interop/run.py [--page docs/interop.md]

Three datasets (`material.py`) are read by every loader of `environments.py`, each in an environment
of its own below `build/interop`: where they lie, and moved and named by a relative path. Every
sample is compared with what OpenM3W's reader says: order, key, JSON, text, and the bytes or pixels
of every image. Then copies are spoilt (`controls.py`), which every check has to notice.

Exit code 1 where a loader disagrees or a check notices nothing; the page is written only where
neither is so. What the loaders printed is in `build/interop/logs/`; `INTEROP_WORK` names another
folder than `build/interop`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environments
import material
import page
import traps
from controls import CONTROLS, EVERY
from environments import ENVIRONMENTS, Check, Environment

from openm3w.errors import OpenM3WError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = Path(os.environ.get("INTEROP_WORK", ROOT / "build" / "interop"))

_SPOILT = "interleaved"
"""The kind that is spoilt: it has all that the others have."""

_TRAP = WORK / "spoilt" / "trap"
"""What a pickle makes where it is run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A dataset that a loader has to read, or has to complain of."""

    kind: str
    cwd: Path
    folder: str
    control: str = ""
    """How it was spoilt; "" where it was not."""
    trap: bool = False
    """Whether it holds pickles."""

    def to_json(self) -> dict[str, str]:
        """What `check.py` is told."""
        expected = WORK / "expected" / f"{self.kind}.json"
        job = {"cwd": str(self.cwd), "folder": self.folder, "expected": str(expected)}
        return {**job, "trap": str(_TRAP)} if self.trap else job


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one check."""

    environment: Environment
    check: Check
    versions: dict[str, str] = field(default_factory=dict)
    counts: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """By kind and way of reading: samples and images."""
    noticed: list[str] = field(default_factory=list)
    """Controls."""
    traps: list[dict[str, str]] = field(default_factory=list)
    """What became of a pickle by way of reading: without WDS_SECURE, then with it."""
    faults: list[str] = field(default_factory=list)


def main() -> int:
    """Runs all checks."""
    parser = argparse.ArgumentParser(description="reads shards with every loader")
    parser.add_argument("--page", type=Path, help="the page to write, as docs/interop.md")
    parser.add_argument("--only", default="", help="environments whose name has this in it")
    parser.add_argument("--loader", default="", help="only this module of loaders/")
    parser.add_argument("--no-pickles", action="store_true", help="only what is ours, and spoilt")
    parser.add_argument(
        "--here", action="store_true", help="with this Python's packages, whatever their versions"
    )
    arguments = parser.parse_args()
    try:
        outcomes = list(_outcomes(arguments))
    except OpenM3WError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(page.table(outcomes))
    faults = [fault for outcome in outcomes for fault in outcome.faults]
    if not faults and arguments.page:
        page.write(arguments.page, outcomes)
    print("\n".join(faults) or "every loader agrees, and every check noticed what was spoilt")
    return 1 if faults else 0


def _outcomes(arguments: argparse.Namespace) -> Iterator[Outcome]:
    _write_datasets()
    for environment in ENVIRONMENTS:
        checks = [c for c in environment.checks if arguments.loader in ("", c.loader)]
        if arguments.only not in environment.name or not checks:
            continue
        made = WORK / "environments"
        python = Path(sys.executable) if arguments.here else environments.make(environment, made)
        for check in checks:
            outcome = _outcome(environment, check, python)
            if not arguments.no_pickles:
                outcome.traps.extend(_trapped(check, python))
            yield outcome


def _write_datasets() -> None:
    for name in ("data", "moved", "spoilt", "expected"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    for dataset in material.build(WORK / "data"):
        images = WORK / "expected" / "images"
        expected = material.expectation(dataset, images)
        images.parent.mkdir(exist_ok=True)
        (images.parent / f"{dataset.kind}.json").write_text(json.dumps(expected), encoding="utf-8")
        shutil.copytree(dataset.root, WORK / "moved" / dataset.kind)
    for name, spoil in {**EVERY, **CONTROLS}.items():
        folder = WORK / "spoilt" / name.replace(" ", "-")
        shutil.copytree(WORK / "data" / _SPOILT, folder)
        spoil(folder)
    traps.build(WORK / "data" / _SPOILT, WORK / "spoilt" / "pickles", _TRAP)


def _outcome(environment: Environment, check: Check, python: Path) -> Outcome:
    print(f"{environment.name}: {check.title}", file=sys.stderr, flush=True)
    outcome = Outcome(environment=environment, check=check)
    jobs = list(_jobs(check))
    answer = _ask(python, check, jobs, secure=True)
    outcome.versions.update(answer["versions"])
    for job, result in zip(jobs, answer["results"], strict=True):
        _note(outcome, job, result)
    return outcome


def _trapped(check: Check, python: Path) -> Iterator[dict[str, str]]:
    trap = Job(kind=_SPOILT, cwd=WORK, folder=str(WORK / "spoilt" / "pickles"), trap=True)
    for secure in (False, True):  # webdataset looks once, when it is imported: two processes
        (result,) = _ask(python, check, [trap], secure=secure)["results"]
        yield result["trap"]


def _note(outcome: Outcome, job: Job, result: dict[str, Any]) -> None:
    who, found = f"{outcome.environment.name}: {outcome.check.title}", result["differences"]
    if not job.control:
        outcome.counts[job.kind] = result["counts"]
        outcome.faults.extend(f"{who}, {job.folder}: {line}" for line in found)
    elif found:
        outcome.noticed.append(job.control)
    else:
        outcome.faults.append(f"{who} does not notice: {job.control}")


def _jobs(check: Check) -> Iterator[Job]:
    for kind in check.kinds:
        yield Job(kind=kind, cwd=WORK, folder=str(WORK / "data" / kind))
        # With a dot: to HF `datasets` a folder called text is its own loader of that name.
        yield Job(kind=kind, cwd=WORK / "moved", folder=f"./{kind}")
    for name in [*EVERY, *check.controls]:
        folder = str(WORK / "spoilt" / name.replace(" ", "-"))
        yield Job(kind=_SPOILT, cwd=WORK, folder=folder, control=name)


def _ask(python: Path, check: Check, jobs: list[Job], *, secure: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        jobs_file = Path(scratch, "jobs.json")
        jobs_file.write_text(json.dumps([job.to_json() for job in jobs]), encoding="utf-8")
        command = [str(python), str(HERE / "check.py"), check.loader, str(jobs_file)]
        # Nothing of this process's modules, no network, no cache of an earlier run.
        caches = dict.fromkeys(("HOME", "HF_HOME", "WIDS_CACHE", "TMPDIR"), scratch)
        environ = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", **caches}
        environ |= {"PYTHONDONTWRITEBYTECODE": "1", "WDS_SECURE": str(int(secure))}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environ, cwd=scratch
        )
    log = (
        WORK / "logs" / f"{python.parent.parent.name}-{check.loader}-{'un' * (not secure)}safe.log"
    )
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise OpenM3WError(f"{check.title}: ended with code {done.returncode}; see {log}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
