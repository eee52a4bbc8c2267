"""Tombstones of which only hashes are known."""

import hashlib

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.fetch.store.forgotten import forgotten, new_salt
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones

SHA = hashlib.sha256(b"a picture").hexdigest()
ID = "0123456789abcdef" * 2


def of(sort, spelling):
    return Tombstones.of([forgotten(sort, spelling, new_salt())])


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("http://site.example/a?x=1", True),
        ("HTTPS://user@Site.example.:443/./a?x=1#part", True),
        ("http://site.example/a", False),
        ("http://img.site.example/a?x=1", False),
    ],
)
def test_an_address_is_known_again_by_its_hash_in_every_spelling(url, covered):
    assert of("url", "site.example/a?x=1").covers(url) is covered


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("http://gone.example/", True),
        ("https://img.cdn.GONE.example:8443/x", True),
        ("http://notgone.example/", False),
        ("http://example/", False),
    ],
)
def test_a_domain_is_known_again_by_all_below_it(url, covered):
    assert of("domain", "gone.example").covers(url) is covered


def test_contents_and_documents_are_known_again_and_no_sort_is_taken_for_another():
    content, document = of("sha256", SHA), of("doc-id", ID)
    assert content.covers_content(SHA.upper())
    assert content.of_contents
    assert not content.covers_document(SHA)
    assert document.covers_document(ID)
    assert not document.of_contents
    assert not document.covers_content(ID)
    assert not of("url", "gone.example/").covers("http://gone.example/x")
    assert of("doc-id", "their-key_7").covers_document("their-key_7")


def test_ids_stand_in_lists_beside_the_others():
    found = Tombstones.of([f"{ID.upper()}  # a document", SHA, "a.example"])
    assert found.covers_document(ID)
    assert found.covers_content(SHA)
    assert len(found) == 3


def test_a_store_holds_no_word_of_it_and_honours_it(tmp_path):
    memory = Memory.open(str(tmp_path / "fetched"))
    salt = new_salt()
    lines = [forgotten("url", "site.example/who", salt), forgotten("domain", "gone.example", salt)]
    assert memory.bury(lines) == 2
    assert memory.bury(lines) == 0
    assert not any(b"example" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    again = Memory.open(str(tmp_path / "fetched"))
    assert (
        again.lookup(["http://site.example/who"])["http://site.example/who"].reason == "tombstone"
    )
    assert again.tombstones().forgotten.salt == salt
    elsewhere = Memory.open(str(tmp_path / "other"))
    assert elsewhere.bury(sorted(again.tombstones().lines)) == 2
    assert elsewhere.tombstones().covers("https://www.gone.example/")


@pytest.mark.parametrize("line", ["forgotten:url:12:34", f"forgotten:name:{'0' * 32}:{'1' * 32}"])
def test_what_looks_like_one_and_is_none_is_refused(line):
    with pytest.raises(InputError, match="neither"):
        Tombstones.of([line])
