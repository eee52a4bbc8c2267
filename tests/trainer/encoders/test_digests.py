import hashlib
import os

from openm3w.trainer.encoders.digests import file_digest, folder_digest


def test_a_file_that_changed_in_its_place_has_another_digest(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    assert file_digest(path) == hashlib.sha256(b"one").hexdigest()[:16]
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert file_digest(path) == hashlib.sha256(b"two").hexdigest()[:16]


def test_a_folder_s_digest_is_of_names_and_contents(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    first = folder_digest(tmp_path)
    (tmp_path / ".lock").write_bytes(b"")
    assert folder_digest(tmp_path) == first
    (tmp_path / "a").rename(tmp_path / "c")
    assert folder_digest(tmp_path) != first
