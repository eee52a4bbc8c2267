import io
import tarfile

import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards.catalog import cache
from openm3w.shards.catalog.cache import file_name
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.opening import open_any
from openm3w.shards.catalog.samples import Catalog


def tar_of(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_shard_alone_shows_what_it_shows_in_its_dataset(dataset, kind, indexed, tmp_path):
    made = dataset(kind=kind)
    shard = made.shards[0]
    path = (made.root / shard.url).rename(tmp_path / "alone.tar")
    if indexed:
        (made.root / f"{shard.url}.idx").rename(tmp_path / "alone.tar.idx")
    (found,) = open_any(str(path))
    assert (found.kind, found.nsamples, found.name) == (kind, shard.nsamples, "alone.tar")
    shown = [each.sample for each in Catalog([found]).walk()]
    path.rename(made.root / shard.url)
    first = [each.sample for each in Catalog([made]).walk()][: shard.nsamples]
    assert shown == first


def test_folders_and_manifests_are_opened_as_ever(dataset):
    made = dataset()
    assert open_any(str(made.root)) == open_any(str(made.root / "manifest.json"))
    with pytest.raises(InputError, match="no manifest there; there is no such file"):
        open_any(str(made.root / "nosuch.tar"))


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ([("a.jpg", b"x"), ("a.txt", b"A cat")], "caption"),
        ([("a.png", b"x"), ("a.json", b'{"caption": "A cat"}'), ("a.cls", b"1")], "caption"),
        ([("a.json", b"{}"), ("a.txt", b"words"), ("b.jpg", b"x")], "text"),
        ([("a.json", b'{"texts": [], "images": [], "image_metadata": []}')], "interleaved"),
    ],
)
def test_the_first_sample_tells_the_kind(tmp_path, members, kind):
    (found,) = open_any(str(tar_of(tmp_path / "x.tar", *members)))
    assert found.kind == kind


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("a.json", b'{"text_list": []}')], r"has \.json: neither.*m3w shards import"),
        ([("a.json", b"[" * 100_000)], r"has \.json"),
        ([("a.pyd", b"x"), ("a.mp4", b"x")], r"has \.mp4, \.pyd"),
        ([("a.txt", b"words alone")], r"has \.txt"),
        ([], "has nothing"),
    ],
)
def test_samples_of_no_kind_are_told(tmp_path, members, said):
    with pytest.raises(ShardError, match=said):
        open_any(str(tar_of(tmp_path / "x.tar", *members)))


def test_what_is_no_tar_is_told(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(ShardError, match="no tar that can be read"):
        open_any(str(tmp_path / "x.tar"))


def test_another_tar_under_the_same_name_has_other_facts(tmp_path):
    path = tmp_path / "x.tar"
    before = open_any(str(tar_of(path, ("a.txt", b"words"), ("a.json", b"{}"))))
    name = name_of(before)
    facts = Facts.open(before)
    facts.fill()
    assert len(facts) == 1
    facts.close()
    after = open_any(str(tar_of(path, ("a.txt", b"other"), ("a.json", b'{"title": "b"}'))))
    assert name_of(after) != name


def name_of(datasets):
    catalog = Catalog(datasets)
    return file_name(catalog.roots, catalog.state)


def facts_of(where, place, split=None):
    facts = Facts.of(Catalog(open_any(str(where)), split), folder=place)
    assert facts.fill()
    return facts


def test_tars_of_one_folder_and_splits_of_one_dataset_are_open_side_by_side(dataset, tmp_path):
    for name in "ab":
        tar_of(tmp_path / f"{name}.tar", ("a.txt", name.encode()), ("a.json", b"{}"))
    made, place = dataset(), tmp_path / "cache"
    wanted = [(tmp_path / "a.tar", None), (tmp_path / "b.tar", None), (made.root, None)]
    wanted += [(made.root, split) for split in sorted({each.split for each in made.shards})]
    opened = [facts_of(where, place, split) for where, split in wanted]
    again = [(len(facts), facts.complete) for facts in opened]
    for facts in opened:
        facts.close()
    assert all(complete and number for number, complete in again)
    assert len({facts.file for facts in opened}) == len(wanted)
    cache.forget(tmp_path / "b.tar", place)
    assert [each.file.exists() for each in opened] == [True, False, *[True] * (len(wanted) - 2)]
    cache.forget(tmp_path, place)  # in which all of them stand
    assert not list(place.glob("*.sqlite*"))
