"""The command, killed at each rename and removal, and run again."""

import json
import os
import shutil
import sys

import pyarrow.parquet as pq
import pytest

from openm3w.pipeline.fetch import process
from openm3w.pipeline.redacting.command import Request, redact
from openm3w.pipeline.redacting.requests import entries
from openm3w.shards import manifest
from openm3w.shards.reader import read_samples
from openm3w.shards.redaction import ledger

pytestmark = pytest.mark.beam

EVENTS = ("os.rename", "os.remove", "shutil.rmtree")
STRIDE = 6
"""Of some ninety, as many as two seconds allow; a neighbouring one is mostly of the same step."""


def run(folder):
    request = Request(entries=tuple(entries({"domain": ("one.example",), "url": (
        "http://three.example/gone.png",)}, ())))  # fmt: skip
    redact(folder / "out", request, store=None, say=lambda _: None)


def killed_at(number, folder):
    """Whether a child was killed at its n-th event."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    seen = 0

    def hook(event, _):
        nonlocal seen
        seen += event in EVENTS
        if event in EVENTS and seen == number:
            os.kill(os.getpid(), 9)

    sys.addaudithook(hook)
    run(folder)
    os._exit(0)


def tree(folder):
    """Every file by what it says: salts, dates and what was half written differ."""
    found = {}
    for path in (p for root in ("out", "out.work") for p in sorted((folder / root).rglob("*"))):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".parquet":
            found[name] = pq.read_table(path).to_pylist()
        elif path.is_file() and "/tombstones/" not in name and path.suffix != ".tmp":
            found[name] = path.read_bytes()
    lines = found.pop("out.work/redactions.jsonl").splitlines()
    counted = [json.loads(line) for line in lines]
    found["ledger"] = [(c["step"], c["samples"], c["images"], c["shards"]) for c in counted]
    return found


def test_at_every_step_the_same_command_ends_at_the_same_files(copy, tmp_path):
    for name in ("out", "out.work"):
        shutil.copytree(copy / name, copy / "before" / name)
    run(copy)
    expected, number, given = tree(copy), 1, set()
    (dataset,) = manifest.load(copy / "out")
    allowed = [{s.key for s in read_samples(dataset)}]
    while True:
        folder = tmp_path / f"killed{number}"
        shutil.copytree(copy / "before", folder)
        process.close()
        if not killed_at(number, folder):
            break
        (now,) = manifest.load(folder / "out")
        given.add(now.fingerprint)
        run(folder)
        assert tree(folder) == expected, number
        shutil.rmtree(folder)
        number += STRIDE
    assert allowed
    assert number > 20
    assert len(given) == 3  # as it was, hidden, written anew
    assert len(ledger.read(copy / "out.work")) == 1
