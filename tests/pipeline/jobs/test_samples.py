import hashlib
import json
from dataclasses import astuple

import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.images.packs import PackWriter, Place
from openm3w.pipeline.jobs.samples import Samples
from openm3w.pipeline.store import Folder
from openm3w.shards.document import Document, Image, Text
from openm3w.shards.sample import document_to_json

SPANS = (Text(text="words"), Image(url="http://a.example/1"), Image(url="http://a.example/2"))
DOCUMENT = Document(doc_id="d", spans=SPANS)


@pytest.fixture
def packs(tmp_path):
    """A folder with one pack, and the places of two images in it."""
    with (tmp_path / "u.tar").open("wb") as file:
        writer = PackWriter(file, "u.tar")
        places = [writer.add(hashlib.sha256(data).hexdigest(), data) for data in (b"a", b"b")]
        writer.close()
    return Folder(root=tmp_path, fingerprint="f"), places


def selected(places, **more):
    places = json.dumps([astuple(place) for place in places])
    document = json.dumps(document_to_json(DOCUMENT))
    return {"doc_id": "d", "document": document, "places": places, **more}


def places_of(row):
    return (Place(*place) for place in json.loads(row["places"]))


def test_a_row_is_its_document_with_the_bytes_of_its_images_in_order(packs):
    folder, (a, b) = packs
    rows = [selected([b, a]), selected([a], extra='{"sha256": "9"}')]

    pages, caption = Samples(folder, places_of)(rows)

    assert (pages.key, pages.document, pages.images) == ("d", DOCUMENT, (b"b", b"a"))
    assert (pages.extra, caption.extra) == ({}, {"sha256": "9"})
    assert caption.images == (b"a",)


def test_a_pack_that_is_gone_is_told(packs):
    folder, (a, _) = packs
    (folder.root / "u.tar").unlink()

    with pytest.raises(OutputError):
        list(Samples(folder, places_of)([selected([a])]))
