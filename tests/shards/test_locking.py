import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openm3w.errors import OutputError
from openm3w.shards.locking import LOCK_NAME, only_writer

HOLD = """
import os, sys, time
from pathlib import Path
from openm3w.shards.locking import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def names(folder):
    return [path.name for path in folder.iterdir()]


def fail_after_a_shard(output):
    with only_writer(output):
        (output / "shard").touch()
        raise ZeroDivisionError


def test_a_second_writer_is_refused_while_the_first_is_at_it(tmp_path):
    output = tmp_path / "out"
    with (
        only_writer(output),
        pytest.raises(OutputError, match="has ended, or choose another --output"),
        only_writer(output),
    ):
        pass
    with only_writer(output):
        pass
    assert not output.exists()


def test_what_was_written_stays_and_the_lock_goes(tmp_path):
    output = tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        fail_after_a_shard(output)
    assert names(output) == ["shard"]


def test_the_lock_of_another_writer_is_left_where_the_folder_was_removed(tmp_path):
    output = tmp_path / "out"
    with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
        first.enter_context(only_writer(output))
        shutil.rmtree(output)
        second.enter_context(only_writer(output))
        first.close()
        with pytest.raises(OutputError, match="another build"), only_writer(output):
            pass


def test_an_empty_folder_of_the_users_own_stays(tmp_path):
    with only_writer(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_writer_that_was_killed_keeps_nobody_out(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as held:
        assert held.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match="another build"), only_writer(tmp_path):
            pass
        held.kill()
    assert names(tmp_path) == [LOCK_NAME]
    with only_writer(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_left_to_the_one_who_writes(tmp_path):
    (tmp_path / "out").touch()
    with only_writer(tmp_path / "out"):
        pass
    assert (tmp_path / "out").is_file()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_where_no_folder_can_be_made_no_other_build_is_blamed():
    with (
        pytest.raises(OutputError, match=r"^/proc/x: cannot be created: No such file"),
        only_writer(Path("/proc/x")),
    ):
        pass
