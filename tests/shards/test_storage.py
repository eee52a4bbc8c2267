"""Datasets elsewhere, on real servers: moto's S3, an emulator of Google's storage, a web server."""

import dataclasses
import json

import pytest

from openm3w.errors import InputError, MissingError, OutputError, ShardError
from openm3w.shards import files, manifest, reader
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.clients import is_denied
from openm3w.shards.storage import RemotePath
from openm3w.shards.verify import verify


@pytest.fixture(params=["s3", "gcs", "https"])
def put(request, web_files):
    """`put(folder)`: the URI of a copy of it."""
    if request.param != "https":
        return request.getfixturevalue(request.param).put

    def upload(folder):
        for path in folder.rglob("*"):
            if path.is_file():
                web_files.put(
                    f"{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes()
                )
        return f"{web_files.base}/{folder.name}"

    return upload


def test_a_dataset_elsewhere_is_read_as_one_here(dataset, put):
    here = dataset(sizes=[("train", 3), ("val", 2)])
    uri = put(here.root)
    (there,) = manifest.load(uri)
    assert dataclasses.replace(there, root=here.root) == here
    assert manifest.load(f"{uri}/manifest.json") == (there,)
    everything = list(reader.read_samples(here))
    assert list(reader.read_samples(there)) == everything
    assert list(reader.read_samples(there, verify="full", split="val")) == everything[3:]
    catalog = Catalog([there])
    assert [catalog.read(i).sample for i in (4, 0, 2)] == [everything[i] for i in (4, 0, 2)]
    assert catalog.find(everything[3].key) == 3
    for depth in ("images", "full", "quick", "off"):
        assert verify([there], depth=depth).faults == []
    with pytest.raises(OutputError, match="is only read"):
        manifest.write(there)


def test_a_damage_elsewhere_is_noticed(dataset, put):
    here = dataset(sizes=[("train", 3), ("train", 2)])
    first, second = (here.root / shard.url for shard in here.shards)
    first.write_bytes(first.read_bytes()[:-600] + bytes(88) + b"x" + bytes(511))
    second.unlink()
    (there,) = manifest.load(put(here.root))
    with pytest.raises(ShardError, match="sha256"):
        next(reader.read_samples(there, verify="full"))
    skipped = reader.Skipped()
    assert not list(reader.read_samples(there, verify="full", on_bad="skip-shard", skipped=skipped))
    assert skipped.to_json()["samples"] == {"wrong_sha256": 3, "missing": 2}


def test_a_shard_too_many_in_a_bucket_is_noticed(dataset, s3, gcs):
    here = dataset(sizes=[("train", 1)])
    path = here.root / here.shards[0].url
    path.with_name("train-000001.tar").write_bytes(path.read_bytes())
    for bucket in (s3, gcs):
        (there,) = manifest.load(bucket.put(here.root))
        with pytest.raises(ShardError, match=r"train-000001\.tar: not in the manifest"):
            next(reader.read_samples(there))


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_gives_files_and_lists_none_is_read(dataset, web_files, monkeypatch):
    fs = pytest.importorskip("s3fs").S3FileSystem
    here = dataset(sizes=[("train", 2)])
    for path in here.root.rglob("*.*"):
        if path.is_file():
            name = path.relative_to(here.root).as_posix()
            web_files.put(f"open/set/{name}", path.read_bytes())
    web_files.absent = 403  # as S3 answers whoever may not list, for what is not there too
    monkeypatch.setenv("AWS_ENDPOINT_URL", web_files.base)
    fs.clear_instance_cache()
    try:
        with pytest.raises(PermissionError):
            fs().ls("s3://open/set/data")
        (there,) = manifest.load("s3://open/set/manifest.json")
        for depth in ("quick", "full"):
            assert len(list(reader.read_samples(there, verify=depth))) == 2
    finally:
        fs.clear_instance_cache()


@pytest.mark.parametrize(
    ("error", "denied"),
    [
        (PermissionError("Access Denied"), True),
        (OSError("Forbidden: https://storage.example/o"), True),
        (OSError("connection reset"), False),
        (FileNotFoundError("bucket"), False),
    ],
)
def test_a_denied_listing_is_told_from_other_faults(error, denied):
    assert is_denied(error) == denied


def test_one_sample_is_one_request(dataset, web_files):
    here = dataset(sizes=[("train", 5)])
    for path in here.root.rglob("*.*"):
        if path.is_file():
            web_files.put(path.relative_to(here.root).as_posix(), path.read_bytes())
    (there,) = manifest.load(web_files.base)
    catalog = Catalog([there])
    catalog.read(0)
    before = len(web_files.requests)
    catalog.read(3)
    offsets = reader.read_index(here.root / here.shards[0].url)
    assert web_files.requests[before:] == [("GET", f"bytes={offsets[3]}-{offsets[4] - 1}")]


def test_full_loads_a_shard_once(dataset, web_files):
    here = dataset(sizes=[("train", 3)])
    url = here.shards[0].url
    for name in ("manifest.json", url, f"{url}.idx"):
        web_files.put(name, (here.root / name).read_bytes())
    (there,) = manifest.load(web_files.base)
    before = len(web_files.requests)
    assert len(list(reader.read_samples(there, verify="full"))) == 3
    gets = [asked for method, asked in web_files.requests[before:] if method == "GET"]
    assert gets == [f"bytes=0-{here.shards[0].filesize - 1}"]


def test_a_mixture_names_parts_by_relative_and_whole_addresses(dataset, tmp_path, s3):
    one, two = dataset("one"), dataset("two", kind="text", start=50)
    inside = manifest.write_mixture(tmp_path / "mix.json", [one, two], "inside")
    (tmp_path / "all").mkdir()
    for path in (one.root, two.root, inside):
        path.rename(tmp_path / "all" / path.name)
    uri = s3.put(tmp_path / "all")
    parts = manifest.load(f"{uri}/mix.json")
    assert [part.kind for part in parts] == ["interleaved", "text"]
    assert [str(part.root) for part in parts] == [f"{uri}/one", f"{uri}/two"]
    outside = manifest.write_mixture(tmp_path / "out.json", parts, "outside")
    assert json.loads(outside.read_text())["manifests"][0]["url"] == f"{uri}/one/manifest.json"
    assert manifest.load(outside) == parts


def test_a_mixture_holds_no_secret_and_one_from_elsewhere_no_file_of_ours(
    dataset, tmp_path, web_files
):
    here = dataset()
    signed = dataclasses.replace(here, root=RemotePath("https://a.example/set?key=secret"))
    with pytest.raises(OutputError) as caught:
        manifest.write_mixture(tmp_path / "mix.json", [signed], "m")
    assert "secret" in str(caught.value)
    assert "key=secret" not in str(caught.value)
    row = {"url": f"file://{here.root}", "fingerprint": here.fingerprint}
    value = {"format_version": 1, "kind": "mixture", "manifests": [row]}
    url = web_files.put("mix.json", json.dumps(value).encode())
    with pytest.raises(ShardError, match="names a file of this machine"):
        manifest.load(url)


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("pipe:cat /etc/passwd", "pipe"),
        ("ftp://me:secret@a.example/set", "ftp"),
        ("simplecache::s3://bucket/set", "simplecache"),
        ("github://a:b@main/x", "github"),
        ("gs:bucket", "gs"),
        ("memory://x", "memory"),
    ],
)
def test_other_schemes_are_refused_by_one_line(value, scheme):
    with pytest.raises(InputError) as caught:
        manifest.load(value)
    assert str(caught.value).startswith(f"{scheme}: nothing is read there; name a path")
    assert "secret" not in str(caught.value)


def test_a_file_uri_and_a_name_with_a_colon_are_here(dataset, tmp_path, monkeypatch):
    here = dataset("ab:set")
    assert manifest.load(f"file://{here.root}") == (here,)
    monkeypatch.chdir(tmp_path)
    assert manifest.load("ab:set")[0].nsamples == here.nsamples


def test_what_a_store_does_not_give_is_one_line(s3, web_files):
    assert s3.uri
    with pytest.raises(InputError, match=r"^s3://nowhere/set: no manifest there"):
        manifest.load("s3://nowhere/set")
    with pytest.raises(InputError, match=r"^http://127[^?]*/set: no manifest there"):
        manifest.load(f"{web_files.base}/set?key=secret")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/set/manifest\.json: cannot be read"):
        manifest.load("http://me:secret@127.0.0.1:1/set")
    web_files.put("set/manifest.json", b"{}")
    web_files.failing = 9
    with pytest.raises(InputError, match="503") as caught:
        manifest.load(f"http://me:secret@{web_files.base[7:]}/set?key=hidden")
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_server_that_gives_no_ranges_is_one_line(dataset, web_files):
    here = dataset(sizes=[("train", 2)])
    for name in ("manifest.json", here.shards[0].url, f"{here.shards[0].url}.idx"):
        web_files.put(name, (here.root / name).read_bytes())
    web_files.gives_ranges = False
    (there,) = manifest.load(web_files.base)
    with pytest.raises(InputError, match="gives no parts of files"):
        reader.read_sample_at(there, there.shards[0], 1)


def test_a_package_that_is_not_installed_names_the_extra(monkeypatch):
    import fsspec

    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3", name="s3fs")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingError, match=r"s3fs.*pip install 'openm3w\[remote\]'"):
        manifest.load("s3://bucket/set")


@pytest.mark.parametrize(
    ("base", "name", "expected"),
    [
        ("s3://b/set", "data/x.tar", "s3://b/set/data/x.tar"),
        ("s3://b/set", "../other/m.json", "s3://b/other/m.json"),
        ("s3://b/set", "../../../m.json", "s3://b/m.json"),
        ("gs://b", "m.json", "gs://b/m.json"),
        ("https://a.example/set?key=1", "x y.tar", "https://a.example/set/x%20y.tar?key=1"),
        ("https://a.example", "x.tar", "https://a.example/x.tar"),
        ("https://a.example/s/", "../x.tar", "https://a.example/x.tar"),
    ],
)
def test_names_are_joined_inside_their_bucket_or_server(base, name, expected):
    assert (RemotePath(base) / name).uri == expected


def test_addresses_are_printed_without_secrets():
    signed = RemotePath("https://me:word@a.example/set?key=secret") / "x.tar"
    for text in (str(signed), repr(signed), f"{signed.parent}"):
        assert "secret" not in text
        assert "word" not in text
    assert signed.with_name("y.tar").uri == "https://me:word@a.example/set/y.tar?key=secret"
    assert (signed.name, signed.parent.name) == ("x.tar", "set")


def test_a_file_that_became_shorter_gives_what_it_has(tmp_path):
    (tmp_path / "x").write_bytes(b"0123456789")
    file = files.open_file(tmp_path / "x")
    assert (file.size, file.read(2, 5), file.read(8, 20)) == (10, b"234", b"89")
    assert files.open_file(tmp_path) is None
    assert files.open_file(tmp_path / "y") is None


def test_commands_take_what_is_elsewhere(dataset, s3):
    from click.testing import CliRunner

    from openm3w.cli import cli

    uri = s3.put(dataset(sizes=[("train", 2)]).root)
    for words in (
        ["shards", "ls", uri],
        ["shards", "show", uri, "1"],
        ["shards", "stats", uri],
        ["shards", "verify", uri],
        ["shards", "verify", uri, "--verify", "full"],
        ["view", "--plain", uri],
    ):
        result = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
