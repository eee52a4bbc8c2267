"""Edits that are killed at every step of their commit, and run again."""

import dataclasses
import hashlib
import shutil
import signal
import threading

import pytest
from crashing import Commands, Point, temporary_files

from openm3w.shards import manifest, reader
from openm3w.shards.verify import verify
from openm3w.shards.writer import Packed, write_packed

POINTS = [
    Point("before the folder is locked", "open", r"out/\.lock$"),
    Point("before the command is noted", "os.rename", r"command\.json$"),
    Point("after the command was noted", "os.rename", r"command\.json$", after=True),
    Point("before the temporary tar is opened", "open", r"data/\.train-000000\.tar\.\w+\.tmp$"),
    Point("after it was opened", "open", r"data/\.train-000000\.tar\.\w+\.tmp$", after=True),
    Point("half-written tar", "open", r"data/\.train-000000\.tar\.\w+\.tmp$", half=4096),
    Point("before the rename of a tar", "os.rename", r"data/train-000000\.tar$"),
    Point("after the rename of a tar", "os.rename", r"data/train-000000\.tar$", after=True),
    Point("before its index", "open", r"data/\.train-000000\.tar\.idx\.\w+\.tmp$"),
    Point("between index and sidecar", "open", r"\.edit/\.train-000000\.json\.\w+\.tmp$"),
    Point("after a sidecar", "os.rename", r"\.edit/train-000000\.json$", after=True),
    Point("half-written tar of the second", "open", r"\.train-000001\.tar\.\w+\.tmp$", half=1),
    Point("before the card", "open", r"out/\.README\.md\.\w+\.tmp$"),
    Point("before .nv-meta", "os.rename", r"\.nv-meta/split\.yaml$"),
    Point("before the manifest", "open", r"out/\.manifest\.json\.\w+\.tmp$"),
    Point("before the rename of the manifest", "os.rename", r"out/manifest\.json$"),
    Point("before _SUCCESS", "open", r"out/\._SUCCESS\.\w+\.tmp$"),
    Point("before the rename of _SUCCESS", "os.rename", r"out/_SUCCESS$"),
    Point("after _SUCCESS", "os.rename", r"out/_SUCCESS$", after=True),
    Point("before the notes are removed", "shutil.rmtree", r"out/\.edit$"),
    Point("before the lock is removed", "os.remove", r"out/\.lock$"),
]


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def commands():
    with Commands("openm3w.cli", "openm3w.shards.commands.editing") as started:
        yield started


@pytest.fixture
def merge(dataset):
    """The arguments of a merge but for its output."""
    return ("shards", "merge", dataset("one").root, dataset("two", start=60).root, "--output")


@pytest.fixture
def undisturbed(commands, merge, tmp_path):
    assert commands.run(*merge, tmp_path / "undisturbed").code == 0
    return tree(tmp_path / "undisturbed")


def test_an_edit_that_is_killed_anywhere_ends_as_one_that_was_not(
    commands, merge, undisturbed, tmp_path
):
    out = tmp_path / "out"
    for point in POINTS:
        shutil.rmtree(out, ignore_errors=True)
        commands.kill(point, *merge, out)
        if not (out / "_SUCCESS").exists():
            # No reader takes what is not finished for a dataset that lacks something.
            assert not (out / "manifest.json").exists() or manifest.load(out)[0].nsamples == 12
        ended = commands.run(*merge, out)
        assert ended.code == 0, (point.name, ended.said)
        assert tree(out) == undisturbed, point.name
    (found,) = manifest.load(out)
    assert verify([found]).faults == []
    keys = [sample.key for sample in reader.read_samples(found)]
    assert len(set(keys)) == len(keys) == 12


def test_an_edit_that_is_killed_again_and_again_ends_as_one_that_was_not(
    commands, merge, undisturbed, tmp_path
):
    out = tmp_path / "out"
    for point in POINTS:
        commands.kill(point, *merge, out)
    assert commands.run(*merge, out).code == 0
    assert tree(out) == undisturbed


def test_what_killed_attempts_left_does_not_pile_up(commands, merge, tmp_path):
    out = tmp_path / "out"
    for _ in range(3):
        commands.kill(Point("", "open", r"\.train-000000\.tar\.\w+\.tmp$", half=4096), *merge, out)
        assert len(temporary_files(out)) == 1


def test_what_was_committed_is_not_written_again(commands, merge, tmp_path):
    out = tmp_path / "out"
    commands.kill(Point("", "open", r"\.train-000001\.tar\.\w+\.tmp$"), *merge, out)
    before = (out / "data/train-000000.tar").stat().st_mtime_ns
    assert commands.run(*merge, out).code == 0
    assert (out / "data/train-000000.tar").stat().st_mtime_ns == before


@pytest.mark.parametrize("lost", ["tar", "tar.idx"])
def test_what_is_lost_between_two_runs_is_written_again(
    commands, merge, undisturbed, tmp_path, lost
):
    out = tmp_path / "out"
    commands.kill(Point("", "os.rename", r"out/README\.md$"), *merge, out)
    (out / f"data/train-000000.{lost}").unlink()
    assert commands.run(*merge, out).code == 0
    assert tree(out) == undisturbed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_half_file_and_says_how_to_go_on(
    commands, merge, undisturbed, tmp_path, number, code
):
    out = tmp_path / "out"
    point = Point("", "os.rename", r"train-000001\.tar$", signal=number)
    ended = commands.run(*merge, out, point=point)
    assert (ended.code, ended.reached) == (code, True)
    words = "m3w: interrupted; the same command again goes on where it stopped\n"
    assert ended.said.endswith(words)
    assert temporary_files(out) == []
    assert not (out / ".lock").exists()
    assert commands.run(*merge, out).code == 0
    assert tree(out) == undisturbed


def test_a_disk_that_fills_is_one_line_and_loses_nothing(commands, merge, undisturbed, tmp_path):
    out = tmp_path / "out"
    point = Point("", "open", r"\.train-000001\.tar\.\w+\.tmp$", half=4096, full=True)
    ended = commands.run(*merge, out, point=point)
    assert (ended.code, ended.reached) == (1, True)
    last = ended.said.splitlines()[-1]
    assert last.startswith(f"m3w: {out}/data/train-000001.tar: cannot be written: File too large;")
    assert "free some space or choose another --output, then run the same command again" in last
    assert not (out / "data/train-000001.tar").exists()
    assert temporary_files(out) == []
    assert commands.run(*merge, out).code == 0
    assert tree(out) == undisturbed


def test_the_output_that_another_command_began_is_refused(commands, merge, tmp_path):
    out = tmp_path / "out"
    commands.kill(Point("", "os.rename", r"out/manifest\.json$"), *merge, out)
    before = tree(out)
    ended = commands.run(*merge, out, "--name", "another")
    assert ended.code == 1
    assert "what another command, or this one of other data, has begun to write" in ended.said
    assert {**before, ".lock": tree(out).get(".lock")} == {**tree(out), ".lock": None}


def test_two_attempts_at_one_shard_at_once_give_one_shard(tmp_path):
    begun = threading.Barrier(2, timeout=60)
    samples = [
        Packed(key=f"k{n}", members=[(f"k{n}.txt", bytes([n]) * 3000)], images=0, characters=1)
        for n in range(30)
    ]

    def slowly():
        begun.wait()  # both files are open
        for at, sample in enumerate(samples):
            if at == 15:
                begun.wait()
            yield sample

    entries = []

    def write():
        entries.append(write_packed(tmp_path, "data/x.tar", slowly(), split="train"))

    attempts = [threading.Thread(target=write) for _ in range(2)]
    for attempt in attempts:
        attempt.start()
    for attempt in attempts:
        attempt.join()
    alone = write_packed(tmp_path, "data/y.tar", samples, split="train")
    assert entries == [dataclasses.replace(alone, url="data/x.tar")] * 2
    assert (tmp_path / "data/x.tar").read_bytes() == (tmp_path / "data/y.tar").read_bytes()
    assert temporary_files(tmp_path) == []
