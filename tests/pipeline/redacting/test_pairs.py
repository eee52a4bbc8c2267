"""Caption and text datasets and their stores, and shards of others that were adopted."""

import hashlib
import json
import shutil

import pytest
from tests.pipeline.redacting.redactable import holding, m3w, redact

from openm3w.pipeline.fetch import process
from openm3w.shards import manifest
from openm3w.shards.reader import read_samples

pytestmark = pytest.mark.beam

WORDS = "The quick brown fox jumps over the lazy dog while the sun goes down behind the hill. "


@pytest.fixture(scope="module")
def built(tmp_path_factory, image_bytes):
    """A caption build of six files beside a table, two of them the same picture."""
    root = tmp_path_factory.mktemp("pairs")
    folder = root / "in"
    folder.mkdir()
    rows = []
    for at in range(6):
        data = image_bytes(100, 90, seed=min(at, 4))
        (folder / f"p{at}.png").write_bytes(data)
        page = f"http://page{at}.example/x"
        rows.append(
            {"url": f"p{at}.png", "caption": f"A picture called Caption{at}", "page_url": page}
        )
    (folder / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    m3w("captions", "build", folder / "table.jsonl", "--output", root / "out",
        "--set", "images.originals=true")  # fmt: skip
    process.close()
    return root


@pytest.fixture
def pairs(built, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    yield tmp_path
    process.close()


def captions(root):
    (dataset,) = manifest.load(root)
    return sorted(s.document.texts[0].split("Caption")[1] for s in read_samples(dataset))


def test_pairs_go_from_shards_tables_and_store(pairs):
    same = (pairs / "in" / "p5.png").read_bytes()
    (dataset,) = manifest.load(pairs / "out")
    ids = {s.document.texts[0][-1]: s.key for s in read_samples(dataset)}
    gone = [b"Caption0", b"Caption1", same, (pairs / "in" / "p0.png").read_bytes()]
    assert len(holding(gone, pairs / "out", pairs / "out.work")) == 4
    before = captions(pairs / "out")

    redact(pairs / "out", "--doc-id", ids["0"], "--domain", "page1.example",
           "--sha256", hashlib.sha256(same).hexdigest())  # fmt: skip

    left = [name for name in before if name in ("2", "3")]
    assert captions(pairs / "out") == left == ["2", "3"]
    more = [*gone, b"Caption4", b"Caption5", b"page1.example", ids["0"].encode()]
    assert holding(more, pairs / "out", pairs / "out.work") == {}
    assert m3w("shards", "verify", pairs / "out").startswith("ok")
    # Once more, into another folder, from the table that still has all.
    m3w("captions", "build", pairs / "in" / "table.jsonl", "--output", pairs / "again",
        "--store", pairs / "out.work", "--set", "images.originals=true")  # fmt: skip
    assert captions(pairs / "again") == left
    m3w("shards", "export", pairs / "out", "--originals", "--output", pairs / "originals")
    assert captions(pairs / "originals") == left
    assert holding([b"Caption0", same], pairs / "originals", pairs / "again") == {}


def test_shards_of_others_stay_and_are_not_brought_back(pairs):
    theirs = pairs / "theirs"
    theirs.mkdir()
    for path in (pairs / "out" / "data").iterdir():
        (theirs / path.name.replace("train-", "")).write_bytes(path.read_bytes())
    m3w("captions", "adopt", theirs, "--output", pairs / "adopted")
    key = next(iter(read_samples(manifest.load(pairs / "adopted")[0]))).key
    (done,) = redact(pairs / "adopted", "--doc-id", key)
    assert done["elsewhere"]
    assert key not in {s.key for s in read_samples(manifest.load(pairs / "adopted")[0])}
    m3w("captions", "adopt", theirs, "--output", pairs / "adopted")
    assert key not in {s.key for s in read_samples(manifest.load(pairs / "adopted")[0])}


def test_texts_go_by_their_page_and_by_their_id(tmp_path):
    lines = [{"text": f"{WORDS * 5} Text{n}.", "url": f"http://t{n}.example/"} for n in range(4)]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    m3w("text", "build", source, "--output", tmp_path / "out")
    (dataset,) = manifest.load(tmp_path / "out")
    ids = {s.document.url: s.key for s in read_samples(dataset)}

    redact(tmp_path / "out", "--url", "https://t0.example", "--doc-id", ids["http://t1.example/"])

    gone = [b"Text0", b"Text1", b"t0.example", b"t1.example"]
    assert holding(gone, tmp_path / "out", tmp_path / "out.work") == {}
    m3w("text", "build", source, "--output", tmp_path / "again", "--store", tmp_path / "out.work")
    for root in ("out", "again"):
        (dataset,) = manifest.load(tmp_path / root)
        assert {s.document.url for s in read_samples(dataset)} == {
            "http://t2.example/",
            "http://t3.example/",
        }
    process.close()
