import shutil
import threading
from dataclasses import replace

import pytest

from openm3w.shards import manifest, reader
from openm3w.shards.catalog import cache
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.query import Query
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.catalog.skimming import skim
from openm3w.shards.document import Text
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import write_shard


@pytest.fixture
def opened(tmp_path):
    """`opened(*manifests)` gives filled facts; all are closed afterwards."""
    made = []

    def open_(*manifests, fill=True, **options):
        facts = Facts.open(manifests, folder=tmp_path / "cache", **options)
        made.append(facts)
        if fill:
            assert facts.fill()
        return facts

    yield open_
    for facts in made:
        facts.close()


def write(root, samples, *, exclude=(), name="set"):
    entry = write_shard(root, "data/train-000000.tar", samples, kind="interleaved", split="train")
    made = Manifest(
        name=name, kind="interleaved", shards=(entry,), root=root, exclude=tuple(exclude)
    )
    manifest.write(made)
    return made


def keys(facts, query=""):
    return [row.key for row in facts.rows(Query.parse(query))]


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
def test_skimmed_documents_are_those_that_the_reader_gives(dataset, kind):
    made = dataset(kind=kind)
    for shard in made.shards:
        skimmed = list(skim(made.root / shard.url, kind))
        assert skimmed == [(s.key, s.document) for s in reader.read_shard(made, shard)]


def test_rows_have_the_numbers_of_the_catalog_and_are_in_order(dataset, opened):
    pictures, texts = dataset("a"), dataset("b", kind="text", start=50, name="texts")
    facts, catalog = opened(pictures, texts), Catalog([pictures, texts])
    rows = facts.rows()
    assert len(facts) == len(rows) == 12
    assert [row.number for row in rows] == list(range(12))
    for row in rows:
        shown = catalog.read(row.number)
        document = shown.sample.document
        assert (row.key, row.title, row.url) == (shown.sample.key, document.title, document.url)
        assert (row.kind, row.dataset, row.split) == (shown.kind, shown.dataset, shown.split)
        assert (row.images, row.characters) == (len(document.images), document.num_characters)
    assert facts.complete
    assert [row.number for row in facts.rows(limit=3, offset=10)] == [10, 11]


def test_each_condition_finds_what_it_says_and_nothing_else(tmp_path, sample, opened):
    first, second, third = (sample(n, num_images=n) for n in (1, 2, 3))
    de = replace(first.document, signals=replace(first.document.signals, language="de"))
    dropped = replace(second.document, dropped="shards: too_few_images")
    samples = [replace(first, document=de), replace(second, document=dropped), third]
    facts = opened(write(tmp_path / "set", samples))
    one, two, three = (each.key for each in samples)
    assert keys(facts, "lang:de") == [one]
    assert keys(facts, "images:2..") == [two, three]
    assert keys(facts, "images:2") == [two]
    assert keys(facts, "images:..1") == [one]
    assert keys(facts, "dropped:few") == [two]
    assert keys(facts, "domain:site1.example") == [one]
    assert keys(facts, "domain:example") == [one, two, three]
    assert keys(facts, "domain:ite1.example") == []
    assert keys(facts, f"key:{two[:6]}") == [two]
    assert keys(facts, "similarity:0.22..") == [three]  # of its third picture
    assert keys(facts, "similarity:..0.199") == []
    assert keys(facts, "nosuch:0..") == []
    assert keys(facts, "kind:caption") == []
    assert keys(facts, "split:train lang:en images:3") == [three]
    assert facts.count(Query.parse("lang:en")) == 2
    assert list(facts.numbers(Query.parse("lang:en"))) == [1, 2]
    assert facts.counts("language") == [("en", 2), ("de", 1)]


def test_words_are_found_wherever_a_document_has_them(tmp_path, sample, opened):
    def of(number, **changes):
        made = sample(number)
        return replace(made, document=replace(made.document, **changes))

    texts = ["A red Tram, in Zürich.", "電車は赤い。東京で", "ไปรถราง"]
    samples = [of(n, spans=(Text(text=text),)) for n, text in enumerate(texts)]
    samples = [replace(each, images=()) for each in samples]
    samples.append(sample(9))
    facts = opened(write(tmp_path / "set", samples))
    a, b, c, d = (each.key for each in samples)
    assert keys(facts, "RED tram") == [a]
    assert keys(facts, "zurich") == [a]
    assert keys(facts, "-tram -caption") == [b, c]
    assert keys(facts, '-"red tram"') == [b, c, d]
    assert keys(facts, "red -tram") == []
    assert keys(facts, "tra") == [a]  # the beginning of a word
    assert keys(facts, "ram") == []
    assert keys(facts, '"red tram"') == [a]
    assert keys(facts, '"tram red"') == []
    assert keys(facts, "赤い") == [b]
    assert keys(facts, "いあ") == []
    assert keys(facts, "รถ") == [c]
    assert keys(facts, "caption") == keys(facts, '"alt 1"') == [d]
    assert keys(facts, "img9.example") == [d]
    assert keys(facts, "!? --") == []
    assert keys(facts, 'red" OR "a'.replace('"', "")) == []


def test_numbers_by_name(tmp_path, sample, opened):
    facts = opened(write(tmp_path / "set", [sample(n, num_images=n) for n in (1, 2, 3)]))
    assert facts.measures() == (
        "images", "characters", "aspect", "bytes", "height", "quality", "similarity", "width",
    )  # fmt: skip
    assert list(facts.values("images")) == [1, 2, 3]
    assert list(facts.values("similarity")) == pytest.approx([0.2] * 3 + [0.21] * 2 + [0.22])
    assert list(facts.values("similarity", Query.parse("images:2"))) == pytest.approx([0.2, 0.21])
    assert list(facts.values("quality")) == [0.5] * 3
    assert list(facts.values("nosuch")) == []


def test_what_is_excluded_is_in_no_answer_and_an_older_file_goes(dataset, sample, opened, tmp_path):
    key = sample(1).key
    assert key in keys(opened(dataset()))
    after = opened(dataset(exclude=[key]))
    assert key not in keys(after)
    assert len(after) == 5
    left = [path.name for path in (tmp_path / "cache").glob("*.sqlite")]
    assert left == [after.file.name]


def test_facts_are_without_what_their_own_dataset_excludes(dataset, sample, opened):
    key = sample(1).key
    facts = opened(dataset("a", exclude=[key]), dataset("b"))
    assert [row.number for row in facts.rows() if row.key == key] == [7]
    assert len(facts) == 11


def test_a_damaged_shard_is_named_and_hides_no_other(dataset, opened):
    made = dataset()
    path = made.root / made.shards[0].url
    data = bytearray(path.read_bytes())
    data[1024:1030] = b"\xff" * 6
    path.write_bytes(data)
    (made.root / made.shards[2].url).unlink()
    facts = opened(made)
    assert facts.complete
    assert [row.number for row in facts.rows()] == [3, 4]
    assert len(facts.faults) == 2
    assert str(path) in facts.faults[0]


def test_what_was_read_stays_and_the_rest_is_read_another_time(dataset, opened):
    made = dataset()
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 1

    facts = opened(made, fill=False)
    assert len(facts) == 0
    assert not facts.complete
    assert not facts.fill(stop=stop)
    assert len(facts) == 3
    assert not facts.complete
    progress = []
    again = opened(made, fill=False)
    assert again.fill(lambda done, total: progress.append((done, total)))
    assert again.complete
    assert len(again) == 6
    assert progress[-1] == (6, 6)
    assert progress == sorted(progress)


def test_threads_ask_and_fill_at_once(dataset, opened):
    made = dataset()
    facts = opened(made, fill=False)
    counted = []

    def ask():
        counted.append(len(facts))
        facts.fill()
        counted.append(len(facts))
        facts.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted)[-4:] == [6] * 4


def test_a_file_that_is_no_database_is_made_anew(dataset, opened, tmp_path):
    made = dataset()
    facts = opened(made)
    facts.close()
    for left in (tmp_path / "cache").iterdir():
        left.unlink()
    facts.file.write_bytes(b"no database" * 1000)
    assert len(opened(made)) == 6


def test_a_folder_that_cannot_be_written_is_no_hindrance(dataset, tmp_path):
    (tmp_path / "cache").write_text("a file")
    facts = Facts.open([dataset()], folder=tmp_path / "cache")
    assert facts.fill()
    assert len(facts) == 6
    facts.close()


def test_forgetting_a_dataset_removes_it_and_its_mixtures_and_nothing_else(
    dataset, opened, tmp_path
):
    a, b, c = dataset("a"), dataset("b", start=50), dataset("c", start=90)
    for facts in (opened(a), opened(b), opened(a, b), opened(b, c)):
        facts.close()
    (tmp_path / "cache" / "mix-0.0.sqlite").write_bytes(b"damaged" * 1000)
    cache.forget(a.root, tmp_path / "cache")
    left = {each.name for each in (tmp_path / "cache").glob("*.sqlite")}
    assert left == {opened(b).file.name, opened(b, c).file.name}


def test_who_has_a_file_open_that_goes_fills_another(dataset, opened, tmp_path):
    facts = opened(dataset())
    for _ in range(2):
        cache.forget(tmp_path, tmp_path / "cache")
        assert not facts.file.exists()
        assert (len(facts), facts.complete) == (0, False)
        assert facts.fill()
        assert len(facts) == 6
    shutil.rmtree(tmp_path / "cache")
    assert not facts.complete

    def go_on_the_way(done, total):
        if done == total and not asked:
            asked.append(done)
            cache.forget(tmp_path, tmp_path / "cache")

    asked = []
    assert facts.fill(go_on_the_way)
    assert asked
    assert len(facts) == 6


@pytest.mark.parametrize("before", [None, 0o755])
def test_only_the_owner_may_read_what_is_kept(dataset, opened, tmp_path, before):
    if before is not None:
        (tmp_path / "cache").mkdir(mode=before)
    made = opened(dataset())
    made.file.chmod(0o644)
    opened(dataset())
    kept = list((tmp_path / "cache").iterdir())
    assert {each.name.rpartition(".")[2] for each in kept} == {
        "sqlite", "sqlite-wal", "sqlite-shm",
    }  # fmt: skip
    assert all(each.stat().st_mode & 0o077 == 0 for each in kept)
    if before is None:
        assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_the_folder_is_where_the_variables_say(monkeypatch, tmp_path):
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache.folder() == tmp_path / "x" / "openm3w"
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "own"))
    assert cache.folder() == tmp_path / "own"
