"""Datasets that are merged, cut anew and shuffled, and read again."""

import dataclasses
import functools
import hashlib
import tarfile

import pytest

from openm3w.errors import InputError, OutputError, RecipeError, ShardError
from openm3w.pipeline.split_cli import group_of
from openm3w.shards import manifest, reader
from openm3w.shards.editing import edits
from openm3w.shards.editing.cutting import Size
from openm3w.shards.ordering import order_hash
from openm3w.shards.verify import verify

quiet = {"say": lambda _: None}


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def members(dataset):
    """Every member of every shard with its header and bytes, by name."""
    found = {}
    for shard in dataset.shards:
        with tarfile.open(dataset.root / shard.url) as tar:
            for member in tar:
                assert member.name not in found
                found[member.name] = (member.mtime, member.mode, tar.extractfile(member).read())
    return found


def keys(dataset, split=None):
    return [sample.key for sample in reader.read_samples(dataset, split=split, verify="full")]


def whole(edited):
    """What was written, read again and found right."""
    (found,) = manifest.load(edited.manifest.root)
    assert found == edited.manifest
    assert verify([found]).faults == []
    assert not (found.root / ".edit").exists()
    assert not list(found.root.rglob("*.tmp"))
    return found


def test_merged_datasets_are_one_with_all_samples_as_they_were(dataset, tmp_path):
    one = dataset("one")
    two = dataset("two", start=100, sizes=(("train", 2), ("val", 2), ("test", 1)), name="other")
    found = whole(edits.merge([one, two], tmp_path / "out", **quiet))
    assert [(s.url, s.split, s.nsamples) for s in found.shards] == [
        ("data/test-000000.tar", "test", 1),
        ("data/train-000000.tar", "train", 3),
        ("data/train-000001.tar", "train", 2),
        ("data/train-000002.tar", "train", 2),
        ("data/val-000000.tar", "val", 1),
        ("data/val-000001.tar", "val", 2),
    ]
    assert members(found) == {**members(one), **members(two)}
    # Nothing of a shard of ours changes when it is copied.
    assert {s.sha256 for s in found.shards} == {s.sha256 for m in (one, two) for s in m.shards}
    assert found.name == "test set + other"
    assert found.counts["languages"] == {"en": 11}
    assert [part["name"] for part in found.recipe["parts"]] == ["test set", "other"]
    assert found.recipe["parts"][0]["recipe"] == one.recipe
    assert found.models == one.models


def test_models_that_differ_are_told_by_part(dataset, tmp_path):
    parts = [dataset("one"), dataset("two", start=50)]
    path = parts[1].root / "manifest.json"
    path.write_text(path.read_text().replace("lit-test", "other").replace("0.1.0", "0.2.0"))
    parts = [manifest.load(part.root)[0] for part in parts]
    found = whole(edits.merge(parts, tmp_path / "out", name="both", **quiet))
    assert found.name == "both"
    assert found.models["similarity"] == {
        "parts": [
            {"part": "test set", "model": {"id": "lit-test"}},
            {"part": "test set", "model": {"id": "other"}},
        ]
    }
    assert [part["versions"]["openm3w"] for part in found.recipe["parts"]] == ["0.1.0", "0.2.0"]


def test_a_key_in_two_parts_ends_a_merge_or_is_taken_once(dataset, tmp_path):
    one, two = dataset("one"), dataset("two", start=4)
    with pytest.raises(
        InputError, match="2 samples with a key that an earlier one has, the first "
    ):
        edits.merge([one, two], tmp_path / "out", **quiet)
    assert not (tmp_path / "out" / "manifest.json").exists()
    found = whole(edits.merge([one, two], tmp_path / "skipped", on_duplicate="skip", **quiet))
    assert sorted(keys(found)) == sorted({*keys(one), *keys(two)})
    assert found.counts["edits"][-1]["left_out"] == {"duplicates": 2}


def test_excluded_samples_are_left_out_whichever_part_has_them(dataset, tmp_path):
    one, two = dataset("one"), dataset("two", start=4)
    gone = keys(two)[0]
    assert gone in keys(one)
    two = dataset("three", start=4, exclude=[gone])
    found = whole(edits.merge([one, two], tmp_path / "out", on_duplicate="skip", **quiet))
    assert gone not in keys(found)
    assert found.exclude == ()
    assert found.counts["edits"][-1]["left_out"] == {"excluded": 2, "duplicates": 1}


def test_parts_of_two_kinds_or_named_twice_are_refused(dataset, tmp_path):
    one, two = dataset("one"), dataset("two", kind="text", start=50)
    with pytest.raises(InputError, match="of interleaved and text cannot be one"):
        edits.merge([one, two], tmp_path / "out", **quiet)
    with pytest.raises(InputError, match="named twice"):
        edits.merge([one, one], tmp_path / "out", **quiet)


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
@pytest.mark.parametrize("samples", [1, 2, 5, 6])
def test_shards_of_another_size_hold_the_same_samples_in_order(dataset, tmp_path, kind, samples):
    one = dataset("one", kind=kind)
    size = Size(samples=samples)
    found = whole(edits.split(one, tmp_path / "out", size=size, group=str, **quiet))
    for split in ("train", "val"):
        assert keys(found, split) == keys(one, split)
        sizes = [shard.nsamples for shard in found.split(split)]
        assert all(size == samples for size in sizes[:-1])
        assert 0 < sizes[-1] <= samples
    assert members(found) == members(one)
    assert (found.recipe, found.models, found.versions) == (one.recipe, one.models, one.versions)


def test_a_tar_is_no_larger_than_asked_for_unless_one_sample_is(dataset, tmp_path):
    one = dataset("one", kind="text", sizes=(("train", 20),))
    limit = 20_480
    size = Size(tar_bytes=limit)
    found = whole(edits.split(one, tmp_path / "out", size=size, group=str, **quiet))
    assert all(shard.filesize <= limit for shard in found.shards)
    assert all(shard.filesize == limit for shard in found.shards[:-1])
    size = Size(tar_bytes=1)
    found = whole(edits.split(one, tmp_path / "each", size=size, group=str, **quiet))
    assert [shard.nsamples for shard in found.shards] == [1] * 20


def test_a_new_hold_out_keeps_each_group_in_one_split_and_other_splits_as_they_are(
    dataset, tmp_path
):
    one = dataset("one", sizes=(("train", 9), ("val", 3), ("test", 2)))
    group = functools.partial(group_of, kind="interleaved")
    options = {"size": Size(), "group": group, **quiet}
    found = whole(edits.split(one, tmp_path / "out", val_share=0.5, seed=3, **options))
    sites = {
        split: {group(s) for s in reader.read_samples(found, split=split)}
        for split in ("train", "val")
    }
    assert sites["train"] | sites["val"] == {f"www.site{n}.example" for n in range(3)}
    assert sites["train"]
    assert sites["val"]
    assert not sites["train"] & sites["val"]
    assert sites["val"] == {s for s in sites["train"] | sites["val"] if order_hash(s, 3) < 2**63}
    assert keys(found, "test") == keys(one, "test")
    assert members(found) == members(one)
    nothing = whole(edits.split(one, tmp_path / "none", val_share=0.0, **options))
    assert {shard.split for shard in nothing.shards} == {"train", "test"}


def test_without_a_size_or_a_share_there_is_nothing_to_split(dataset, tmp_path):
    with pytest.raises(RecipeError, match="nothing to do"):
        edits.split(dataset("one"), tmp_path / "out", size=Size(), group=str, **quiet)


def test_a_shuffle_is_a_permutation_by_seed_over_all_shards_of_a_split(dataset, tmp_path):
    one = dataset("one", sizes=(("train", 6), ("train", 6), ("val", 3)))
    found = whole(edits.shuffle(one, tmp_path / "out", seed=7, **quiet))
    assert members(found) == members(one)
    for split in ("train", "val"):
        ordered = sorted(keys(one, split), key=lambda key: order_hash(key, 7))
        assert keys(found, split) == ordered != keys(one, split)
    other = whole(edits.shuffle(one, tmp_path / "other", seed=8, **quiet))
    assert keys(other, "train") != keys(found, "train")
    small = whole(edits.shuffle(one, tmp_path / "small", seed=7, samples_per_shard=3, **quiet))
    assert keys(small) == keys(found)
    assert len(small.split("train")) > len(found.split("train"))


def test_the_same_data_gives_the_same_bytes_in_any_folder(dataset, tmp_path):
    written = []
    for place in ("a", "deeper/b"):
        parts = [dataset(f"{place}/one"), dataset(f"{place}/two", start=60)]
        out = tmp_path / place / "out"
        (merged,) = manifest.load(edits.merge(parts, out, **quiet).manifest.root)
        edits.shuffle(merged, tmp_path / place / "mixed", seed=1, **quiet)
        written.append((tree(out), tree(tmp_path / place / "mixed")))
    assert written[0] == written[1]


def test_the_same_command_again_does_nothing_and_another_one_is_refused(dataset, tmp_path):
    one, out = dataset("one"), tmp_path / "out"
    edits.shuffle(one, out, seed=1, **quiet)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert edits.shuffle(one, out, seed=1, **quiet).already_done
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    with pytest.raises(OutputError, match="holds another dataset; choose another --output"):
        edits.shuffle(one, out, seed=2, **quiet)
    with pytest.raises(OutputError, match="is what is read"):
        edits.shuffle(one, one.root, seed=2, **quiet)
    with pytest.raises(OutputError, match="is inside the dataset"):
        edits.shuffle(one, one.root / "out", seed=2, **quiet)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        edits.shuffle(one, tmp_path / "file", seed=2, **quiet)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(OutputError, match="holds files of something else"):
        edits.shuffle(one, tmp_path / "mine", seed=2, **quiet)


def test_a_lost_shard_is_written_again(dataset, tmp_path):
    one, out = dataset("one"), tmp_path / "out"
    edits.shuffle(one, out, seed=1, **quiet)
    before = tree(out)
    (out / "data/train-000000.tar").unlink()
    assert not edits.shuffle(one, out, seed=1, **quiet).already_done
    assert tree(out) == before


def test_damage_is_not_copied(dataset, tmp_path):
    one = dataset("one")
    path = one.root / one.shards[0].url
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xd8") + 40] ^= 1  # inside a picture
    path.write_bytes(data)
    with pytest.raises(ShardError, match=r"sha256 .* damaged"):
        edits.shuffle(one, tmp_path / "out", seed=1, **quiet)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("split", ["../../other", "", ".hidden", "a/b", "x" * 65])
def test_a_split_leads_to_no_other_folder(dataset, tmp_path, split):
    one = dataset("one", sizes=(("train", 1),))
    shard = dataclasses.replace(one.shards[0], split=split)
    other = dataclasses.replace(one, shards=(shard,))
    with pytest.raises(ShardError, match="is no name of a split"):
        edits.merge([other], tmp_path / "deep/er/out", **quiet)
    assert not list(tmp_path.glob("deep/**/*.tar"))


def test_nothing_left_is_an_error(dataset, tmp_path):
    one = dataset("one", sizes=(("train", 1),))
    gone = dataset("gone", sizes=(("train", 1),), exclude=keys(one))
    with pytest.raises(InputError, match="no sample is left to write"):
        edits.shuffle(gone, tmp_path / "out", seed=1, **quiet)
