import pytest

from openm3w.errors import OutputError
from openm3w.shards.editing.indexing import repair, repair_dataset
from openm3w.shards.locking import only_writer


@pytest.fixture
def torn(dataset):
    """A dataset whose first index is gone and whose second is of another tar; and what they were."""
    found = dataset(sizes=(("train", 3), ("train", 2), ("val", 1), ("val", 4)))
    indexes = [found.root / f"{shard.url}.idx" for shard in found.shards]
    right = [path.read_bytes() for path in indexes]
    indexes[0].unlink()
    indexes[1].write_bytes(right[0])
    return found, indexes, right


def states(looked):
    return [each.state for each in looked]


def test_missing_and_wrong_indexes_are_written_as_they_were(torn):
    found, indexes, right = torn
    kept = indexes[2].stat().st_mtime_ns
    assert states(repair_dataset(found, dry_run=True)) == ["missing", "wrong", "right", "right"]
    assert not indexes[0].exists()
    assert states(repair_dataset(found)) == ["missing", "wrong", "right", "right"]
    assert [path.read_bytes() for path in indexes] == right
    assert indexes[2].stat().st_mtime_ns == kept
    assert states(repair_dataset(found)) == ["right"] * 4


def test_a_shard_that_is_not_the_manifests_gets_no_index(torn):
    found, indexes, _ = torn
    tar = found.root / found.shards[0].url
    data = bytearray(tar.read_bytes())
    data[600] ^= 1
    tar.write_bytes(data)
    first, *others = repair_dataset(found)
    assert first.state == "damaged"
    assert "sha256" in first.why
    assert states(others) == ["wrong", "right", "right"]
    assert not indexes[0].exists()


@pytest.mark.parametrize("damage", ["header", "cut"])
def test_a_damaged_tar_alone_gets_no_index(torn, damage):
    found, indexes, right = torn
    tar = found.root / found.shards[0].url
    assert (repair(tar).state, indexes[0].read_bytes()) == ("missing", right[0])
    indexes[0].unlink()
    data = bytearray(tar.read_bytes())
    second = int.from_bytes(right[0][8:16], "little")
    if damage == "header":
        data[second + 1] ^= 1
    tar.write_bytes(data if damage == "header" else data[:second])
    looked = repair(tar)
    assert looked.state == "damaged"
    why = "no whole header before byte" if damage == "header" else "damaged after 1 samples"
    assert why in looked.why
    assert not indexes[0].exists()


def test_nothing_is_repaired_beside_a_writer(torn):
    found, _, _ = torn
    alone = r"another command is writing to it; wait until it has ended$"
    with only_writer(found.root), pytest.raises(OutputError, match=alone):
        list(repair_dataset(found))
