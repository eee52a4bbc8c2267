import hashlib
import tarfile
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from openm3w.pipeline.images.ledger import is_decoded, original_place, stored_place
from openm3w.pipeline.images.packs import PackReader
from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.grouping import PackUnit
from openm3w.pipeline.jobs.packing import commit_pack
from openm3w.pipeline.store import Folder


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pack_of(folder, unit):
    return folder.root / folder.sidecar(unit)["counts"]["pack"]


def test_a_unit_becomes_a_pack_a_ledger_and_counts(tmp_path, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    names = ("a1", "a2", "b1", "bad_bytes", "bad_size")
    unit = PackUnit("u-00000", "u", tuple(Found(name, "u") for name in names))

    commit_pack(make_packing(folder), unit)

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


def test_an_image_that_the_floor_drops_has_its_numbers_and_no_bytes(tmp_path, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    found = (Found("unwanted", "u"), Found("bad_bytes", "u"))

    commit_pack(make_packing(folder), PackUnit("u-00000", "u", found))

    unwanted, bad = folder.rows("u-00000")
    assert (unwanted["outcome"], unwanted["reason"]) == ("dropped", "unwanted")
    assert (unwanted["pack"], unwanted["offset"], unwanted["length"]) == (None, None, 8)
    assert (unwanted["original_width"], unwanted["entropy"], unwanted["phash"]) == (4, 2, "4" * 16)
    assert (is_decoded(unwanted), is_decoded(bad)) == (True, False)
    assert b"unwanted" not in pack_of(folder, "u-00000").read_bytes()


@pytest.mark.parametrize("originals", [False, True])
def test_originals_lie_beside_what_was_made_of_them(tmp_path, originals, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    found = tuple(Found(name, "u") for name in ("a", "b", "unwanted"))

    commit_pack(make_packing(folder, originals=originals), PackUnit("u-0", "u", found))

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


def test_images_of_no_archive_have_a_ledger_and_no_pack(tmp_path, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    unit = PackUnit("missing0-00000", "", (Found("a", reason="not_found"),))

    commit_pack(make_packing(folder), unit)

    (row,) = pq.read_table(folder.path(unit.name)).to_pylist()
    assert (row["image"], row["outcome"], row["reason"]) == ("a", "dropped", "not_found")
    assert not list(tmp_path.glob("*.tar"))


ONE_WAY = PackUnit("u-00000", "u", (Found("a1", "u"), Found("b1", "u")))


THE_OTHER = replace(ONE_WAY, found=ONE_WAY.found[::-1])


def read_all(folder, rows):
    with PackReader(folder.root) as packs:
        return {row["image"]: packs.read(stored_place(row)) for row in rows}


def test_of_two_builds_at_once_that_get_a_unit_the_first_has_it(tmp_path, make_packing):
    """The second has begun before the first commits, and ends after what goes by its places."""
    folder, made = (
        Folder(root=tmp_path, fingerprint="f"),
        Folder(root=tmp_path / "m", fingerprint="m"),
    )
    copied = []

    def first():
        commit_pack(make_packing(folder), ONE_WAY)
        copied.extend(folder.rows("u-00000"))
        made.commit_sidecar("made", counts={}, seconds={})

    commit_pack(make_packing(folder, begin=first, made_of_it=(made,)), THE_OTHER)

    assert read_all(folder, copied) == {"a1": b"a", "b1": b"b"}
    assert list(folder.rows("u-00000")) == copied
    assert made.sidecar("made")
    assert len(list(tmp_path.glob("*.tar"))) == 2, "nobody's place points into what the other wrote"


def test_a_pack_in_another_order_replaces_nobody_s_bytes(tmp_path, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    commit_pack(make_packing(folder), ONE_WAY)
    copied = list(folder.rows("u-00000"))
    folder.path("u-00000", "json").unlink()

    commit_pack(make_packing(folder), THE_OTHER)

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
def test_what_was_made_of_a_ledger_is_forgotten_where_that_changes(
    tmp_path, lost, again, stays, make_packing
):
    folder, made = (
        Folder(root=tmp_path, fingerprint="f"),
        Folder(root=tmp_path / "m", fingerprint="m"),
    )
    commit_pack(make_packing(folder), ONE_WAY)
    made.commit_sidecar("made", counts={}, seconds={})
    (pack_of(folder, "u-00000") if lost == "tar" else folder.path("u-00000", "json")).unlink()

    commit_pack(make_packing(folder, made_of_it=(made,)), again)

    assert (made.sidecar("made") is not None) is stays
