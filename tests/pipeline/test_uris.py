import pytest

from openm3w.errors import InputError
from openm3w.pipeline.remote import find, first_bytes
from openm3w.pipeline.sources import find_sources
from openm3w.pipeline.tables import forms
from openm3w.shards import uris
from openm3w.shards.uris import is_remote, local_path, shown


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(uris, "_PAUSES", (0.0, 0.0))


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("s3://b/x", True),
        ("GS://b/x", True),
        ("https://a.example/x", True),
        ("memory://x", True),
        ("file:///x", False),
        ("/x", False),
        ("a/b.csv", False),
        ("C:\\x", False),
    ],
)
def test_uris_are_told_from_paths(value, is_one):
    assert is_remote(value) == is_one


def test_a_file_uri_is_a_path(tmp_path):
    (tmp_path / "a b.csv").write_text("url,text\n")

    assert local_path(f"file://{tmp_path}/a b.csv") == f"{tmp_path}/a b.csv"
    for value in (f"file://{tmp_path}/a b.csv", f"FILE://{tmp_path}"):
        (source,) = find_sources([value], accepts=forms.is_table).archives
        assert source.name == "a b.csv"


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("https://me:secret@a.example/x.csv?key=secret#secret", "https://a.example/x.csv"),
        ("s3://bucket/a?b/x.csv", "s3://bucket/a?b/x.csv"),
        ("ftp://me:secret@host/a@b", "ftp://host/a@b"),
        ("simplecache::ftp://me:secret@host/a", "simplecache::ftp://host/a"),
        ("file:///data/a://b@c/d", "file:///data/a://b@c/d"),
        ("plain/path?x", "plain/path?x"),
    ],
)
def test_what_may_be_a_secret_is_not_shown(uri, text):
    assert shown(uri) == text


@pytest.mark.parametrize("failures", [2, 3])
def test_a_passing_fault_is_tried_twice_again(web_files, failures):
    (found,) = find(web_files.put("a.csv", b"0123456789") + "?key=secret", "")
    web_files.failing = failures

    if failures == 2:
        assert first_bytes(found.file, 4) == b"0123"
    else:
        with pytest.raises(InputError, match=r"503.*run the same command again") as caught:
            first_bytes(found.file, 4)
        assert "secret" not in str(caught.value)


def test_a_server_that_says_nothing_ends_the_run(web_files, monkeypatch):
    monkeypatch.setattr(uris, "_STALL_SECONDS", 0.1)
    (found,) = find(web_files.put("a.csv", b"0123456789"), "")
    web_files.answering.clear()

    with pytest.raises(InputError, match=r"cannot be read: .*run the same command again"):
        first_bytes(found.file, 4)
