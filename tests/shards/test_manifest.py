import dataclasses
import json

import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards import manifest


def edit(path, **changes):
    value = json.loads(path.read_bytes())
    for name, change in changes.items():
        if change is None:
            del value[name]
        else:
            value[name] = change
    path.write_text(json.dumps(value))


def test_a_manifest_comes_back_from_its_file_and_its_folder(dataset):
    written = dataset(exclude=["abc"])
    assert manifest.load(written.root) == (written,)
    assert manifest.load(written.root / "manifest.json") == (written,)
    assert manifest.load(str(written.root)) == (written,)


def test_it_sums_its_shards_and_knows_its_splits(dataset):
    written = dataset()
    assert (written.nsamples, written.images, written.max_images) == (6, 8, 2)
    assert [len(written.split(name)) for name in ("train", "val", "test")] == [2, 1, 0]


def test_it_is_a_wids_index_too(dataset):
    value = json.loads((dataset().root / "manifest.json").read_bytes())
    assert (value["__kind__"], value["wids_version"]) == ("wids-shard-index-v1", 1)
    assert {"url", "nsamples", "filesize"} <= value["shardlist"][0].keys()


def test_success_is_written_after_the_manifest(dataset):
    root = dataset().root
    assert (root / "_SUCCESS").read_bytes() == b""
    assert (root / "_SUCCESS").stat().st_mtime_ns >= (root / "manifest.json").stat().st_mtime_ns


def test_equal_data_in_another_folder_has_the_same_manifest_and_fingerprint(dataset):
    one, two = dataset("a"), dataset("b")
    assert one.fingerprint == two.fingerprint
    assert (one.root / "manifest.json").read_bytes() == (two.root / "manifest.json").read_bytes()
    assert str(one.root) not in (one.root / "manifest.json").read_text()


def test_the_fingerprint_follows_the_data(dataset):
    one = dataset()
    others = [
        dataclasses.replace(one, exclude=("k",)),
        dataclasses.replace(one, kind="text"),
        dataclasses.replace(one, shards=one.shards[:-1]),
    ]
    assert len({m.fingerprint for m in [one, *others]}) == 4


def test_a_mixture_gives_its_datasets_wherever_it_stands(dataset, tmp_path):
    parts = dataset("deep/a"), dataset("b", kind="text", start=50)
    for output in ("mix.json", "deep/mix.json", "elsewhere/far/mix.json"):
        manifest.write_mixture(tmp_path / output, parts, "both")
        loaded = manifest.load(tmp_path / output)
        assert [m.fingerprint for m in loaded] == [m.fingerprint for m in parts]
        assert [m.root.resolve() for m in loaded] == [m.root for m in parts]


def test_a_mixture_moves_with_its_datasets(dataset, tmp_path):
    manifest.write_mixture(tmp_path / "here/mix.json", [dataset("here/a")], "m")
    (tmp_path / "here").rename(tmp_path / "there")
    assert manifest.load(tmp_path / "there/mix.json")[0].nsamples == 6


def test_a_part_that_changed_is_noticed(dataset, tmp_path):
    mixture = manifest.write_mixture(tmp_path / "mix.json", [dataset()], "m")
    dataset(start=100)
    with pytest.raises(ShardError, match="changed since the mixture was joined"):
        manifest.load(mixture)


@pytest.mark.parametrize("where", ["nothing", "nothing.json", "empty"])
def test_no_manifest_is_an_input_error(tmp_path, where):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no manifest there"):
        manifest.load(tmp_path / where)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": None}, "not a manifest"),
        ({"kind": "video"}, "unknown kind 'video'"),
        ({"format_version": 2}, "format version 2, this OpenM3W reads 1"),
        ({"format_version": None}, "format version None"),
        ({"shardlist": None}, "not a manifest of this format"),
        ({"shardlist": [{"url": "x"}]}, "not a manifest of this format"),
        ({"shardlist": 5}, "not a manifest of this format"),
        ({"name": None}, "not a manifest of this format"),
        ({"name": 5}, "name: int does not fit, expected str"),
        ({"exclude": "abc"}, "exclude: str does not fit"),
        ({"exclude": [5]}, "exclude: tuple does not fit"),
        ({"recipe": []}, "recipe: list does not fit"),
        ({"versions": {"openm3w": 1}}, "versions: dict does not fit"),
        ({"counts": 5}, "counts: int does not fit"),
        ({"kind": "mixture"}, "a mixture without manifests"),
        ({"kind": "mixture", "manifests": []}, "a mixture without manifests"),
        ({"kind": "mixture", "manifests": [{"url": "x"}]}, "no url or fingerprint"),
        ({"kind": "mixture", "manifests": ["x"]}, "no url or fingerprint"),
    ],
)
def test_what_is_no_manifest_is_a_shard_error_that_names_the_file(dataset, changes, message):
    path = dataset().root / "manifest.json"
    edit(path, **changes)
    with pytest.raises(ShardError, match=message) as caught:
        manifest.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "changes", [{"nsamples": "5"}, {"filesize": 1.5}, {"images": True}, {"url": None}]
)
def test_a_shard_whose_fields_are_of_another_type_is_a_shard_error(dataset, changes):
    path = dataset().root / "manifest.json"
    first, *others = json.loads(path.read_bytes())["shardlist"]
    edit(path, shardlist=[first | changes, *others])
    with pytest.raises(ShardError, match=f"{next(iter(changes))}: .* does not fit"):
        manifest.load(path)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"PK\x03\x04", b"[" * 100_000])
def test_a_file_that_is_no_json_object_is_a_shard_error(tmp_path, data):
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(ShardError, match="not a manifest"):
        manifest.load(tmp_path)


def test_a_mixture_of_mixtures_and_of_itself_is_refused(dataset, tmp_path):
    mixture = manifest.write_mixture(tmp_path / "mix.json", [dataset()], "m")
    edit(mixture, manifests=[{"url": "mix.json", "fingerprint": "0"}])
    with pytest.raises(ShardError, match="is a mixture itself"):
        manifest.load(mixture)


def test_a_missing_part_of_a_mixture_is_named(dataset, tmp_path):
    mixture = manifest.write_mixture(tmp_path / "mix.json", [dataset("a")], "m")
    (tmp_path / "a/manifest.json").unlink()
    with pytest.raises(InputError, match=r"manifest\.json: no manifest there"):
        manifest.load(mixture)


def test_unknown_fields_of_later_versions_are_let_pass(dataset):
    written = dataset()
    path = written.root / "manifest.json"
    value = json.loads(path.read_bytes())
    value["shardlist"][0]["md5sum"] = "x"
    edit(path, shardlist=value["shardlist"], colour="blue")
    assert manifest.load(path) == (written,)


@pytest.mark.parametrize("size", [-1, 1 << 63])
def test_sizes_that_no_shard_can_have_are_refused(dataset, size):
    path = dataset().root / "manifest.json"
    value = json.loads(path.read_text())
    value["shardlist"][0]["nsamples"] = size
    path.write_text(json.dumps(value))
    with pytest.raises(ShardError, match="nsamples is"):
        manifest.load(path)


def test_a_folder_of_datasets_names_them(dataset, tmp_path):
    for name in ("b", "a"):
        dataset(name)
    with pytest.raises(InputError, match=rf"below it are {tmp_path}/a, {tmp_path}/b$"):
        manifest.load(tmp_path)
    for number in range(4):
        dataset(f"c{number}")
    with pytest.raises(InputError, match=rf"{tmp_path}/c2 and others$"):
        manifest.load(tmp_path)
