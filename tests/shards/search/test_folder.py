import json

import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Index, Part


def an_index(**changes):
    about = {
        "model": "lit",
        "model_id": "lit-1",
        "preprocessing": "whole",
        "dim": 4,
        "what": "both",
        "fingerprints": ("a", "b"),
        "finished": True,
        "parts": (Part(number=0, sha256="ff", rows=3, counts={"indexed": 3}, excluded=("k",)),),
    }
    return Index(**about | changes)


def test_what_was_written_is_read(tmp_path):
    layout.write(tmp_path, an_index())
    assert layout.read(tmp_path, "m3w index x") == an_index()
    assert an_index().sides == ("image", "text")
    assert an_index().rows == 3


def test_an_index_that_is_missing_or_not_finished_says_which_command_helps(tmp_path):
    assert layout.find(tmp_path) is None
    with pytest.raises(InputError, match="no index there; make one with `m3w index x`"):
        layout.read(tmp_path, "m3w index x")
    layout.write(tmp_path, an_index(finished=False))
    with pytest.raises(InputError, match="`m3w index x` goes on"):
        layout.read(tmp_path, "m3w index x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format_version": 2}, "another version"),
        ({"dim": "4"}, "not an index of this version"),
        ({"what": "sounds"}, "not an index of this version"),
        ({"parts": [{"number": 0}]}, "not an index of this version"),
    ],
)
def test_an_index_of_another_form_is_refused(tmp_path, change, said):
    layout.write(tmp_path, an_index())
    path = layout.about_path(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ShardError, match=said):
        layout.find(tmp_path)


def test_an_index_that_is_no_json_is_damaged(tmp_path):
    layout.write(tmp_path, an_index())
    layout.about_path(tmp_path).write_text("{")
    with pytest.raises(ShardError, match="damaged"):
        layout.find(tmp_path)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("out", "out.index"),
        ("out/", "out.index"),
        ("out/manifest.json", "out.index"),
        ("a/mix.json", "a/mix.index"),
        (".", "../here.index"),
    ],
)
def test_an_index_lies_beside_what_it_is_of(tmp_path, monkeypatch, where, expected):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert str(layout.beside(where)) == expected


def test_an_absolute_name_stays_one_and_an_address_needs_one(tmp_path):
    assert layout.beside(str(tmp_path / "out")) == tmp_path.resolve() / "out.index"
    with pytest.raises(InputError, match="name one"):
        layout.beside("s3://bucket/out")
