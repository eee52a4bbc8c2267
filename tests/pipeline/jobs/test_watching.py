import threading

from openm3w.pipeline.jobs.watching import watching
from openm3w.pipeline.store import Folder


def commit(folder, name):
    folder.commit_sidecar(name, counts={"name": name}, seconds={})


def test_units_are_told_once_as_they_are_committed(tmp_path):
    folder, told, first = Folder.of(tmp_path, "abc"), [], threading.Event()

    def hear(counts):
        told.append(counts["name"])
        first.set()

    commit(folder, "web-before")
    with watching(folder, "web", hear, every=0.01):
        commit(folder, "web-1")
        assert first.wait(30)  # before the end of the block
        commit(folder, "archive-1")
        commit(folder, "web-2")
    assert told == ["web-1", "web-2"]


def test_a_folder_that_is_not_there_yet_is_no_fault(tmp_path):
    folder, told = Folder.of(tmp_path / "none", "abc"), []
    with watching(folder, "web", told.append, every=0.01):
        commit(folder, "web-1")
    assert told == [{"name": "web-1"}]


def test_a_unit_made_from_something_else_is_not_told(tmp_path):
    folder, told = Folder.of(tmp_path, "abc"), []
    with watching(folder, "web", told.append, every=0.01):
        commit(Folder(root=folder.root, fingerprint="other"), "web-1")
    assert told == []
