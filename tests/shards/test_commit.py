import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from openm3w.errors import OutputError
from openm3w.shards import commit


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(path, error):
    with commit.committed(path) as file:
        file.write(b"half")
        raise error


def test_a_file_appears_under_its_name_with_its_parents(tmp_path):
    commit.write_bytes(tmp_path / "a/b/c.bin", b"data")
    assert (tmp_path / "a/b/c.bin").read_bytes() == b"data"
    assert names(tmp_path / "a/b") == ["c.bin"]


def test_a_folder_that_a_user_mistyped_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    commit.check_place(tmp_path / "x")
    for folder in ("otu", "file"):
        with pytest.raises(OutputError, match=f"there is no folder {tmp_path}/{folder};"):
            commit.check_place(tmp_path / folder / "x")
    for folder in (tmp_path, Path()):
        with pytest.raises(OutputError, match="is a folder; name a file in it"):
            commit.check_place(folder)
    assert names(tmp_path) == ["file"]


def test_nothing_is_visible_until_the_block_ends(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with commit.committed(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_a_failing_writer_leaves_nothing_behind(tmp_path, error):
    with pytest.raises(error):
        write_half(tmp_path / "x", error)
    assert names(tmp_path) == []


def test_a_failing_writer_keeps_the_file_that_was_there(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="stop"):
        write_half(path, ValueError("stop"))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_two_attempts_at_one_file_do_not_mix(tmp_path):
    path = tmp_path / "x"
    with commit.committed(path) as first:
        first.write(b"first, ")
        with commit.committed(path) as second:
            second.write(b"second")
        first.write(b"whole")
    assert path.read_bytes() == b"first, whole"
    assert names(tmp_path) == ["x"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    # A limit on file size is the nearest to a full disk that needs no special rights.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        with pytest.raises(OutputError, match="cannot be written: File too large; free some space"):
            commit.write_bytes(tmp_path / "x", bytes(65537))
        commit.write_bytes(tmp_path / "y", bytes(65536))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert names(tmp_path) == ["y"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_without_space_is_an_output_error(tmp_path):
    def copy_to_full_device():
        with commit.committed(tmp_path / "x"), Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"no more")

    with pytest.raises(OutputError, match="No space left on device"):
        copy_to_full_device()
    assert names(tmp_path) == []


@pytest.mark.parametrize("target", ["file/x", "file/deep/er/x"])
def test_a_file_where_a_folder_should_be_is_an_output_error(tmp_path, target):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        commit.write_bytes(tmp_path / target, b"")


def test_a_folder_under_the_final_name_is_an_output_error(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        commit.write_bytes(tmp_path / "x", b"")
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "; free some space or choose another --output,"),
        (errno.EDQUOT, "; free some space or choose another --output,"),
        (errno.EACCES, "; see that this account may write there or choose another --output,"),
        (errno.EPERM, "; see that this account may write there or choose another --output,"),
        (errno.EROFS, "; see that this account may write there or choose another --output,"),
        (errno.EIO, "Input/output error; choose another --output,"),
    ],
)
def test_what_to_do_is_told_by_what_is_wrong(tmp_path, number, told):
    with pytest.raises(OutputError, match=told):
        write_half(tmp_path / "x", OSError(number, os.strerror(number)))
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_an_output_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        commit.write_bytes(tmp_path / "x", b"")


def test_errors_of_other_files_read_in_the_block_pass(tmp_path):
    with pytest.raises(FileNotFoundError), commit.committed(tmp_path / "x"):
        (tmp_path / "input").read_bytes()
    assert names(tmp_path) == []


def test_a_killed_writer_leaves_only_a_hidden_temporary_file(tmp_path):
    code = f"""
        import os, pathlib
        from openm3w.shards import commit
        with commit.committed(pathlib.Path({str(tmp_path)!r}) / "x") as file:
            file.write(b"half")
            os.kill(os.getpid(), 9)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith(".x.")
    assert left.endswith(".tmp")


def test_json_is_written_in_the_order_given_and_read_back(tmp_path):
    value = {"b": "ü", "a": [1, None]}
    commit.write_json(tmp_path / "x.json", value)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert text == json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    assert commit.read_json(tmp_path / "x.json") == value


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"5", b"\xff"])
def test_what_is_no_json_object_reads_as_none(tmp_path, data):
    (tmp_path / "x.json").write_bytes(data)
    assert commit.read_json(tmp_path / "x.json") is None


def test_a_missing_sidecar_reads_as_none(tmp_path):
    assert commit.read_json(tmp_path / "nothing.json") is None
    assert commit.read_json(tmp_path) is None


def test_a_device_or_a_pipe_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link"):
        with pytest.raises(OutputError, match="a device or a pipe"):
            commit.write_bytes(path, b"x", through_link=True)
    with pytest.raises(OutputError, match="a device or a pipe"):
        commit.write_bytes(pipe, b"x")
    assert pipe.is_fifo()


def test_a_link_that_a_user_names_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    commit.write_json(tmp_path / "link", {}, through_link=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"{}\n"


@pytest.mark.parametrize("target", ["file", "nothing", "link", ".", "/dev/null", "/dev/fd/1"])
def test_a_link_under_a_name_of_ours_is_replaced_itself(tmp_path, target):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to(target)
    commit.write_json(tmp_path / "link", {})
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"{}\n"
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file", "link"]


def test_json_deeper_than_any_of_ours_is_none(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    assert commit.read_json(path) is None


def test_a_name_may_be_made_of_what_was_written(tmp_path):
    said = []
    with commit.committed(tmp_path / "x", named=lambda: said[0]) as file:
        file.write(b"data")
        said.append("y")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"y": b"data"}
