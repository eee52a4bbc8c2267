import contextlib
import hashlib
import tarfile
from dataclasses import replace

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to

from openm3w.pipeline import runners
from openm3w.pipeline.images.decode import Encoded, UnusableImageError, UnwantedImageError
from openm3w.pipeline.images.ledger import is_decoded, original_place, stored_place
from openm3w.pipeline.images.measures import Measures, Original
from openm3w.pipeline.images.packs import PackReader
from openm3w.pipeline.images.resolve import Chase, Found, Resource, hop
from openm3w.pipeline.jobs import packing
from openm3w.pipeline.jobs.packing import MAX_IMAGES, Packing, PackUnit, make_units
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (MAX_IMAGES, [MAX_IMAGES]), (MAX_IMAGES + 1, [MAX_IMAGES, 1])]
)
def test_a_unit_holds_at_most_so_many_images_in_the_order_of_the_archive(count, sizes):
    found = [Found(f"http://a/{i}", "u", 1_000_000 - i) for i in range(count)]

    units = list(make_units("u", found))

    assert [len(unit.found) for unit in units] == sizes
    offsets = [f.offset for unit in units for f in unit.found]
    assert offsets == sorted(offsets)
    assert len({unit.name for unit in units}) == len(units)


def test_units_do_not_depend_on_the_order_of_arrival():
    found = [Found(f"http://a/{i}", "u", i % 7) for i in range(20)]

    assert list(make_units("u", found)) == list(make_units("u", found[::-1]))


def test_images_that_no_archive_holds_are_of_no_archive():
    (unit,) = make_units("missing3", [Found("http://a/", reason="not_in_archive")])

    assert unit.archive == ""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def encoded(data):
    return Encoded(
        data=data,
        sha256=sha256(data),
        width=2,
        height=1,
        original_width=4,
        original_height=2,
        original_format="png",
        original=Original(num_bytes=9, sha256=sha256(b"original!"), md5="6"),
        measures=Measures(grey_deviation=1.0, entropy=2.0, sharpness=3.0, phash="4" * 16),
    )


def pack_of(folder, unit):
    return folder.root / folder.sidecar(unit)["counts"]["pack"]


def make_packing(folder, *, originals=False, begin=lambda: None, made_of_it=()):
    @contextlib.contextmanager
    def reading(archive):
        assert archive == "u"
        begin()

        def read(found):
            if found.origin.startswith("bad_bytes"):
                raise UnusableImageError(found.origin)
            return found.origin.encode()

        yield read

    def encode(body, archive):
        assert archive == "u"
        name = body.data.decode()
        if name.startswith("bad"):
            raise UnusableImageError(name)
        if name.startswith("unwanted"):
            raise UnwantedImageError(name, encoded(b"unwanted"))
        stored = encoded(body.data[:1])
        return replace(stored, original_data=b"original!") if originals else stored

    failed = frozenset({"bad_bytes"})
    return Packing(
        folder=folder,
        key="image",
        unit="images",
        failed=failed,
        reading=reading,
        encode=encode,
        made_of_it=made_of_it,
    )


def test_a_unit_becomes_a_pack_a_ledger_and_counts(tmp_path):
    folder = Folder(root=tmp_path, fingerprint="f")
    names = ("a1", "a2", "b1", "bad_bytes", "bad_size")
    unit = PackUnit("u-00000", "u", tuple(Found(name, "u") for name in names))

    packing.commit_pack(make_packing(folder), unit)

    rows = {row["image"]: row for row in folder.rows("u-00000")}
    assert {name: (row["outcome"], row["reason"]) for name, row in rows.items()} == {
        "a1": ("kept", ""),
        "a2": ("kept", ""),
        "b1": ("kept", ""),
        "bad_bytes": ("failed", "bad_bytes"),
        "bad_size": ("dropped", "bad_size"),
    }
    with PackReader(tmp_path) as packs:
        kept = {
            name: packs.read(stored_place(row))
            for name, row in rows.items()
            if row["outcome"] == "kept"
        }
    assert kept == {"a1": b"a", "a2": b"a", "b1": b"b"}
    assert rows["a1"]["offset"] == rows["a2"]["offset"]
    (stage,) = folder.sidecar("u-00000")["counts"]["stages"]
    assert (stage["entered"], stage["kept"]) == (5, 3)


def test_an_image_that_the_floor_drops_has_its_numbers_and_no_bytes(tmp_path):
    folder = Folder(root=tmp_path, fingerprint="f")
    found = (Found("unwanted", "u"), Found("bad_bytes", "u"))

    packing.commit_pack(make_packing(folder), PackUnit("u-00000", "u", found))

    unwanted, bad = folder.rows("u-00000")
    assert (unwanted["outcome"], unwanted["reason"]) == ("dropped", "unwanted")
    assert (unwanted["pack"], unwanted["offset"], unwanted["length"]) == (None, None, 8)
    assert (unwanted["original_width"], unwanted["entropy"], unwanted["phash"]) == (4, 2, "4" * 16)
    assert (is_decoded(unwanted), is_decoded(bad)) == (True, False)
    assert b"unwanted" not in pack_of(folder, "u-00000").read_bytes()


@pytest.mark.parametrize("originals", [False, True])
def test_originals_lie_beside_what_was_made_of_them(tmp_path, originals):
    folder = Folder(root=tmp_path, fingerprint="f")
    found = tuple(Found(name, "u") for name in ("a", "b", "unwanted"))

    packing.commit_pack(make_packing(folder, originals=originals), PackUnit("u-0", "u", found))

    a, b, unwanted = folder.rows("u-0")
    with tarfile.open(pack_of(folder, "u-0")) as tar:
        names = tar.getnames()
    assert original_place(unwanted) is None
    if not originals:
        assert (original_place(a), names) == (None, [f"{sha256(b'a')}.jpg", f"{sha256(b'b')}.jpg"])
        return
    with PackReader(tmp_path) as packs:
        assert packs.read(original_place(a)) == b"original!"
        assert packs.read(stored_place(a)) == b"a"
    assert original_place(a) == original_place(b), "the same content is stored once"
    assert names == [f"{sha256(b'a')}.jpg", f"{sha256(b'original!')}.png", f"{sha256(b'b')}.jpg"]


def test_images_of_no_archive_have_a_ledger_and_no_pack(tmp_path):
    folder = Folder(root=tmp_path, fingerprint="f")
    unit = PackUnit("missing0-00000", "", (Found("a", reason="not_found"),))

    packing.commit_pack(make_packing(folder), unit)

    (row,) = pq.read_table(folder.path(unit.name)).to_pylist()
    assert (row["image"], row["outcome"], row["reason"]) == ("a", "dropped", "not_found")
    assert not list(tmp_path.glob("*.tar"))


def test_packs_are_pending_until_their_list_and_all_on_it_are_there(tmp_path):
    folder = Folder(root=tmp_path, fingerprint="f")
    assert packing.is_pending(folder)
    folder.commit_sidecar(packing.ALL_PACKS, counts={"units": ["u-00000"]}, seconds={})
    assert packing.is_pending(folder)
    packing.commit_pack(make_packing(folder), PackUnit("u-00000", "u", (Found("a1", "u"),)))
    assert not packing.is_pending(folder)
    assert packing.pack_units(folder) == ["u-00000"]


@pytest.mark.parametrize("lost", ["json", "tar"])
def test_a_pack_of_which_a_part_is_gone_is_made_again(tmp_path, lost):
    folder = Folder(root=tmp_path, fingerprint="f")
    unit = PackUnit("u-00000", "u", (Found("a1", "u"),))
    packing.commit_pack(make_packing(folder), unit)
    folder.commit_sidecar(packing.ALL_PACKS, counts={"units": ["u-00000"]}, seconds={})
    pack = pack_of(folder, "u-00000")
    whole = pack.read_bytes()
    (pack if lost == "tar" else folder.path("u-00000", "json")).unlink()

    assert packing.pending(folder) == ["u-00000"]
    packing.commit_pack(make_packing(folder), unit)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.tar")} == {pack.name: whole}
    assert not packing.is_pending(folder)


ONE_WAY = PackUnit("u-00000", "u", (Found("a1", "u"), Found("b1", "u")))
THE_OTHER = replace(ONE_WAY, found=ONE_WAY.found[::-1])


def read_all(folder, rows):
    with PackReader(folder.root) as packs:
        return {row["image"]: packs.read(stored_place(row)) for row in rows}


def test_of_two_builds_at_once_that_get_a_unit_the_first_has_it(tmp_path):
    """The second has begun before the first commits, and ends after what goes by its places."""
    folder, made = (
        Folder(root=tmp_path, fingerprint="f"),
        Folder(root=tmp_path / "m", fingerprint="m"),
    )
    copied = []

    def first():
        packing.commit_pack(make_packing(folder), ONE_WAY)
        copied.extend(folder.rows("u-00000"))
        made.commit_sidecar("made", counts={}, seconds={})

    packing.commit_pack(make_packing(folder, begin=first, made_of_it=(made,)), THE_OTHER)

    assert read_all(folder, copied) == {"a1": b"a", "b1": b"b"}
    assert list(folder.rows("u-00000")) == copied
    assert made.sidecar("made")
    assert len(list(tmp_path.glob("*.tar"))) == 2, "nobody's place points into what the other wrote"


def test_a_pack_in_another_order_replaces_nobody_s_bytes(tmp_path):
    folder = Folder(root=tmp_path, fingerprint="f")
    packing.commit_pack(make_packing(folder), ONE_WAY)
    copied = list(folder.rows("u-00000"))
    folder.path("u-00000", "json").unlink()

    packing.commit_pack(make_packing(folder), THE_OTHER)

    expected = {"a1": b"a", "b1": b"b"}
    assert read_all(folder, copied) == read_all(folder, folder.rows("u-00000")) == expected
    assert {row["pack"] for row in copied} != {row["pack"] for row in folder.rows("u-00000")}


@pytest.mark.parametrize(
    ("lost", "again", "stays"),
    [
        ("tar", ONE_WAY, True),
        ("tar", THE_OTHER, False),
        ("tar", replace(ONE_WAY, found=(*ONE_WAY.found, Found("bad", "u"))), False),
        ("json", ONE_WAY, False),
    ],
    ids=["the same", "another order", "another outcome", "not known"],
)
def test_what_was_made_of_a_ledger_is_forgotten_where_that_changes(tmp_path, lost, again, stays):
    folder, made = (
        Folder(root=tmp_path, fingerprint="f"),
        Folder(root=tmp_path / "m", fingerprint="m"),
    )
    packing.commit_pack(make_packing(folder), ONE_WAY)
    made.commit_sidecar("made", counts={}, seconds={})
    (pack_of(folder, "u-00000") if lost == "tar" else folder.path("u-00000", "json")).unlink()

    packing.commit_pack(make_packing(folder, made_of_it=(made,)), again)

    assert (made.sidecar("made") is not None) is stays


def test_a_unit_that_kept_no_image_needs_no_pack(tmp_path):
    folder = Folder(root=tmp_path, fingerprint="f")
    unit = PackUnit("missing0-00000", "", (Found("a", reason="not_found"),))
    packing.commit_pack(make_packing(folder), unit)
    folder.commit_sidecar(packing.ALL_PACKS, counts={"units": [unit.name]}, seconds={})
    assert not packing.is_pending(folder)


def resource(offset, **fields):
    about = {"unit": "u", "kind": "response", "content": "image", "status": 200, "location": ""}
    return Resource(**{**about, "offset": offset, "digest": "", "fetched": "", **fields})


HELD = [
    ("url:direct", resource(1)),
    ("url:moved", resource(2, status=301, location="direct")),
    ("url:moved twice", resource(3, status=301, location="moved")),
    ("url:again", resource(4, kind="revisit", refers_to="direct")),
    ("url:again by digest", resource(5, kind="revisit", digest="A", refers_to="direct")),
    ("url:again elsewhere", resource(6, kind="revisit", digest="B", refers_to="direct")),
    ("url:again nowhere", resource(7, kind="revisit", digest="B", refers_to="gone")),
    ("digest:A", resource(8)),
]


@pytest.mark.beam
def test_searches_follow_redirects_and_revisits_to_their_ends():
    names = [key.removeprefix("url:") for key, _ in HELD if key.startswith("url:")]

    def graph(pipeline):
        chases = pipeline | beam.Create([Chase(name, f"url:{name}") for name in [*names, "gone"]])
        held = pipeline | "Held" >> beam.Create(HELD)
        found = packing.follow(chases, held, hop, joins=4, max_redirects=1)
        assert_that(
            found,
            equal_to(
                [
                    Found("direct", "u", 1),
                    Found("moved", "u", 1),
                    Found("moved twice", reason="too_many_redirects"),
                    Found("again", "u", 1),
                    Found("again by digest", "u", 8),
                    Found("again elsewhere", "u", 1),
                    Found("again nowhere", reason="revisit_not_in_archive"),
                    Found("gone", reason="not_in_archive"),
                ]
            ),
        )

    runners.run(Runner(), graph)


@pytest.mark.beam
def test_a_search_that_runs_out_of_joins_says_so():
    def graph(pipeline):
        chases = pipeline | beam.Create([Chase("o", "url:o", 1), Chase("p", "url:p")])
        held = pipeline | "Held" >> beam.Create(HELD)
        found = packing.follow(chases, held, hop, joins=0, max_redirects=1)
        ends = [Found("o", reason="too_many_redirects"), Found("p", reason="not_found")]
        assert_that(found, equal_to(ends))

    runners.run(Runner(), graph)
