"""What is left out, by each policy, of each damage of `test_reader`, and that the sums are right."""

import dataclasses
import hashlib
import io
import tarfile

import pytest

from openm3w.errors import ShardError
from openm3w.shards import files, reader, tar
from openm3w.shards.skipping import Skipped
from openm3w.shards.storage import RemotePath
from openm3w.shards.writer import index_bytes

NUM_SAMPLES = 9
BAD = NUM_SAMPLES // 2


@pytest.fixture
def two(dataset):
    """A dataset of two shards of nine samples, the path of the first, and all keys."""
    written = dataset(sizes=[("train", NUM_SAMPLES), ("train", NUM_SAMPLES)])
    path = written.root / written.shards[0].url
    return written, path, [s.key for s in reader.read_samples(written)]


def read(manifest, **options):
    """Keys of what was given, and what was skipped."""
    skipped = Skipped()
    keys = [s.key for s in reader.read_samples(manifest, skipped=skipped, **options)]
    return keys, skipped


def changed(path, at, data):
    whole = bytearray(path.read_bytes())
    whole[at : at + len(data)] = data
    path.write_bytes(whole)


def start_of(path, index):
    return reader.read_index(path)[index]


def flip_header(path):
    changed(path, start_of(path, BAD) + 10, b"~")


def zero_header(path):
    changed(path, start_of(path, BAD), bytes(1024))


def break_json(path):
    changed(path, start_of(path, BAD) + 512, b"!")


def cut(path):
    path.write_bytes(path.read_bytes()[: start_of(path, BAD) + 700])


def lose(path):
    path.unlink()


# Damage, verify: reason, samples given of the shard by skip-shard, and by skip-sample.
CASES = [
    (flip_header, "quick", "damaged_tar", BAD - 1, NUM_SAMPLES - 1),
    (flip_header, "off", "damaged_tar", BAD - 1, NUM_SAMPLES - 1),
    (flip_header, "full", "wrong_sha256", 0, 0),
    (zero_header, "quick", "damaged_tar", BAD - 1, NUM_SAMPLES - 1),
    (zero_header, "full", "wrong_sha256", 0, 0),
    (break_json, "quick", "bad_sample", BAD, NUM_SAMPLES - 1),
    (break_json, "full", "wrong_sha256", 0, 0),
    (cut, "quick", "wrong_size", 0, BAD),
    (cut, "full", "wrong_size", 0, 0),
    (lose, "quick", "missing", 0, 0),
    (lose, "off", "missing", 0, 0),
]


@pytest.mark.parametrize(("damage", "verify", "reason", "of_shard", "of_samples"), CASES)
def test_what_is_left_out_is_counted_by_reason(two, damage, verify, reason, of_shard, of_samples):
    manifest, path, everything = two
    damage(path)
    with pytest.raises(ShardError) as caught:
        read(manifest, verify=verify)
    assert caught.value.reason == reason
    for policy, given in (("skip-shard", of_shard), ("skip-sample", of_samples)):
        keys, skipped = read(manifest, verify=verify, on_bad=policy)
        assert keys[-NUM_SAMPLES:] == everything[NUM_SAMPLES:]
        assert len(keys) == given + NUM_SAMPLES
        assert set(keys) <= set(everything)
        assert dict(skipped.samples) == {reason: NUM_SAMPLES - given}
        assert skipped.num_shards == (policy == "skip-shard" or given in (0, BAD))


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
@pytest.mark.parametrize("verify", ["quick", "off"])
@pytest.mark.parametrize("which", [0, 1, -2, -1])
def test_zeros_in_the_place_of_any_member_are_noticed(dataset, kind, verify, which):
    # Of the last one, a caption's text, nothing else tells: such a sample may lack it.
    manifest = dataset(kind=kind, sizes=[("train", 3)])
    path = manifest.root / manifest.shards[0].url
    lost = list(tar.members(tar.Part(files.open_file(path)), plain=True))[which]
    changed(path, lost.offset, bytes(512 + lost.size + -lost.size % 512))
    with pytest.raises(ShardError):
        read(manifest, verify=verify)
    keys, skipped = read(manifest, verify=verify, on_bad="skip-sample")
    assert (len(keys), skipped.num_samples) == (2, 1)
    keys, skipped = read(manifest, verify=verify, on_bad="skip-shard")
    assert len(keys) + skipped.num_samples == 3
    assert skipped.num_samples > 0


def test_a_cut_shard_without_index_ends_where_it_is_cut(two):
    manifest, path, everything = two
    cut(path)
    path.with_name(f"{path.name}.idx").unlink()
    keys, skipped = read(manifest, on_bad="skip-sample")
    assert (keys, skipped.num_samples) == (everything[NUM_SAMPLES:], NUM_SAMPLES)


@pytest.mark.parametrize("verify", ["full", "quick"])
def test_a_shard_that_is_not_in_the_manifest_is_noticed(two, verify):
    manifest, path, everything = two
    path.with_name("train-000009.tar").write_bytes(path.read_bytes())
    with pytest.raises(ShardError, match=r"train-000009\.tar: not in the manifest"):
        read(manifest, verify=verify)
    for policy in ("skip-shard", "skip-sample"):
        keys, skipped = read(manifest, verify=verify, on_bad=policy)
        assert keys == everything
        assert skipped.to_json() == {"shards": {"not_in_manifest": 1}, "samples": {}}
    assert read(manifest, verify="off")[0] == everything


@pytest.mark.parametrize("more", [-1, 1])
def test_another_number_of_samples_than_the_manifests_is_noticed(two, more):
    manifest, _, everything = two
    first, second = manifest.shards
    first = dataclasses.replace(first, nsamples=NUM_SAMPLES + more)
    manifest = dataclasses.replace(manifest, shards=(first, second))
    for policy in ("skip-shard", "skip-sample"):
        keys, skipped = read(manifest, on_bad=policy)
        assert keys == everything[NUM_SAMPLES:]
        assert skipped.to_json()["samples"] == {"wrong_count": NUM_SAMPLES + more}


def test_a_digest_that_differs_is_noticed_by_full_alone(two):
    manifest, _, everything = two
    first, second = manifest.shards
    first = dataclasses.replace(first, sha256="0" * 64)
    manifest = dataclasses.replace(manifest, shards=(first, second))
    assert read(manifest)[0] == everything
    with pytest.raises(ShardError, match="sha256"):
        next(reader.read_samples(manifest, verify="full"))


def test_a_key_of_two_shards_is_noticed_by_full(dataset):
    manifest = dataset(sizes=[("train", 2), ("train", 2)])
    twice = dataclasses.replace(manifest, shards=(manifest.shards[0], manifest.shards[0]))
    (manifest.root / manifest.shards[1].url).unlink()
    with pytest.raises(ShardError, match="occurs a second time"):
        read(twice, verify="full")
    keys, skipped = read(twice, verify="full", on_bad="skip-sample")
    assert (len(keys), dict(skipped.samples)) == (2, {"key_twice": 2})
    foreign = dataclasses.replace(twice, keys="foreign")
    assert len(read(foreign, verify="full")[0]) == 4


def rewritten(manifest, change):
    """The first shard with `change(list of name and data)` in its place, and its manifest."""
    path = manifest.root / manifest.shards[0].url
    with tarfile.open(path) as tar:
        members = [(m.name, tar.extractfile(m).read()) for m in tar]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in change(members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    path.write_bytes(buffer.getvalue())
    path.with_name(f"{path.name}.idx").unlink()
    shard = dataclasses.replace(
        manifest.shards[0],
        filesize=path.stat().st_size,
        sha256=hashlib.sha256(buffer.getvalue()).hexdigest(),
    )
    return dataclasses.replace(manifest, shards=(shard, *manifest.shards[1:]))


def without_an_image(members):
    gone = [name for name, _ in members if name.endswith(".jpg")][3]
    return [(name, data) for name, data in members if name != gone]


def with_an_image_more(members):
    at = next(i for i, (name, _) in enumerate(members) if name.endswith(".jpg"))
    key = members[at][0].partition(".")[0]
    return [*members[:at], (f"{key}.777.jpg", members[at][1]), *members[at:]]


def with_a_sample_in_two_parts(members):
    return [*members[1:], members[0]]


@pytest.mark.parametrize(
    ("change", "message", "reason"),
    [
        (without_an_image, "no member", "bad_sample"),
        (with_an_image_more, r"777\.jpg is not named by its \.json", "bad_sample"),
        (with_a_sample_in_two_parts, "no member", "bad_sample"),
    ],
)
def test_images_and_json_must_agree(two, change, message, reason):
    manifest = rewritten(two[0], change)
    with pytest.raises(ShardError, match=message) as caught:
        read(manifest, verify="off")
    assert caught.value.reason == reason
    if change is not with_a_sample_in_two_parts:
        keys, skipped = read(manifest, verify="full", on_bad="skip-sample")
        assert (len(keys), dict(skipped.samples)) == (2 * NUM_SAMPLES - 1, {reason: 1})


def test_a_key_whose_members_are_apart_is_noticed(two):
    manifest = rewritten(two[0], lambda members: [*members, *members[:2]])
    with pytest.raises(ShardError, match="occurs a second time"):
        read(manifest)


def test_a_key_that_comes_twice_in_a_shard_is_given_once(two):
    def twice(members):  # the first sample again, between others
        key = members[0][0].partition(".")[0]
        first = [member for member in members if member[0].startswith(key)]
        return [*members, *first]

    manifest = rewritten(two[0], twice)
    path = manifest.root / manifest.shards[0].url
    entry = dataclasses.replace(manifest.shards[0], nsamples=NUM_SAMPLES + 1)
    manifest = dataclasses.replace(manifest, shards=(entry, *manifest.shards[1:]))
    path.with_name(f"{path.name}.idx").write_bytes(index_bytes(reader.scan_offsets(path)))
    keys, skipped = read(manifest, on_bad="skip-sample")
    assert keys == two[2]
    assert dict(skipped.samples) == {"key_twice": 1}


def test_an_excluded_sample_of_a_shard_that_is_left_out_is_left_out(dataset, sample):
    manifest = dataset(sizes=[("train", 3), ("train", 2)], exclude=[sample(1).key, sample(4).key])
    lose(manifest.root / manifest.shards[0].url)
    keys, skipped = read(manifest, on_bad="skip-sample")
    assert (keys, dict(skipped.samples)) == ([sample(3).key], {"missing": 3})


def test_excluded_samples_are_neither_given_nor_skipped(dataset, sample):
    manifest = dataset(sizes=[("train", NUM_SAMPLES)], exclude=[sample(1).key])
    break_json(manifest.root / manifest.shards[0].url)
    keys, skipped = read(manifest, on_bad="skip-sample")
    assert len(keys) + 1 + skipped.num_samples == NUM_SAMPLES


def test_damages_are_logged_the_first_twenty_singly(caplog):
    skipped = Skipped()
    for number in range(25):
        skipped.sample(ShardError(f"sample {number}\x1b[31m: bad", reason="bad_sample"))
    assert len(caplog.records) == 21
    assert "\x1b" not in caplog.text
    assert str(skipped) == "25 samples left out (bad_sample 25)"
    assert Skipped.from_json(skipped.to_json()) == skipped
    assert str(Skipped()) == "nothing left out"


def test_nothing_is_written_to_what_is_elsewhere(dataset):
    manifest = dataclasses.replace(dataset(), root=RemotePath("https://a.example/set"))
    with pytest.raises(Exception, match="is only read"):
        _ = manifest.folder
