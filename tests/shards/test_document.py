import os

from openm3w.shards.document import make_doc_id


def test_ids_do_not_change_between_versions():
    assert make_doc_id("", "a.html", 0) == "576bd7c83f736697d6fd7dff65272846"
    assert make_doc_id("", "é.html", 7) == "5886b8035170ec182d96f0aa777cb37f"


def test_names_that_are_no_text_have_ids_of_their_own():
    names = [os.fsdecode(name) for name in (b"a\xff.html", b"a\xfe.html")]

    assert len({make_doc_id("", name) for name in names}) == 2
