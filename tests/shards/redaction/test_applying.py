"""Samples hidden and taken out of a dataset alone, without a store."""

import contextlib
import hashlib
import json
import os
import shutil
import struct
import sys
import tarfile
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import OutputError, ShardError
from openm3w.shards import describing, manifest
from openm3w.shards.catalog.distributions import collect
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard
from openm3w.shards.reader import read_samples
from openm3w.shards.redaction import applying
from openm3w.shards.redaction.matching import edit_of, find_edits
from openm3w.shards.redaction.work import NAME, Work, end
from openm3w.shards.skipping import Skipped
from openm3w.shards.strangers import check_strangers
from openm3w.shards.writer import add_member, write_shard


@dataclass
class Asked:
    """What a test asks to be forgotten."""

    urls: set = field(default_factory=set)
    hashes: set = field(default_factory=set)
    ids: set = field(default_factory=set)

    def covers(self, url):
        return url in self.urls

    def covers_content(self, sha256):
        return sha256 in self.hashes

    def covers_document(self, doc_id):
        return doc_id in self.ids

    @property
    def of_contents(self):
        return bool(self.hashes)


def taken_out(found, asked, **options):
    edits = find_edits(found, asked, **options)
    return applying.take_out(applying.hide(found, edits), edits, asked)


def loaded(found):
    (again,) = manifest.load(found.root)
    return again


def check_whole(found):
    again = loaded(found)
    assert sum(1 for _ in read_samples(again, verify="full")) == again.nsamples
    for shard in again.shards:
        index = (again.root / f"{shard.url}.idx").read_bytes()
        offsets = struct.unpack(f"<{len(index) // 8}Q", index)
        assert len(offsets) == shard.nsamples + 1


def test_hidden_samples_are_given_by_no_reader_and_still_stand_in_their_shards(dataset):
    found = dataset()
    samples = list(read_samples(found))
    page = samples[1]
    asked = Asked(urls={page.document.url, samples[4].document.images[0].url})

    edits = find_edits(found, asked)
    hidden = applying.hide(found, edits)

    assert hidden.exclude == loaded(found).exclude
    keys = {sample.key for sample in read_samples(loaded(found))}
    same_page = {s.key for s in samples if s.document.url == page.document.url}
    assert keys == {s.key for s in samples} - same_page - {samples[4].key}
    split = (found.root / ".nv-meta" / "split.yaml").read_text()
    assert page.key in split
    assert [shard.sha256 for shard in hidden.shards] == [shard.sha256 for shard in found.shards]


def test_an_image_goes_with_what_is_said_of_it_and_the_others_close_up(dataset):
    found = dataset(sizes=(("train", 2),))
    sample = list(read_samples(found))[1]
    first, second = sample.document.images

    changed = taken_out(found, Asked(urls={first.url}))

    left = list(read_samples(changed, verify="full"))[1]
    assert left.document.images == (second,)
    assert left.images == sample.images[1:]
    assert left.document.texts == sample.document.texts
    assert replace(left.document, spans=()) == replace(sample.document, spans=())
    raw = (changed.root / changed.shards[0].url).read_bytes()
    assert first.url.encode() not in raw
    assert f"{sample.key}.001.jpg".encode() not in raw
    assert changed.exclude == ()
    assert (changed.images, changed.nsamples) == (found.images - 1, found.nsamples)
    assert changed.characters == found.characters
    check_whole(found)


@pytest.mark.parametrize("by", ["stored", "id", "url", "image"])
def test_all_that_names_a_sample_or_an_image_finds_it(dataset, by):
    found = dataset(sizes=(("train", 3),))
    sample = list(read_samples(found))[1]
    image = sample.document.images[0]
    asked = {
        "stored": Asked(hashes={image.content.sha256}),
        "id": Asked(ids={sample.key}),
        "url": Asked(urls={sample.document.url}),
        "image": Asked(urls={image.url}),
    }[by]

    (edits,) = find_edits(found, asked).values()

    assert [edit.key for edit in edits] == [sample.key]
    assert edits[0].whole == (by in ("id", "url"))


def test_another_size_of_an_image_is_the_image(sample):
    found = sample(1)
    first, second = found.document.images
    sizes = (first.url, "https://large.example/0.jpg")
    document = found.document.with_images([replace(first, candidates=sizes), second])
    edit = edit_of(replace(found, document=document), Asked(urls={sizes[1]}))
    assert edit.images == (0,)
    assert edit_of(found, Asked(urls={sizes[1]})) is None


def test_bytes_are_found_by_what_they_are_and_by_what_is_noted_of_them(sample):
    found = sample(1)
    first, second = found.document.images
    noted = replace(first, content=replace(first.content, sha256="0" * 64))
    found = replace(found, document=found.document.with_images([noted, second]))
    for digits in ("0" * 64, hashlib.sha256(found.images[0]).hexdigest()):
        assert edit_of(found, Asked(hashes={digits})).images == (0,)


def test_a_document_goes_whole_with_an_image_where_that_is_asked(dataset):
    found = dataset(sizes=(("train", 3),))
    sample = list(read_samples(found))[1]
    asked = Asked(urls={sample.document.images[0].url})

    changed = taken_out(found, asked, whole=True)

    assert changed.nsamples == 2
    assert sample.key not in {left.key for left in read_samples(changed)}


def test_a_pair_goes_whole_and_its_row_too(dataset):
    found = dataset(kind="caption", sizes=(("train", 3),))
    sample = next(iter(read_samples(found)))
    changed = taken_out(found, Asked(hashes={sample.document.images[0].content.sha256}))
    assert changed.nsamples == 2
    assert sample.key not in {s.key for s in read_samples(changed)}
    check_whole(found)


def test_bytes_of_all_other_samples_stay_and_a_shard_of_which_nothing_is_left_goes(dataset):
    found = dataset(sizes=(("train", 2), ("train", 1), ("val", 1)))
    samples = list(read_samples(found))
    asked = Asked(ids={samples[2].key, samples[0].key})
    before = dict(members(found))

    changed = taken_out(found, asked)

    assert [shard.url for shard in changed.shards] == [
        "data/train-000000-r1.tar",
        "data/val-000000.tar",
    ]
    assert dict(members(changed)) == {
        key: data for key, data in before.items() if key not in asked.ids
    }
    names = sorted(path.name for path in (found.root / "data").iterdir())
    assert names == [
        *("train-000000-r1.tar", "train-000000-r1.tar.idx"),
        *("val-000000.tar", "val-000000.tar.idx"),
    ]
    card = (found.root / "README.md").read_text()
    assert "train-000000-r1.tar" in card
    assert "train-000001" not in card
    again = taken_out(loaded(found), Asked(ids={samples[1].key}))
    assert [shard.url for shard in again.shards] == ["data/val-000000.tar"]
    assert taken_out(loaded(found), Asked(ids={samples[3].key})).shards == ()
    assert loaded(found).nsamples == 0


def members(found):
    for shard in found.shards:
        yield from OpenShard(found, shard).samples()


def test_what_somebody_else_hides_stays_hidden(dataset):
    found = dataset(sizes=(("train", 3),))
    first, second, _ = read_samples(found)
    theirs = replace(found, exclude=(second.key,))
    manifest.write(theirs)
    urls = {image.url for sample in (first, second) for image in sample.document.images}

    changed = taken_out(theirs, Asked(urls=urls))

    assert changed.exclude == (second.key,)


def test_a_request_that_waits_for_its_rewrite_stays_hidden_beside_another(dataset):
    found = dataset(sizes=(("train", 3),))
    first, second, _ = read_samples(found)
    waiting = applying.hide(found, find_edits(found, Asked(urls={first.document.images[0].url})))

    changed = taken_out(waiting, Asked(ids={second.key}))
    end(changed.root)

    assert changed.exclude == (first.key,)
    assert Work.of(changed.root).hidden == (first.key,)


def test_counts_move_from_kept_to_tombstone_and_still_add_up(dataset):
    found = dataset(sizes=(("train", 3),))
    stages = [
        {
            "job": "shards",
            "unit": "pages",
            "entered": 5,
            "kept": 3,
            "dropped": {"x": 2},
            "failed": {},
        },
        {"job": "shards", "unit": "images", "entered": 4, "kept": 4, "dropped": {}, "failed": {}},
    ]
    found = replace(found, counts={"stages": stages, "languages": {"en": 3}})
    manifest.write(found)
    sample = list(read_samples(found))[1]

    changed = taken_out(found, Asked(ids={sample.key}))

    pages, images = changed.counts["stages"]
    assert (pages["kept"], pages["dropped"]) == (2, {"tombstone": 1, "x": 2})
    assert (images["kept"], images["dropped"]) == (2, {"tombstone": 2})
    assert changed.counts["languages"] == {"en": 2}


def test_what_stays_is_described_again_and_what_waits_is_not_counted(dataset):
    found = dataset(sizes=(("train", 4),))
    found = replace(found, counts={"distributions": collect([found]).summary()})
    manifest.write(found)
    first, second, *_ = read_samples(found)
    waiting = applying.hide(found, find_edits(found, Asked(urls={first.document.images[0].url})))
    assert describing.distributions(waiting)["documents"] == 4

    changed = taken_out(waiting, Asked(ids={second.key}))

    told = changed.counts["distributions"]
    assert told == collect([changed]).summary()
    assert (told["documents"], changed.nsamples) == (2, 3)
    assert second.document.url.split("/")[2].removeprefix("www.") not in told["domains"]
    assert describing.distributions(loaded(found)) == told


def test_a_name_that_no_header_takes_is_told_in_a_line(tmp_path, sample):
    root, stays = tmp_path / "others", "k" * 130
    first = sample(1)
    entry = write_shard(root, "data/train-000000.tar", [first], kind="interleaved", split="train")
    path = root / entry.url
    with tarfile.open(path) as tar:
        members = [(info.name, tar.extractfile(info).read()) for info in tar]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for key in (first.key, stays):
            for name, data in members:
                add_member(tar, name.replace(first.key, key), data.replace(
                    first.key.encode(), key.encode()))  # fmt: skip
    data = path.read_bytes()
    digits = hashlib.sha256(data).hexdigest()
    entry = replace(entry, nsamples=2, filesize=len(data), sha256=digits, images=4)
    path.with_name(f"{path.name}.idx").unlink()
    found = Manifest(name="others", kind="interleaved", shards=(entry,), root=root, keys="foreign")
    manifest.write(found)
    assert [s.key for s in read_samples(found)] == [first.key, stays]
    with pytest.raises(ShardError, match="longer than a tar header takes"):
        taken_out(found, Asked(ids={first.key}))
    assert {s.key for s in read_samples(loaded(found))} == {stays}


def test_a_damaged_shard_gets_no_new_digest(dataset):
    found = dataset(sizes=(("train", 3),))
    key = next(iter(read_samples(found))).key
    path = found.root / found.shards[0].url
    data = bytearray(path.read_bytes())
    data[data.index(b"Opening words of document 2")] ^= 1
    path.write_bytes(data)
    with pytest.raises(ShardError, match="damaged"):
        taken_out(found, Asked(ids={key}))
    assert [shard.sha256 for shard in loaded(found).shards] == [found.shards[0].sha256]


def test_a_reader_with_the_manifest_of_before_gets_the_old_set_or_an_error(dataset):
    found = dataset(sizes=(("train", 2), ("train", 2)))
    first = next(iter(read_samples(found)))
    reading = read_samples(found)
    assert next(reading).key == first.key
    taken_out(found, Asked(ids={first.key}))
    assert next(reading).key != first.key  # the shard is open, and whole
    with pytest.raises(ShardError, match=r"missing|not in the manifest"):
        list(read_samples(found))


def test_a_reader_is_not_told_to_remove_what_took_a_shards_place(dataset):
    found = dataset(sizes=(("train", 2), ("train", 2)))
    first = next(iter(read_samples(found)))
    taken_out(found, Asked(ids={first.key}))
    changing = found.root / "data" / "train-000000-r1.tar"
    with pytest.raises(ShardError, match="a redaction changes") as told:
        check_strangers(found, "raise", Skipped())
    assert str(changing) in str(told.value)
    changing.rename(changing.with_name("train-000009.tar"))
    with pytest.raises(ShardError, match="remove it"):
        check_strangers(found, "raise", Skipped())


def killed_at(number, found, asked):
    """Ends a child at its n-th rename or removal; whether there were that many."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event, _):
            nonlocal seen
            if event in ("os.rename", "os.remove", "shutil.rmtree"):
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), 9)

        sys.addaudithook(hook)
        steps(found.root, asked)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def steps(root, asked):
    (found,) = manifest.load(root)
    found = applying.resume(found)
    edits = find_edits(found, asked)
    applying.take_out(applying.hide(found, edits), edits, asked)
    end(root)


def tree(root):
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_killed_at_any_step_the_same_command_ends_at_the_same_files(dataset):
    whole = dataset("whole")
    samples = list(read_samples(whole))
    asked = Asked(ids={samples[0].key}, urls={samples[4].document.images[0].url})
    steps(whole.root, asked)
    expected = tree(whole.root)
    assert NAME not in expected
    fresh = dataset("fresh")
    number = 0
    while True:
        number += 1
        root = fresh.root.with_name(f"killed{number}")
        shutil.copytree(fresh.root, root)
        found = replace(fresh, root=root)
        if not killed_at(number, found, asked):
            break
        before = {sample.key for sample in samples}
        hidden = {samples[0].key, samples[4].key}
        with contextlib.suppress(ShardError):  # or the old set, or the new one
            given = {sample.key for sample in read_samples(loaded(found), verify="full")}
            assert given in (before, before - hidden, before - asked.ids)
        steps(found.root, asked)
        assert tree(found.root) == expected, number
    assert number > 12


def test_shards_of_elsewhere_stay_and_ours_stand_in_the_data_folder(dataset, tmp_path):
    theirs = dataset("theirs", sizes=(("train", 2),))
    sample = next(iter(read_samples(theirs)))
    ours = tmp_path / "ours"
    ours.mkdir()
    entries = tuple(replace(s, url=f"../theirs/{s.url}") for s in theirs.shards)
    found = replace(theirs, root=ours, shards=entries)
    manifest.write(found)

    changed = taken_out(found, Asked(ids={sample.key}))

    assert [shard.url for shard in changed.shards] == ["data/train-000000-r1.tar"]
    assert (theirs.root / theirs.shards[0].url).is_file()
    check_whole(found)


def test_nothing_is_written_through_a_link(dataset, tmp_path):
    found = dataset(sizes=(("train", 2),))
    key = next(iter(read_samples(found))).key
    (found.root / "data").rename(tmp_path / "away")
    (found.root / "data").symlink_to(tmp_path / "away")
    before = sorted((tmp_path / "away").iterdir())
    with pytest.raises(OutputError, match="is a link"):
        taken_out(found, Asked(ids={key}))
    assert sorted((tmp_path / "away").iterdir()) == before


def test_a_row_of_a_pair_that_came_to_no_sample_goes_too(dataset):
    found = dataset(kind="caption", sizes=(("train", 2), ("train", 2)))
    samples = list(read_samples(found))
    rows = [{"page": "", **_row(s.key, "success", s.document.images[0].url)} for s in samples[:2]]
    rows.append({"page": "http://gone.example/", **_row("lost", "failed_to_download", "http://x/")})
    table = found.root / "data" / "train-000000.parquet"
    pq.write_table(pa.Table.from_pylist(rows), table)
    statistics = table.with_name("train-000000_stats.json")
    statistics.write_text('{"count": 3, "successes": 2, "failed_to_download": 1, "duration": 0}')

    changed = taken_out(found, Asked(urls={"http://gone.example/"}))

    assert [shard.url for shard in changed.shards] == [
        "data/train-000000-r1.tar",
        "data/train-000001.tar",
    ]
    assert changed.nsamples == 4
    left = pq.read_table(found.root / "data" / "train-000000-r1.parquet").to_pylist()
    assert left == rows[:2]
    counted = json.loads((found.root / "data" / "train-000000-r1_stats.json").read_text())
    assert counted == {"count": 2, "successes": 2, "failed_to_download": 0, "duration": 0}
    assert not table.exists()
    assert not statistics.exists()


def _row(key, status, url):
    message = None if status == "success" else "not_found"
    return {"key": key, "status": status, "error_message": message, "url": url, "sha256": None}
