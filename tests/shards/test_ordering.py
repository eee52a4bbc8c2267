from openm3w.shards.document import make_doc_id
from openm3w.shards.ordering import order_hash, shard_of, split_by


def test_a_sample_more_moves_no_other_while_the_number_of_shards_stays():
    ids = [make_doc_id("", "x", row) for row in range(200)]

    assert all(0 <= shard_of(i, 3, 4) < 4 for i in ids)
    assert len({shard_of(i, 3, 4) for i in ids}) == 4
    assert shard_of(ids[0], 3, 4) == order_hash(ids[0], 3) * 4 // 2**64


def test_the_share_of_val_is_that_of_the_groups():
    splits = [split_by(f"site{n}.org", 0.25, 0) for n in range(2000)]

    assert 400 < splits.count("val") < 600
    assert {split_by(f"site{n}.org", 0.0, 0) for n in range(50)} == {"train"}
