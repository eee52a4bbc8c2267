"""Deletion requests over a build, its store and what is built afterwards."""

import hashlib
import json
import shutil

import pytest
from tests.pipeline.redacting.redactable import (
    build,
    documents,
    holding,
    m3w,
    redact,
)

from openm3w.errors import OutputError
from openm3w.pipeline.claims import BESIDE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.redacting import command
from openm3w.pipeline.redacting.command import Request
from openm3w.pipeline.reopening import reopen
from openm3w.pipeline.sidecars import stages
from openm3w.shards import manifest
from openm3w.shards.catalog import cache
from openm3w.shards.funnel import check_chain
from openm3w.shards.locking import only_writer
from openm3w.shards.reader import read_samples
from openm3w.shards.redaction import ledger
from openm3w.shards.search import folder

pytestmark = pytest.mark.beam

GONE = [
    *(b"WordOne0", b"EndOne", b"AltOne1", b"TitleOne", b"one.example/story", b"one.example/a.png"),
    *(b"WordTwo0", b"two.example"),
    *(b"AltThree0", b"three.example/gone.png"),
    *(b"AltThree2", b"three.example/small.png", b"three.example/large.png"),
    *(b"AltFour0", b"four.example/bytes.png"),
    *(b"WordFive0", b"five.example", b"five.example/id"),
]
"""What nothing may hold after REQUEST."""
NOT_NAMED = {
    *(b"one.example/a.png", b"five.example", b"three.example/small.png"),
    *(b"AltFour0", b"four.example/bytes.png"),
}
"""Of these, what the request has no word of."""
STAYS = [
    *(b"WordThree0", b"AltThree1", b"three.example/y", b"cdn.example/stays.png"),
    *(b"WordFour0", b"AltFour1", b"four.example/other.png", b"WordSix0", b"WordSeven1"),
]


INDEX = folder.Index(
    model="m", model_id="m", preprocessing="p", dim=2, what="images", fingerprints=("f",)
)


@pytest.fixture
def request_file(copy, redactable):
    """One request of all sorts, in all the ways in which they can be named."""
    _, site = redactable
    bytes_of = hashlib.sha256(site.fetched["http://four.example/bytes.png"]).hexdigest()
    ids = {host: document.doc_id for host, document in documents(copy / "out").items()}
    listed = copy / "request.txt"
    listed.write_text(f"# of 1 May\nHTTP://One.example:80/story#top\n{bytes_of}\n")
    (copy / "ids").write_text(ids["five.example"] + "\n")
    return (
        *("--file", listed, "--doc-id", copy / "ids", "--domain", "two.example"),
        *("--url", "http://three.example/gone.png", "--url", "https://three.example/large.png"),
    )


def stored(redactable, copy):
    """Bytes of the pictures that go, as fetched and as they are stored."""
    _, site = redactable
    gone = ["http://one.example/", "http://www.two", "http://five", "http://three.example/"]
    found = [data for url, data in site.fetched.items() if url.startswith(tuple(gone))]
    found.append(site.fetched["http://four.example/bytes.png"])
    (dataset,) = manifest.load(copy / "out")
    for sample in read_samples(dataset):
        for image, data in zip(sample.document.images, sample.images, strict=True):
            if image.url.startswith(tuple(gone)) or image.url.endswith("/bytes.png"):
                found.append(data)
    assert len(found) == 8 + 7  # of two sizes a sample has one
    return found


def test_nothing_that_was_asked_for_is_left_in_any_file(copy, redactable, request_file):
    bytes_before = stored(redactable, copy)
    assert set(holding([*GONE, *STAYS, *bytes_before], copy / "out", copy / "out.work")) == {
        *GONE,
        *STAYS,
        *bytes_before,
    }

    (done,) = redact(copy / "out", *request_file)

    assert (done["samples"], done["images"]) == (3, 2 + 1 + 1 + 2 + 1)
    assert holding([*GONE, *bytes_before], copy / "out", copy / "out.work") == {}
    assert set(holding(STAYS, copy / "out", copy / "out.work")) == set(STAYS)
    found = documents(copy / "out")
    assert sorted(found) == ["four.example", "seven.example", "six.example", "three.example"]
    assert [image.url for image in found["three.example"].images] == [
        "http://cdn.example/stays.png"
    ]
    assert len(found["seven.example"].images) == 2
    assert m3w("shards", "verify", copy / "out").startswith("ok")
    (dataset,) = manifest.load(copy / "out")
    assert dataset.exclude == ()
    check_chain(stages(reopen(copy / "out")))
    told = json.loads((copy / "out" / "report.json").read_text())
    assert told["stages"] == dataset.counts["stages"]
    last = {stage["unit"]: stage for stage in told["stages"]}
    assert last["pages"]["dropped"]["tombstone"] == 3
    assert last["images"]["dropped"]["tombstone"] == done["images"]
    assert last["pages"]["kept"] == dataset.nsamples == 4
    assert last["images"]["kept"] == dataset.images == 5


def test_no_job_brings_it_back(copy, redactable, request_file):
    bytes_before = stored(redactable, copy)
    redact(copy / "out", *request_file)

    again = build(copy, copy / "out")
    assert again.already_done
    m3w("refilter", copy / "out", "--profile", "kosmos1", "--set", "image.min_side=150",
        "--output", copy / "m3w")  # fmt: skip
    looks = json.loads(
        m3w("refilter", copy / "out", "-p", "kosmos1", "-p", "m3w", "--dry-run", "--json")
    )
    m3w("shards", "export", copy / "out", "--originals", "--output", copy / "originals")
    m3w("captions", "import", copy / "out", "--from", "alt-text", "--output", copy / "pairs")
    # The archive itself is read once more, for another floor and for another kind.
    build(copy, copy / "other", "screen.max_bytes=900000", store=copy / "out.work")
    m3w("text", "build", copy / "site.warc.gz", "--output", copy / "text",
        "--store", copy / "out.work")  # fmt: skip

    places = [copy / name for name in ("out", "m3w", "originals", "pairs", "other", "text")]
    assert holding([*GONE, *bytes_before], *places[:-1]) == {}
    # What an archive says of other addresses is read again: of pictures of a page that went, of
    # another size, and of one that went by its bytes alone. No dataset has it.
    again = [each for each in GONE if each not in NOT_NAMED]
    assert holding([*again, *bytes_before], *places, copy / "out.work") == {}
    assert set(documents(copy / "other")) == set(documents(copy / "out"))
    assert set(holding(STAYS, copy / "originals")) == set(STAYS)
    entered = [look["stages"][0]["entered"] for look in looks["profiles"].values()]
    assert entered == [4, 4]
    for plan in (
        reopen(copy / "other", copy / "out.work"),
        reopen(copy / "m3w", copy / "out.work"),
    ):
        found = stages(plan)
        check_chain(found)
        assert found[1].dropped["tombstone"] == 3
        assert next(s for s in found if s.unit == "images" and s.job == "images").dropped[
            "tombstone"
        ]
    shown = m3w("explain", copy / "out", "http://one.example/story")
    assert "tombstone" in shown
    assert "Word" not in shown


def test_hidden_alone_it_is_given_out_by_no_reader_and_by_no_later_build(copy):
    asked = ("--url", "http://one.example/story", "--url", "http://three.example/gone.png")
    (looked,) = redact(copy / "out", *asked, "--dry-run")
    assert (looked["samples"], looked["images"], looked["excluded"]) == (1, 3, 2)
    assert not (copy / "out.work" / "fetched").exists()
    before = {shard.url: shard.sha256 for shard in manifest.load(copy / "out")[0].shards}

    (done,) = redact(copy / "out", *asked, "--exclude-only")

    assert (done["excluded"], done["shards"], done["tombstones"]) == (2, 0, 2)
    (dataset,) = manifest.load(copy / "out")
    assert {shard.url: shard.sha256 for shard in dataset.shards} == before
    assert not {"one.example", "three.example"} & set(documents(copy / "out"))
    m3w("refilter", copy / "out", "--profile", "kosmos1", "--set", "image.min_side=150",
        "--output", copy / "again")  # fmt: skip
    found = documents(copy / "again")
    assert "one.example" not in found
    assert len(found["three.example"].images) == 2
    check_chain(stages(reopen(copy / "again", copy / "out.work")))
    redact(copy / "out", *asked)
    assert "three.example" in documents(copy / "out")
    assert manifest.load(copy / "out")[0].exclude == ()


def test_the_ledger_has_hashes_that_a_later_request_is_matched_by(copy):
    before = {shard.sha256 for shard in manifest.load(copy / "out")[0].shards}
    redact(copy / "out", "--domain", "two.example")
    redact(copy / "out", "--domain", "two.example")
    (entry,) = ledger.read(copy / "out.work")
    assert "example" not in json.dumps(entry)
    assert (entry["sorts"], entry["samples"], entry["images"]) == ({"domain": 1}, 1, 1)
    assert {change["before"] for change in entry["shards"]} <= before
    known = Tombstones.of(entry["entries"])
    assert known.covers("https://www.TWO.example/x")
    assert not known.covers("https://three.example/x")


def test_a_mixture_is_joined_again(copy):
    m3w("shards", "join", copy / "out", "--output", copy / "mix.json")
    for name in ("out", "mix"):
        folder.write(copy / f"{name}.index", INDEX)
    told = m3w("shards", "redact", copy / "mix.json", "--domain", "one.example")
    for name, of in (("out", "out"), ("mix", "mix.json")):
        assert f"{copy / name}.index: is of what was there before; `m3w index {copy / of}`" in told
    redact(copy / "mix.json", "--domain", "two.example")
    redact(copy / "mix.json", "--domain", "five.example")
    (part,) = manifest.load(copy / "mix.json")
    assert part.nsamples == 4


def test_a_site_whose_only_page_went_by_its_address_is_counted_nowhere(copy):
    assert len(holding([b"five.example"], copy / "out")) == 1
    before = json.loads((copy / "out" / "report.json").read_text())
    redact(copy / "out", "--url", "http://five.example/id")
    assert holding([b"five.example"], copy / "out") == {}
    told = json.loads((copy / "out" / "report.json").read_text())
    assert sum(told["bars"]["domains of the kept documents"].values()) == 6
    assert told["histograms"].keys() == before["histograms"].keys()
    assert told["tables"].keys() == before["tables"].keys()
    assert manifest.load(copy / "out")[0].counts["distributions"]["documents"] == 6


def test_documents_that_went_whole_with_an_image_stay_away(copy):
    asked = ("--url", "http://three.example/gone.png", "--whole-documents")
    redact(copy / "out", *asked, "--exclude-only")
    assert "three.example" not in documents(copy / "out")
    redact(copy / "out", "--domain", "two.example")  # takes out what waits, as it was asked for
    m3w("refilter", copy / "out", "--profile", "kosmos1", "--set", "image.min_side=150",
        "--output", copy / "again")  # fmt: skip
    # Of six, the profile itself takes some single images away.
    left = {f"{host}.example" for host in ("one", "four", "five", "seven")}
    assert set(documents(copy / "again")) == left
    assert set(documents(copy / "out")) == left | {"six.example"}
    assert holding([b"WordThree0", b"three.example/y"], copy / "out", copy / "out.work") == {}


def test_a_store_is_one_redactions_at_a_time(copy):
    shutil.copytree(copy / "out", copy / "again")
    with only_writer(copy / "out.work"), pytest.raises(OutputError, match=r"out\.work: another"):
        command.redact(
            copy / "again", Request(entries=(("domain", "two.example"),)),
            store=copy / "out.work", say=lambda _: None,
        )  # fmt: skip
    assert "www.two.example" in documents(copy / "again")


def test_what_was_dropped_is_hidden_too_where_a_request_hides_alone(copy, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(copy / "cache"))
    sample = copy / "out.work" / "dropped" / "out-01234567"
    shutil.copytree(copy / "out", sample)
    known = copy / "cache" / cache.file_name([str(sample.resolve())], ["before"])
    known.parent.mkdir()
    known.touch()
    redact(copy / "out", "--domain", "two.example", "--exclude-only")
    assert not known.exists()
    assert "www.two.example" not in documents(sample)
    assert len(documents(sample)) == 6
    redact(copy / "out", "--domain", "two.example")
    assert not sample.exists()


def test_packs_that_no_ledger_names_lose_what_goes_by_its_address(copy, redactable):
    _, site = redactable
    gone = site.fetched["http://three.example/gone.png"]
    packs = list((copy / "out.work" / "images" / "packs").glob("*/*.tar"))
    for pack in packs:
        shutil.copy(pack, pack.with_name(f"{pack.stem}9.tar"))
    assert holding([gone], copy / "out.work" / "images")
    redact(copy / "out", "--url", "http://three.example/gone.png")
    assert holding([gone], copy / "out.work" / "images") == {}


def test_what_stays_named_elsewhere_keeps_its_picture(copy):
    redact(copy / "out", "--url", "http://six.example/kept")
    found = documents(copy / "out")
    assert "six.example" not in found
    assert "http://cdn.example/stays.png" in {i.url for i in found["three.example"].images}
    assert holding([b"cdn.example/stays.png"], copy / "out.work" / "images")


def test_a_store_that_cannot_be_purged_is_told_before_anything_is_changed(copy):
    for note in (copy / "out.work" / "outputs").glob("*.json"):
        value = json.loads(note.read_bytes())
        value["identity"].pop(BESIDE)
        note.write_text(json.dumps(value))
    before = (copy / "out" / "manifest.json").read_bytes()
    request = Request(entries=(("domain", "two.example"),))
    with pytest.raises(OutputError, match="hide with --exclude-only"):
        command.redact(copy / "out", request, store=None, say=print)
    assert (copy / "out" / "manifest.json").read_bytes() == before
