import dataclasses
import json
import struct
from array import array

import pytest

from openm3w.errors import ShardError
from openm3w.shards.lengths import (
    Lengths,
    TokenizerName,
    count_lengths,
    read_lengths,
    write_lengths,
)
from openm3w.shards.verify import verify

WORDS = TokenizerName("ab" * 32, "words.json")
LETTERS = TokenizerName("cd" * 32, "letters.json")


def words(document):
    return sum(len(text.split()) for text in document.texts)


@pytest.fixture
def counted(dataset):
    """A dataset, its first shard, and the file beside it."""
    ours = dataset()
    shard = ours.shards[0]
    write_lengths(ours, shard, count_lengths(ours, shard, WORDS, words))
    return ours, shard, ours.root / f"{shard.url}.lengths"


def test_nobody_counted_yet(dataset):
    ours = dataset()
    assert read_lengths(ours, ours.shards[0]) is None


def test_images_and_tokens_of_each_sample_in_order(counted):
    ours, shard, _ = counted
    found = read_lengths(ours, shard)
    assert list(found.images) == [1, 2, 1]
    assert list(found.tokens_of(WORDS.sha256)) == [5 + 6, 5 + 12, 5 + 6]
    assert found.tokens_of(LETTERS.sha256) is None
    assert [name.name for name in found.tokens] == ["words.json"]


def test_another_tokenizer_adds_a_column_and_the_same_one_replaces_its_own(counted):
    ours, shard, _ = counted
    letters = count_lengths(ours, shard, LETTERS, lambda document: document.num_characters)
    write_lengths(ours, shard, letters)
    again = count_lengths(ours, shard, TokenizerName(WORDS.sha256, "other-name.json"), lambda _: 7)
    write_lengths(ours, shard, again)
    found = read_lengths(ours, shard)
    assert list(found.tokens_of(WORDS.sha256)) == [7, 7, 7]
    assert sum(found.tokens_of(LETTERS.sha256)) == shard.characters
    assert {name.name for name in found.tokens} == {"other-name.json", "letters.json"}


def test_the_file_is_as_its_page_says(counted):
    ours, shard, path = counted
    data = path.read_bytes()
    magic, size = struct.unpack_from("<8sI", data)
    header = json.loads(data[12 : 12 + size])
    assert (magic, (12 + size) % 4) == (b"M3WLEN\0\1", 0)
    assert header == {
        "shard_sha256": shard.sha256,
        "nsamples": 3,
        "columns": [
            {"name": "images"},
            {"name": "tokens", "tokenizer": "words.json", "sha256": WORDS.sha256},
        ],
    }
    assert struct.unpack_from("<6I", data, 12 + size) == (1, 2, 1, 11, 17, 11)
    assert len(data) == 12 + size + 24
    assert verify([ours]).faults == []


def test_of_another_tar_it_says_nothing(counted):
    ours, shard, _ = counted
    other = dataclasses.replace(shard, sha256="0" * 64)
    with pytest.raises(ShardError, match="of another tar than the manifest's; count once more"):
        read_lengths(ours, other)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda data: data + b"\0" * 4, lambda data: b"X" + data[1:],
     lambda data: data[:5], lambda data: data[:0], lambda data: data[:12] + b"[" + data[13:],
     lambda data: data[:8] + b"\xff\xff\xff\xff" + data[12:]],
    ids=["cut", "longer", "magic", "cut in the head", "empty", "no json", "huge header"],
)  # fmt: skip
def test_damage_is_told(counted, damage):
    ours, shard, path = counted
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ShardError, match="count once more with `m3w shards tokens`"):
        read_lengths(ours, shard)


def test_what_is_damaged_is_counted_anew(counted):
    ours, shard, path = counted
    path.write_bytes(b"")
    assert list(count_lengths(ours, shard, LETTERS, words).tokens) == [LETTERS]


def test_a_byte_that_changed_is_not_counted_under_the_old_digest(counted):
    ours, shard, _ = counted
    tar = ours.root / shard.url
    data = tar.read_bytes()
    assert b"document" in data
    tar.write_bytes(data.replace(b"document", b"document"[::-1], 1))
    with pytest.raises(ShardError, match="sha256"):
        count_lengths(ours, shard, LETTERS, words)


def test_as_many_numbers_as_samples(counted):
    ours, shard, _ = counted
    with pytest.raises(ValueError, match="images: 2 numbers, 3 samples"):
        write_lengths(ours, shard, Lengths(images=array("I", [1, 2])))
