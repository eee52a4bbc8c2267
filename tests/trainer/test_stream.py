import pytest

from openm3w.errors import InputError
from openm3w.shards import manifest
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import write_shard
from openm3w.trainer.data.splits import dev_samples, is_held_out, train_texts
from openm3w.trainer.data.stream import RowFormat, SourceStream, dev_rows
from openm3w.trainer.data.tokenizer import ByteTokenizer

ROWS = RowFormat(encode=ByteTokenizer().encode, slots=2, length=48, max_images=3, buffer=6)


def stream(data, *, seed=1, holdout=0.0):
    return SourceStream(data, ROWS, seed=seed, holdout=holdout)


def rows(source, number):
    return [source.next_row().tokens for _ in range(number)]


def test_the_same_seed_gives_the_same_rows_and_another_gives_others(mixture):
    text = mixture[0]
    assert rows(stream(text), 40) == rows(stream(text), 40)
    assert rows(stream(text), 40) != rows(stream(text, seed=2), 40)


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("before", [0, 1, 7, 60])
def test_a_stream_goes_on_from_its_state(mixture, kind, before):
    whole, part = stream(mixture[kind]), stream(mixture[kind])
    rows(whole, before)
    rows(part, before)
    again = stream(mixture[kind])
    again.load_state_dict(part.state_dict())
    for _ in range(40):
        assert again.next_row() == whole.next_row()
    assert again.state_dict() == whole.state_dict()


def test_an_epoch_reads_each_sample_once_and_the_next_in_another_order(mixture):
    caption = mixture[1]
    source = stream(caption)
    epochs = [[source._advance() for _ in range(caption.nsamples)] for _ in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert len(set(epochs[0])) == caption.nsamples
    assert epochs[0] != epochs[1]
    assert source.epoch == 1


def test_held_out_samples_are_never_trained_on(mixture):
    caption = mixture[1]
    held = {s.key for s in dev_samples(caption, holdout=0.3)}
    assert 0 < len(held) < caption.nsamples
    source = stream(caption, holdout=0.3)
    rows(source, 30)
    assert source.counts.held_out > 0
    texts = list(train_texts(caption, seed=0, holdout=0.3))
    assert len(texts) == caption.nsamples - len(held)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.25, 250), (1.0, 1000)])
def test_the_held_out_share_is_a_share(mixture, share, expected):
    held = sum(is_held_out(mixture[0].shards[0], i, share) for i in range(1000))
    assert abs(held - expected) <= 40 * (0 < share < 1)


def test_a_dev_split_of_the_data_is_used_and_nothing_else_held_out(sample_of, tmp_path):
    train = [sample_of(f"t{i}", "some words to learn") for i in range(4)]
    dev = [sample_of("d", "other words")]
    built = Manifest(
        name="x",
        kind="text",
        shards=(
            write_shard(tmp_path, "data/train-000000.tar", train, kind="text", split="train"),
            write_shard(tmp_path, "data/val-000000.tar", dev, kind="text", split="val"),
        ),
        root=tmp_path,
    )
    manifest.write(built)
    assert [s.key for s in dev_samples(built, holdout=0.9)] == [dev[0].key]
    assert len(list(train_texts(built, seed=0, holdout=0.9))) == 4
    (row,) = dev_rows(built, ROWS, holdout=0.9, documents=5)
    assert row.counts.pieces == 1


def test_dev_rows_hold_as_many_documents_as_asked_for(mixture):
    found = dev_rows(mixture[1], ROWS, holdout=0.9, documents=5)
    assert sum(row.counts.pieces for row in found) == 5


def test_excluded_samples_are_left_out(sample_of, tmp_path):
    samples = [sample_of(f"t{i}", "abc"[i] * 3) for i in range(3)]
    entry = write_shard(tmp_path, "data/train-000000.tar", samples, kind="text", split="train")
    excluded = Manifest(
        name="x", kind="text", shards=(entry,), root=tmp_path, exclude=(samples[1].key,)
    )
    source = stream(excluded)
    tokens = {token for row in rows(source, 5) for token in row}
    assert ByteTokenizer().encode("b")[0] not in tokens
    assert ByteTokenizer().encode("c")[0] in tokens
    assert source.counts.excluded > 0


def test_data_without_a_training_split_is_refused(tmp_path):
    with pytest.raises(InputError, match="no samples in the split 'train'"):
        stream(Manifest(name="x", kind="text", shards=(), root=tmp_path))


def test_data_that_is_all_held_out_is_refused_instead_of_searched_for_ever(mixture):
    with pytest.raises(InputError, match="has a token to learn from"):
        stream(mixture[0], holdout=0.9999999).next_row()


def test_documents_that_were_split_or_empty_are_counted(sample_of, tmp_path):
    samples = [sample_of("long", "word " * 40), sample_of("short", "word"), sample_of("none", "")]
    entry = write_shard(tmp_path, "data/train-000000.tar", samples, kind="text", split="train")
    source = stream(Manifest(name="x", kind="text", shards=(entry,), root=tmp_path))
    while source.epoch < 1:
        source.next_row()
    assert source.counts.split >= 1
    assert source.counts.empty >= 1
    assert source.counts.documents > source.counts.split + source.counts.empty
