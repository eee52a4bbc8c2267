import pytest

from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs import all_packs
from openm3w.pipeline.jobs.all_packs import ALL_PACKS
from openm3w.pipeline.jobs.grouping import PackUnit
from openm3w.pipeline.jobs.packing import commit_pack
from openm3w.pipeline.store import Folder


def test_packs_are_pending_until_their_list_and_all_on_it_are_there(tmp_path, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    assert all_packs.is_pending(folder)
    folder.commit_sidecar(ALL_PACKS, counts={"units": ["u-00000"]}, seconds={})
    assert all_packs.is_pending(folder)
    commit_pack(make_packing(folder), PackUnit("u-00000", "u", (Found("a1", "u"),)))
    assert not all_packs.is_pending(folder)
    assert all_packs.pack_units(folder) == ["u-00000"]


@pytest.mark.parametrize("lost", ["json", "tar"])
def test_a_pack_of_which_a_part_is_gone_is_made_again(tmp_path, lost, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    unit = PackUnit("u-00000", "u", (Found("a1", "u"),))
    commit_pack(make_packing(folder), unit)
    folder.commit_sidecar(ALL_PACKS, counts={"units": ["u-00000"]}, seconds={})
    pack = tmp_path / folder.sidecar(unit.name)["counts"]["pack"]
    whole = pack.read_bytes()
    (pack if lost == "tar" else folder.path("u-00000", "json")).unlink()

    assert all_packs.pending(folder) == ["u-00000"]
    commit_pack(make_packing(folder), unit)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.tar")} == {pack.name: whole}
    assert not all_packs.is_pending(folder)


def test_a_unit_that_kept_no_image_needs_no_pack(tmp_path, make_packing):
    folder = Folder(root=tmp_path, fingerprint="f")
    unit = PackUnit("missing0-00000", "", (Found("a", reason="not_found"),))
    commit_pack(make_packing(folder), unit)
    folder.commit_sidecar(ALL_PACKS, counts={"units": [unit.name]}, seconds={})
    assert not all_packs.is_pending(folder)
