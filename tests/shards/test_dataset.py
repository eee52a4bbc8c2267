import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import openm3w
from openm3w.errors import InputError, ShardError
from openm3w.shards import manifest, reader
from openm3w.shards.dataset import Dataset

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def pages(dataset):
    return openm3w.open(dataset().root)


def test_the_examples_of_the_docs_run(dataset, tmp_path, monkeypatch, capsys):
    dataset("out")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python-api.md").read_text(), re.DOTALL)
    assert len(blocks) == 5
    space = {}
    for block in blocks:
        exec(compile(block, "python-api.md", "exec"), space)  # noqa: S102
    printed = capsys.readouterr().out
    assert printed.startswith("6 ('interleaved',) ('train', 'val')\n")
    assert "alt 0 0.2 (64, 48)" in printed
    assert "nothing left out" in printed


def test_samples_are_had_by_number_key_and_stream(dataset):
    written = dataset()
    everything = list(reader.read_samples(written))
    pages = openm3w.open(written.root / "manifest.json")
    assert len(pages) == len(everything) == 6
    assert list(pages) == list(pages.stream()) == everything
    assert [pages[i] for i in range(-6, 6)] == everything * 2
    assert [pages[s.key] for s in everything] == everything
    assert everything[0].key in pages
    assert "0" * 32 not in pages
    assert pages.number(everything[4].key) == 4


@pytest.mark.parametrize("number", [6, -7])
def test_numbers_outside_are_an_index_error(pages, number):
    with pytest.raises(IndexError, match="there are 6"):
        pages[number]


@pytest.mark.parametrize("key", ["zzz", ""])
def test_a_key_that_is_not_there_is_an_input_error(pages, key):
    with pytest.raises(InputError, match=f"no sample '{key}' among 6"):
        pages[key]


def test_a_beginning_of_a_key_is_no_key(pages):
    with pytest.raises(InputError, match="no sample"):
        pages[pages[0].key[:8]]


def test_excluded_samples_are_never_given(dataset, sample):
    pages = openm3w.open(dataset(exclude=[sample(1).key]).root)
    assert len(pages) == 6
    assert [s.key for s in pages] == [sample(i).key for i in (0, 2, 3, 4, 5)]
    assert sample(1).key not in pages
    for which in (1, -5, sample(1).key):
        with pytest.raises(InputError, match=f"{sample(1).key} is on the exclude list"):
            pages[which]


def test_a_dataset_of_a_mixture_excludes_its_own_samples_alone(dataset, sample):
    key = sample(1).key
    parts = [dataset("a", exclude=[key]), dataset("b")]
    pages = Dataset(parts)
    assert key in [s.key for s in pages]
    assert (key in pages, pages.number(key), pages[key].key, pages[7].key) == (True, 7, key, key)
    with pytest.raises(InputError, match="exclude list"):
        pages[1]


def test_one_split_alone(dataset):
    written = dataset()
    val = openm3w.open(written.root, split="val")
    assert (len(val), val.splits, [s.key for s in val]) == (1, ("train", "val"), [val[0].key])
    with pytest.raises(InputError, match="there are: train, val"):
        openm3w.open(written.root, split="test")


def test_a_mixture_is_one_dataset(dataset, tmp_path):
    parts = [dataset("a"), dataset("b", kind="text", start=50)]
    mixture = manifest.write_mixture(tmp_path / "mix.json", parts, "m")
    both = openm3w.open(mixture)
    assert (len(both), both.kinds) == (12, ("interleaved", "text"))
    assert (both.kind(5), both.kind(6)) == ("interleaved", "text")
    assert [s.key for s in both] == [s.key for part in parts for s in reader.read_samples(part)]


def test_a_seed_orders_the_shards(dataset):
    pages = openm3w.open(dataset(sizes=[("train", 2)] * 6).root)
    orders = [tuple(s.key for s in pages.stream(shuffle_seed=seed)) for seed in (1, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len(set(orders)) == 3
    assert {frozenset(order) for order in orders} == {frozenset(s.key for s in pages)}


def test_what_is_skipped_is_counted_and_an_index_always_raises(dataset):
    written = dataset()
    (written.root / written.shards[0].url).unlink()
    pages = openm3w.open(written.root, on_bad="skip-shard")
    assert len(list(pages)) == 3
    assert pages.skipped.to_json() == {"shards": {"missing": 1}, "samples": {"missing": 3}}
    with pytest.raises(ShardError, match="missing"):
        pages[0]
    with pytest.raises(ShardError, match="missing"):
        list(openm3w.open(written.root))


def test_full_checks_what_is_read_by_number(dataset):
    written = dataset()
    path = written.root / written.shards[0].url
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xd8\xff") + 300] ^= 1
    path.write_bytes(data)
    assert openm3w.open(written.root)[0].images
    with pytest.raises(ShardError, match="sha256"):
        openm3w.open(written.root, verify="full")[0]


@pytest.mark.parametrize("options", [{"verify": "all"}, {"on_bad": "skip"}])
def test_unknown_words_are_refused(dataset, options):
    with pytest.raises(InputError, match="expected one of"):
        openm3w.open(dataset().root, **options)


def test_a_dataset_is_pickled_for_workers(pages):
    first = pages[0]
    again = pickle.loads(pickle.dumps(pages))
    assert again[0] == first
    assert repr(again) == repr(pages) == "<Dataset 'test set': 6 samples>"


def test_importing_openm3w_stays_light():
    code = (
        "import sys, openm3w\n"
        "heavy = {'PIL', 'fsspec', 'click', 'rich', 'torch', 'openm3w.shards'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import openm3w.shards.dataset\n"
        "heavy = {'fsspec', 'torch', 'apache_beam', 'aiohttp', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
