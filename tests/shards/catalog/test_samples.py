import pytest

from openm3w.errors import InputError
from openm3w.shards import reader
from openm3w.shards.catalog.samples import Catalog


def keys(*manifests):
    return [s.key for m in manifests for s in reader.read_samples(m)]


def test_numbers_run_through_all_shards_and_datasets(dataset):
    one, two = dataset("a"), dataset("b", kind="text", sizes=[("train", 2)], start=50, name="words")
    catalog = Catalog([one, two])
    assert len(catalog) == 8
    shown = [catalog.read(number) for number in range(8)]
    assert [s.sample.key for s in shown] == keys(one, two)
    assert [s.number for s in shown] == list(range(1, 9))
    assert {s.total for s in shown} == {8}
    assert [(s.dataset, s.kind) for s in shown[5:7]] == [
        ("test set", "interleaved"),
        ("words", "text"),
    ]
    assert [s.split for s in shown[4:7]] == ["train", "val", "train"]


@pytest.mark.parametrize("number", [-1, 6])
def test_numbers_outside_are_refused(dataset, number):
    with pytest.raises(IndexError):
        Catalog([dataset()]).place(number)


def test_empty_shards_take_no_number(dataset):
    catalog = Catalog([dataset(sizes=[("train", 0), ("train", 2), ("train", 0), ("val", 1)])])
    assert [catalog.place(n).shard.url for n in range(3)] == [
        "data/train-000001.tar",
        "data/train-000001.tar",
        "data/val-000000.tar",
    ]


def test_one_split_alone_is_numbered_alone(dataset):
    catalog = Catalog([dataset()], "val")
    assert (len(catalog), catalog.read(0).split) == (1, "val")


def test_a_split_that_is_not_there_says_which_are(dataset):
    with pytest.raises(InputError, match="'test'; there are: train, val"):
        Catalog([dataset()], "test")


def test_excluded_samples_are_stepped_over_both_ways(dataset, sample):
    catalog = Catalog([dataset(exclude=[sample(1).key, sample(5).key])])
    assert [s.number for s in catalog.walk()] == [1, 3, 4, 5]
    assert catalog.step(1, 1).number == 3
    assert catalog.step(1, -1).number == 1
    assert catalog.step(5, 1) is None
    with pytest.raises(InputError, match="exclude list"):
        catalog.find(sample(1).key)


def test_samples_are_found_by_key_beginning_and_number(dataset):
    manifest = dataset()
    catalog = Catalog([manifest])
    for number, key in enumerate(keys(manifest)):
        assert catalog.find(key) == number
        assert catalog.find(key[:12]) == number
        assert catalog.find(str(number + 1)) == number


@pytest.mark.parametrize("wanted", ["zzz", "", "0", "7", "-1", "\x1b[31m"])
def test_what_is_not_there_is_an_input_error_that_says_what_to_name(dataset, wanted):
    with pytest.raises(InputError, match=r"a number from 1 to 6") as caught:
        Catalog([dataset()]).find(wanted)
    assert "\x1b" not in str(caught.value)


def test_a_beginning_of_several_keys_names_two_of_them(dataset):
    # Among 40 keys of hexadecimal digits some begin alike.
    catalog = Catalog([dataset(sizes=[("train", 40)])])
    first = [key[0] for key in keys(*[catalog.place(0).manifest])]
    twice = next(c for c in first if first.count(c) > 1 and not c.isdecimal())
    with pytest.raises(InputError, match=f"begins {first.count(twice)} keys"):
        catalog.find(twice)


def test_a_damaged_shard_leaves_the_others_readable(dataset):
    manifest = dataset()
    (manifest.root / manifest.shards[0].url).write_bytes(b"x")
    assert Catalog([manifest]).read(4).sample.images


def test_a_dataset_excludes_its_own_samples_alone(dataset, sample):
    # As in sets of others, whose keys count from 000000000 in each of them.
    key = sample(1).key
    catalog = Catalog([dataset("a", exclude=[key]), dataset("b")])
    assert [s.number for s in catalog.walk()] == [1, *range(3, 13)]
    assert (catalog.is_hidden(1, key), catalog.is_hidden(7, key)) == (True, False)
    assert catalog.find(key) == 7
    assert [len(part.excluded) for part in catalog.parts()] == [1, 1, 1, 0, 0, 0]
    assert catalog.hides_any
    assert not Catalog([dataset("b")]).hides_any
