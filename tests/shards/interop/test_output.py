import fcntl
import os
from pathlib import Path

import pytest

from openm3w.errors import OutputError
from openm3w.shards.interop.output import whole_folder


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with whole_folder(tmp_path / "new/out") as folder:
        (folder / "a").write_text("a")
        assert not (tmp_path / "new/out").exists()
    assert [path.name for path in (tmp_path / "new").rglob("*")] == ["out", "a"]


def fill(output, name="a", *, error=None):
    with whole_folder(output) as folder:
        (folder / name).write_text("a")
        if error:
            raise error


def test_nothing_is_left_of_a_block_that_fails(tmp_path):
    with pytest.raises(RuntimeError):
        fill(tmp_path / "out", error=RuntimeError())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["file", "full folder", "link"])
def test_what_is_there_stays(tmp_path, what):
    out = tmp_path / "out"
    if what == "file":
        out.write_text("mine")
    elif what == "link":
        out.symlink_to(tmp_path)
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    with pytest.raises(OutputError, match="choose another --output"), whole_folder(out):
        pytest.fail("the block must not run")
    assert out.exists()


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    with whole_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("a")
    assert (tmp_path / "out/a").is_file()


def test_of_two_at_once_the_second_is_told(tmp_path):
    def both():
        with whole_folder(tmp_path / "out") as first:
            (first / "1").write_text("")
            fill(tmp_path / "out", "2")

    with pytest.raises(OutputError, match="something else was written there"):
        both()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "2"]


def test_what_a_killed_attempt_left_is_removed_and_what_runs_stays(tmp_path):
    name = "out[1]"
    left, running, others = (tmp_path / f".{it}.tmp" for it in (f"{name}.a", f"{name}.b", "out1.c"))
    for folder in (left, running, others):
        folder.mkdir()
        (folder / "part").write_text("")
    lock = os.open(running, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with whole_folder(tmp_path / name):
        pass
    os.close(lock)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [running.name, others.name, name]
    )


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), whole_folder(tmp_path / "file/out"):
        pytest.fail("the block must not run")


@pytest.mark.parametrize("when", ["before the lock", "before it is open", "while it is looked at"])
def test_a_folder_that_another_attempt_takes_away_is_made_again(tmp_path, monkeypatch, when):
    opened, seen, held = os.open, [], []

    def racing(path, flags, *rest, **options):
        if ".out." not in str(path) or seen:
            return opened(path, flags, *rest, **options)
        seen.append(path)
        if when == "before it is open":
            Path(path).rmdir()
            return opened(path, flags, *rest, **options)
        lock = opened(path, flags, *rest, **options)
        if when == "before the lock":
            Path(path).rmdir()
        else:
            held.append(opened(path, os.O_RDONLY))
            fcntl.flock(held[0], fcntl.LOCK_EX)
        return lock

    monkeypatch.setattr(os, "open", racing)
    with whole_folder(tmp_path / "out") as folder:
        assert folder != seen[0]
        (folder / "a").touch()
    assert (tmp_path / "out/a").is_file()
    for lock in held:
        os.close(lock)
