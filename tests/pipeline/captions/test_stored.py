"""Images out of the packs of a real small build, one at a time."""

import hashlib
import io
from dataclasses import replace

import pytest
from PIL import Image

from openm3w.errors import OutputError
from openm3w.filters.caption_profile import CaptionImageRules
from openm3w.pipeline.captions.resize import Resizing
from openm3w.pipeline.captions.settings import Images, Resize
from openm3w.pipeline.captions.stored import StoredImages
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.decode import UnusableImageError
from openm3w.pipeline.images.ledger import original_place, stored_place
from openm3w.pipeline.images.lists import Blocklist
from openm3w.pipeline.images.packs import PackReader
from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.images import pack_units
from openm3w.pipeline.jobs.web import Body

pytestmark = pytest.mark.beam

KEY = "http://site.example/cart.jpg"
"""A JPEG of 1000 x 800, stored at 512 x 410."""


@pytest.fixture(scope="module")
def opened(built_site):
    """`opened(resize, ...)`: the unit that holds the picture."""
    build = built_site.plan
    packs = build.folder("images", "packs")
    unit = next(u for u in pack_units(build) if any(r["url_key"] == KEY for r in packs.rows(u)))

    def make(resize, *, blocklist=None, bounds=None, buried=(), **images):
        return StoredImages.of(
            build,
            unit,
            resizing=Resizing(images=Images(**{"keep_bytes": True, **images}), resize=resize),
            bounds=bounds or CaptionImageRules(),
            blocklist=blocklist or Blocklist(),
            tombstones=Tombstones.of(buried),
        )

    return make


@pytest.fixture(scope="module")
def copy(built_site, opened):
    """The stored copy of the picture."""
    row = opened(Resize(side=512)).rows[KEY]
    with PackReader(built_site.plan.folder("images", "packs").root) as packs:
        return packs.read(stored_place(row))


def taken(stored):
    """The bytes that were read, and what was made of them."""
    with stored.reading("") as read:
        data = read(Found(f"|{KEY}"))
    return data, stored.encode(Body(f"|{KEY}", "", data))


def test_a_copy_that_is_not_resized_is_taken_byte_for_byte(opened, copy):
    data, encoded = taken(opened(Resize(side=512)))

    assert data == encoded.data == copy
    assert encoded.sha256 == hashlib.sha256(copy).hexdigest()
    assert (encoded.width, encoded.height) == (512, 410)
    assert (encoded.original_width, encoded.original_height) == (1000, 800)


def test_what_is_known_is_known_of_the_original(opened, built_site):
    original = built_site.images["cart.jpg"]
    for resize in (Resize(side=512), Resize(side=100), Resize(side=700)):
        stored = opened(resize)
        _, encoded = taken(stored)
        assert encoded.original.num_bytes == len(original)
        assert encoded.original.sha256 == hashlib.sha256(original).hexdigest()
        assert encoded.original.md5 == hashlib.md5(original).hexdigest()  # noqa: S324
        assert encoded.measures.phash == stored.rows[KEY]["phash"]
        assert encoded.original_format == "jpeg"


@pytest.mark.parametrize(
    ("resize", "size", "is_original"),
    [
        (Resize(side=511), (511, 409), False),
        (Resize(side=512), (512, 410), False),
        (Resize(side=513), (513, 410), True),
        (Resize(mode="no"), (1000, 800), True),
        (Resize(mode="center_crop", side=409), (409, 409), False),
        (Resize(mode="center_crop", side=412), (412, 412), True),
        (Resize(mode="border", side=300), (300, 300), False),
    ],
)
def test_the_original_is_read_where_more_pixels_are_asked_for(
    opened, copy, built_site, resize, size, is_original
):
    data, encoded = taken(opened(resize))

    assert data == (built_site.images["cart.jpg"] if is_original else copy)
    assert (encoded.width, encoded.height) == size
    assert Image.open(io.BytesIO(encoded.data)).size == size


def test_without_an_original_the_copy_is_what_there_is(opened, copy):
    stored = opened(Resize(side=700))
    row = {**stored.rows[KEY], "original_pack": None}
    data, encoded = taken(replace(stored, rows={KEY: row}))

    assert data == encoded.data == copy
    data, encoded = taken(replace(opened(Resize(side=700, only_if_bigger=False)), rows={KEY: row}))
    assert (data, encoded.width) == (copy, 700)


def test_originals_are_read_where_they_are_to_be_stored(opened, built_site):
    data, encoded = taken(opened(Resize(side=512), originals=True))

    assert data == built_site.images["cart.jpg"]
    assert encoded.width == 512


def test_a_copy_is_encoded_anew_where_bytes_are_not_to_be_kept(opened, copy):
    _, encoded = taken(opened(Resize(side=512), keep_bytes=False))

    assert encoded.data != copy
    assert (encoded.width, encoded.height) == (512, 410)


def test_what_was_fetched_is_judged_by_the_ledger(opened, built_site):
    original = built_site.images["cart.jpg"]
    sha256, md5 = (hashlib.new(name, original).hexdigest() for name in ("sha256", "md5"))
    for blocklist, reason in (
        (Blocklist(sha256=frozenset({sha256})), "blocked_sha256"),
        (Blocklist(md5=frozenset({md5})), "blocked_md5"),
    ):
        with pytest.raises(UnusableImageError, match=reason):
            taken(opened(Resize(side=512), blocklist=blocklist))
    bound = len(original)
    taken(opened(Resize(side=512), bounds=CaptionImageRules(min_crawled_bytes=bound)))
    with pytest.raises(UnusableImageError, match="too_few_bytes"):
        taken(opened(Resize(side=512), bounds=CaptionImageRules(min_crawled_bytes=bound + 1)))


def test_what_was_buried_since_is_not_given_out(opened, copy, built_site):
    contents = (copy, built_site.images["cart.jpg"])
    digests = [hashlib.sha256(data).hexdigest() for data in contents]
    for entry in (KEY, "site.example", *digests):
        with pytest.raises(UnusableImageError, match="tombstone"):
            taken(opened(Resize(side=512), buried=[entry]))
    taken(opened(Resize(side=512), buried=["http://site.example/boat.png", "0" * 64]))


def test_bytes_that_are_not_the_ledger_s_are_never_decoded(opened):
    stored = opened(Resize(side=512))
    row = {**stored.rows[KEY], "sha256": "0" * 64}
    with pytest.raises(OutputError, match="holds other bytes than its ledger says"):
        taken(replace(stored, rows={KEY: row}))
    assert original_place(row) is not None
