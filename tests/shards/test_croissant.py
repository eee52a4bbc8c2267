import dataclasses
import json
import logging
import re

import pytest

from openm3w.shards import card
from openm3w.shards import croissant as written
from openm3w.shards.reader import read_members_at, read_samples

mlcroissant = pytest.importorskip("mlcroissant")

# mlcroissant uses what rdflib deprecates, and leaves the files open that it reads.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

KINDS = ("interleaved", "caption", "text")
EVIL = 'a "name"\n# with \u202e</script> and\x1b[2J'


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """mlcroissant keeps what it unpacks by the shard's relative name, for all datasets alike."""
    from mlcroissant._src.operation_graph.operations import extract

    monkeypatch.setattr(extract, "EXTRACT_PATH", extract.EXTRACT_PATH.__class__(tmp_path / "x"))


def opened(manifest, caplog):
    """What mlcroissant makes of the folder: it misses what only a publisher knows."""
    with caplog.at_level(logging.WARNING):
        found = mlcroissant.Dataset(jsonld=str(manifest.root / "croissant.json"))
    issues = found.metadata.ctx.issues
    missed = {re.search(r'Property "([^"]+)" is recommended', each)[1] for each in issues.warnings}
    assert list(issues.errors) == []
    assert {url.rpartition("/")[2] for url in missed} == {"citeAs", "datePublished"}
    assert len(caplog.messages) == 1  # which tells of these
    return found


def records(found, name):
    rows = [dict(row) for row in found.records(record_set=name)]
    return [{k.partition("/")[2]: plain(v) for k, v in row.items()} for row in rows]


def plain(value):
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("kind", KINDS)
def test_mlcroissant_finds_nothing_wrong_and_reads_the_members(dataset, caplog, kind):
    manifest = dataset(kind=kind)
    found = opened(manifest, caplog)
    ours = {sample.key: sample for sample in read_samples(manifest)}
    theirs = {row["key"]: json.loads(row["content"]) for row in records(found, "samples")}
    assert theirs.keys() == ours.keys()
    for key, about in theirs.items():
        document = ours[key].document
        if kind == "interleaved":
            assert [text for text in about["texts"] if text is not None] == list(document.texts)
        if kind == "caption":
            assert about["caption"] == document.texts[0]
    if kind == "text":
        texts = {row["key"]: row["content"] for row in records(found, "texts")}
        assert texts == {key: s.document.texts[0] for key, s in ours.items()}
        return
    images = records(found, "images")
    assert len(images) == manifest.images
    assert {image["content"].size for image in images} == {(64, 48)}
    assert {image["key"] for image in images} == ours.keys()
    assert all(image["member"].startswith(f"{image['key']}.") for image in images)


@pytest.mark.parametrize("kind", KINDS)
def test_every_path_is_one_of_the_json(dataset, kind):
    manifest = dataset(kind=kind)
    (fields,) = [s for s in written.croissant(manifest)["recordSet"] if s["@id"] == "fields"]
    paths = [field["source"]["extract"]["jsonPath"] for field in fields["field"]]
    _, members = read_members_at(manifest, manifest.shards[0], 0)
    for path in paths:
        value = json.loads(members["json"])
        for name in path.removeprefix("$.").split("."):
            value = value[name]  # a KeyError tells which


def test_paths_in_archives_are_what_mlcroissant_does_not_read(dataset, caplog):
    """The day that it does, the docs say more."""
    found = opened(dataset(kind="text"), caplog)
    with pytest.raises(Exception, match="ReadFields"):
        records(found, "fields")


def test_shards_have_size_and_digest_and_excluded_samples_are_no_members(dataset, sample, caplog):
    manifest = dataset(exclude=[sample(0).key])
    value = opened(manifest, caplog).metadata.to_json()
    files = [f for f in value["distribution"] if f["@type"] == "cr:FileObject"]
    assert {(s.url, s.sha256, f"{s.filesize} B") for s in manifest.shards} == {
        (f["contentUrl"], f["sha256"], f["contentSize"]) for f in files
    }
    members = [f for f in value["distribution"] if f["@type"] == "cr:FileSet"]
    # mlcroissant 1.1.1 keeps these patterns and does not heed them when it reads.
    assert [f["excludes"] for f in members] == [f"{sample(0).key}.*"] * 2


def test_names_and_counts_of_the_web_are_text(dataset, caplog):
    counts = {
        "stages": [
            {"job": "documents", "unit": "pages", "entered": 5, "kept": 2,
             "dropped": {"opt_out_noai": 2, EVIL: 1}, "failed": {}}
        ],
        "distributions": {
            "documents": 6, "languages": {"en": 6}, "domains": {EVIL: 6}, "num_domains": 1,
            "months": {"2024-11": 1, "2024-12": 1}, "crawls": {EVIL: 2},
        },
    }  # fmt: skip
    manifest = dataclasses.replace(dataset(), name=EVIL, counts=counts, models={EVIL: {"model": 3}})
    card.write_extras(manifest)
    metadata = opened(manifest, caplog).metadata
    text = json.dumps(metadata.to_json(), ensure_ascii=False, default=str)
    assert not {"\u202e", "\x1b"} & set(text)
    assert "opt out noai (pages) 2" in metadata.data_collection
    assert "Crawled from 2024-11 to 2024-12." in metadata.data_collection
    assert any("100.0 % of the documents are in en" in bias for bias in metadata.data_biases)
    assert metadata.personal_sensitive_information
