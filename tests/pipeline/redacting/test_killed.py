"""The command, killed at one in six of its renames and removals, and run again."""

import contextlib
import json
import os
import shutil
import sys

import pyarrow.parquet as pq
import pytest
from tests.pipeline.redacting.redactable import documents

from openm3w.errors import ShardError
from openm3w.pipeline.fetch import process
from openm3w.pipeline.redacting.command import Request, redact
from openm3w.pipeline.redacting.requests import entries
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


def seen(root):
    """What a reader gets: the addresses of the pictures of each page."""
    found = documents(root)
    return {host: [image.url for image in each.images] for host, each in found.items()}


def test_killed_at_every_sixth_change_a_reader_sees_one_state_and_the_same_command_ends(
    copy, tmp_path
):
    for name in ("out", "out.work"):
        shutil.copytree(copy / name, copy / "before" / name)
    before = seen(copy / "out")
    run(copy)
    expected, after, number = tree(copy), seen(copy / "out"), 1
    hidden = {host: urls for host, urls in before.items() if after.get(host) == urls}
    states, given = (before, hidden, after), []
    while True:
        folder = tmp_path / f"killed{number}"
        shutil.copytree(copy / "before", folder)
        process.close()
        if not killed_at(number, folder):
            break
        with contextlib.suppress(ShardError):  # a shard has gone, and its manifest is about to
            given.append(states.index(seen(folder / "out")))
        run(folder)
        assert tree(folder) == expected, number
        shutil.rmtree(folder)
        number += STRIDE
    assert number > 20
    assert given == sorted(given)
    assert set(given) == {0, 1, 2}
    assert len(ledger.read(copy / "out.work")) == 1
