"""The trainer over damaged shards: an error, or what is bad left out and counted."""

import json

import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards import manifest, reader
from openm3w.trainer.data.splits import Care, dev_samples, train_texts
from openm3w.trainer.data.stream import RowFormat, SourceStream
from openm3w.trainer.data.tokenizer import ByteTokenizer

ROWS = RowFormat(encode=ByteTokenizer().encode, slots=2, length=48, max_images=3, buffer=6)
SHARD = 12
"""Samples in each of the two shards."""


@pytest.fixture
def data(make_dataset, tmp_path):
    return make_dataset(tmp_path / "text", "text")


def stream(data, **care):
    return SourceStream(data, ROWS, seed=1, holdout=0.0, care=Care(**care))


def an_epoch(source):
    while source.epoch < 1:
        source.next_row()
    return source


def path_of(data, shard=0):
    return data.root / data.shards[shard].url


def flip(path, at):
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1
    path.write_bytes(whole)


def damaged_header(data):
    flip(path_of(data), reader.read_index(path_of(data))[5] + 10)


def damaged_payload(data):
    flip(path_of(data), reader.read_index(path_of(data))[6] - 600)


def lost(data):
    path_of(data).unlink()


def cut(data):
    path = path_of(data)
    path.write_bytes(path.read_bytes()[: reader.read_index(path)[5]])


@pytest.mark.parametrize(
    ("damage", "verify"),
    [
        (damaged_header, "quick"),
        (damaged_payload, "full"),
        (lost, "off"),
        (cut, "quick"),
    ],
)
def test_a_damage_ends_the_run(data, damage, verify):
    damage(data)
    with pytest.raises(ShardError, match=path_of(data).name):
        an_epoch(stream(data, verify=verify))


# Damage, verify, policy: samples left out in an epoch.
@pytest.mark.parametrize(
    ("damage", "verify", "on_bad", "reason", "samples"),
    [
        (damaged_header, "quick", "skip-sample", "damaged_tar", 1),
        (damaged_header, "full", "skip-sample", "wrong_sha256", SHARD),
        (damaged_payload, "full", "skip-shard", "wrong_sha256", SHARD),
        (lost, "quick", "skip-sample", "missing", SHARD),
        (lost, "off", "skip-shard", "missing", SHARD),
        (cut, "quick", "skip-shard", "wrong_size", SHARD),
        (cut, "quick", "skip-sample", "damaged_index", SHARD - 5),
    ],
)
def test_what_is_bad_is_left_out_and_counted(data, damage, verify, on_bad, reason, samples):
    damage(data)
    source = stream(data, verify=verify, on_bad=on_bad)
    while not source.epoch:
        before = source.counts.documents, dict(source.skipped.samples)
        source._take_sample()
    assert before == (2 * SHARD - samples, {reason: samples})


def test_a_whole_shard_behind_a_bad_one_is_trained_on(data):
    lost(data)
    source = an_epoch(stream(data, on_bad="skip-shard"))
    assert source.counts.documents >= SHARD
    assert source.skipped.samples["missing"] % SHARD == 0


def test_counts_of_what_was_left_out_are_resumed(data):
    damaged_header(data)
    whole, part = (stream(data, on_bad="skip-sample") for _ in range(2))
    for source in (whole, part):
        an_epoch(source)
    again = stream(data, on_bad="skip-sample")
    again.load_state_dict(json.loads(json.dumps(part.state_dict())))
    assert again.skipped == part.skipped
    for _ in range(20):
        assert again.next_row() == whole.next_row()
    assert again.state_dict() == whole.state_dict()


def test_nothing_left_says_why(data):
    for shard in (0, 1):
        path_of(data, shard).unlink()
    with pytest.raises(InputError, match=r"no sample .* bad shards \(missing"):
        stream(data, on_bad="skip-shard").next_row()


def test_a_shard_that_is_not_in_the_manifest_ends_the_run(data):
    path = path_of(data)
    path.with_name("train-000007.tar").write_bytes(path.read_bytes())
    with pytest.raises(ShardError, match="not in the manifest"):
        stream(data)
    assert stream(data, on_bad="skip-sample").skipped.shards == {"not_in_manifest": 1}
    assert stream(data, verify="off").next_row().tokens


@pytest.mark.parametrize("on_bad", ["skip-shard", "skip-sample"])
def test_what_is_held_out_and_what_a_tokenizer_learns_from_leave_bad_shards_out_too(data, on_bad):
    whole = (
        len(list(dev_samples(data, holdout=0.5))),
        len(list(train_texts(data, seed=0, holdout=0.5))),
    )
    lost(data)
    care = Care(on_bad=on_bad)
    held = len(list(dev_samples(data, holdout=0.5, care=care)))
    texts = len(list(train_texts(data, seed=0, holdout=0.5, care=care)))
    assert held + texts == SHARD
    assert sum(whole) == 2 * SHARD
    with pytest.raises(ShardError):
        list(dev_samples(data, holdout=0.5))


def test_what_is_elsewhere_is_trained_on_as_what_is_here(data, web_files):
    for path in data.root.rglob("*.*"):
        if path.is_file():
            web_files.put(path.relative_to(data.root).as_posix(), path.read_bytes())
    (there,) = manifest.load(web_files.base)
    for verify in ("quick", "full"):
        one, two = stream(data), stream(there, verify=verify)
        assert [one.next_row() for _ in range(10)] == [two.next_row() for _ in range(10)]
