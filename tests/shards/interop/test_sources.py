from pathlib import Path

import pytest

from openm3w.errors import InputError
from openm3w.shards.interop.sources import Layout, find

TABLES = Layout(suffixes=(".jsonl", ".parquet"))


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def named(sources):
    return {source.name: source.split for source in sources}


def test_a_folder_gives_its_files_by_name_and_hides_what_is_hidden(tmp_path):
    touch(tmp_path, "b.jsonl", "a.parquet", "x/c.jsonl", ".nv-meta/d.jsonl", "e.txt", ".f.jsonl")
    assert list(named(find([tmp_path], TABLES))) == ["a.parquet", "b.jsonl", "x/c.jsonl"]


@pytest.mark.parametrize(
    ("name", "split"),
    [("val-00000.jsonl", "val"), ("validation.jsonl", "val"), ("dev_1.jsonl", "val"),
     ("val/a.jsonl", "val"), ("valley.jsonl", "train"), ("train-val.jsonl", "train"),
     ("a.jsonl", "train")],
)  # fmt: skip
def test_splits_by_name(tmp_path, name, split):
    assert named(find([touch(tmp_path, name)], TABLES)) == {name: split}


def test_splits_as_told(tmp_path):
    touch(tmp_path, "a/a.jsonl", "b/b.jsonl")
    found = find([tmp_path / "a"], TABLES, split="test", val=[tmp_path / "b"])
    assert named(found) == {"a.jsonl": "test", "b.jsonl": "val"}


def test_two_sources_of_one_name_are_refused(tmp_path):
    touch(tmp_path, "a/a.jsonl", "b/a.jsonl")
    with pytest.raises(InputError, match="name the folder that holds both"):
        find([tmp_path / "a", tmp_path / "b"], TABLES)
    assert list(named(find([tmp_path], TABLES))) == ["a/a.jsonl", "b/a.jsonl"]


def test_tables_beside_others_are_no_sources(tmp_path):
    layout = Layout(suffixes=(".tar",), folders=(".jpg",), beside=(".parquet",))
    touch(tmp_path, "0.parquet", "00/1.jpg", "00/2.jpg", "0.tar")
    assert list(named(find([tmp_path], layout))) == ["0.tar"]
    (tmp_path / "0.tar").unlink()
    assert list(named(find([tmp_path], layout))) == ["00"]
    assert list(named(find([tmp_path / "00"], layout))) == ["00"]
    for path in (tmp_path / "00").iterdir():
        path.unlink()
    assert list(named(find([tmp_path], layout))) == ["0.parquet"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("none", "no such file or folder"), ("a.txt", r"expected a file that ends in \.jsonl, \."),
     ("empty", r"no file in it ends in \.jsonl, \.parquet")],
)  # fmt: skip
def test_what_is_no_source_is_told(tmp_path, name, said):
    touch(tmp_path, "a.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=said):
        find([tmp_path / name], TABLES)


def test_a_digest_changes_with_name_size_and_ends(tmp_path):
    (before,) = find([touch(tmp_path / "a", "a.jsonl")], TABLES)
    (same,) = find([touch(tmp_path / "b", "a.jsonl")], TABLES)
    assert before.digest == same.digest
    same.path.write_text("a.jsonL")
    assert before.digest != same.digest
    (other,) = find([touch(tmp_path / "c", "b.jsonl")], TABLES)
    other.path.write_text("a.jsonl")
    assert before.digest != other.digest


def test_a_link_that_leads_out_of_a_folder_is_no_source(tmp_path):
    touch(tmp_path, "secret.jsonl")
    touch(tmp_path / "set", "a.jsonl")
    (tmp_path / "set/b.jsonl").symlink_to("a.jsonl")
    assert len(find([tmp_path / "set"], TABLES)) == 2
    (tmp_path / "set/c.jsonl").symlink_to("../secret.jsonl")
    with pytest.raises(InputError, match=r"c\.jsonl: is a link to what is outside"):
        find([tmp_path / "set"], TABLES)
    # What the user names is read.
    assert len(find([tmp_path / "set/c.jsonl"], TABLES)) == 1
