import io
import json
import shutil
import sqlite3
import tarfile
from dataclasses import replace

import pytest

from openm3w.errors import ShardError
from openm3w.shards import manifest
from openm3w.shards.catalog.query import Query
from openm3w.shards.serve.opening import Opened
from openm3w.shards.serve.site import open_site


@pytest.fixture
def copy(folders, tmp_path):
    shutil.copytree(folders / "b", tmp_path / "b")
    return tmp_path / "b"


@pytest.fixture
def opened(copy):
    made = Opened(lambda: open_site(str(copy)))
    yield made
    made.close()


def exclude(folder, number):
    (found,) = manifest.load(folder)
    key = open_site(str(folder)).kept.catalog.read(number).sample.key
    manifest.write(replace(found, exclude=(key,)))


def scored(root, values):
    """A dataset of texts with a score `odd` each, as JSON has it."""
    root.mkdir()
    with tarfile.open(root / "x.tar", "w") as tar:
        for at, value in enumerate(values):
            about = f'{{"scores": {{"odd": {value}}}}}'.encode()
            for name, data in ((f"{at:032x}.json", about), (f"{at:032x}.txt", b"words")):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return root / "x.tar"


def filled(opened):
    while not opened().kept.progress.finished:
        pass
    return opened()


def test_what_is_excluded_is_gone_from_the_next_request_on(copy, opened, serve_opened):
    with serve_opened(opened, filled(opened)) as running:
        assert running.get("/documents/kept/7").status == 200
        assert "/documents/kept/7" in running.get("/", q="words").text
        exclude(copy, 7)
        assert running.get("/documents/kept/7").status == 404
        assert running.get("/pictures/kept/7/0").status == 404
        while json.loads(running.get("/progress").body)["busy"]:
            pass
        assert "/documents/kept/7" not in running.get("/", q="words").text
        assert running.get("/documents/kept/8").status == 200


def test_what_has_not_changed_stays_open(opened):
    site = filled(opened)
    assert opened() is site
    assert site.kept.facts.count(Query()) == 28


def test_what_cannot_be_opened_any_more_is_not_shown_as_it_was(copy, opened, serve_opened):
    with serve_opened(opened, filled(opened)) as running:
        (copy / "manifest.json").write_text("{")
        for _ in range(2):
            answer = running.get("/documents/kept/7")
            assert answer.status == 500
            assert "not a manifest" in answer.text
            assert "Title" not in answer.text
        with pytest.raises(ShardError):
            opened()


def test_a_file_of_facts_that_goes_is_filled_anew(opened, serve_opened):
    site = filled(opened)
    with serve_opened(opened, site) as running:
        before = running.get("/", q="words").text
        site.kept.facts.file.unlink()
        running.get("/")
        while json.loads(running.get("/progress").body)["busy"]:
            pass
        assert running.get("/", q="words").text == before


def test_two_tars_of_one_folder_stand_side_by_side(folders, tmp_path, serve):
    for number, name in enumerate(("train-000000.tar", "val-000000.tar")):
        shutil.copy(folders / "a" / "data" / name, tmp_path / f"{number}.tar")
    site = open_site(str(tmp_path / "0.tar"), compare=str(tmp_path / "1.tar"))
    with serve(site) as running:
        for path in ("/", "/numbers", "/compare"):
            assert running.get(path).status == 200
        assert running.get("/", q="words").text.count('href="/documents/kept/') == 20


def test_scores_that_are_no_numbers_are_left_out(tmp_path, serve):
    made = scored(tmp_path / "set", ["1e999", "-1e999", "NaN", "1e308", "-1e308", "0.25", "0.5"])
    site = open_site(str(made), compare=str(made))
    with serve(site) as running:
        for path in ("/numbers", "/compare"):
            assert running.get(path, measure="odd").status == 200
    assert list(site.kept.facts.values("odd")) == [0.25, 0.5]


def test_an_error_that_nobody_expected_has_a_page_without_a_path(folders, serve, monkeypatch):
    site = open_site(str(folders / "b"))
    with serve(site) as running:
        site.kept.facts.close()
        monkeypatch.setattr(site.kept.facts, "file", folders / "a")  # a folder
        answer = running.get("/numbers")
    assert answer.status == 500
    assert "not expected" in answer.text
    assert str(folders) not in answer.text
    assert "Traceback" not in answer.text


def test_a_damaged_shard_is_told_and_the_rest_is_shown(folders, tmp_path, serve):
    shutil.copytree(folders / "a", tmp_path / "a")
    shard = tmp_path / "a" / "data" / "val-000000.tar"
    data = bytearray(shard.read_bytes())
    data[0] ^= 1  # of the first header
    shard.write_bytes(data)
    with serve(open_site(str(tmp_path / "a"))) as running:
        text = running.get("/", q="words").text
        assert "val-000000.tar" in text
        assert text.count('href="/documents/kept/') == 19, "of the other shard"
        assert running.get("/documents/kept/3").status == 200


def test_a_cache_that_is_gone_leaves_pages_by_number(folders, tmp_path, monkeypatch, serve):
    monkeypatch.setenv("OPENM3W_CACHE", str(tmp_path))
    site = open_site(str(folders / "b"))

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(type(site.kept.facts), "fill", full)
    with serve(site) as running:
        assert "cannot be read: database or disk is full" in running.get("/").text
        assert running.get("/documents/kept/3").status == 200
        assert json.loads(running.get("/progress").body) == {"busy": ""}
