import hashlib
import json

import pytest
from foreign_forms import encoded, outcomes, samples_of, write_lines, write_tar

from openm3w.errors import InputError, OutputError
from openm3w.shards import manifest
from openm3w.shards.interop.formats import FORMATS
from openm3w.shards.interop.order import Order
from openm3w.shards.verify import verify


def document(number=0, *, images=1, **rest):
    return {
        "url": f"https://a.example/{number}",
        "text_list": [f"Sentence {number}."],
        "image_info": [
            {"image_name": f"{number}-{at}.jpg", "raw_url": f"https://i.example/{number}/{at}",
             "matched_text_index": 0, "matched_sim": 0.3}
            for at in range(images)
        ],
        "similarity_matrix": [[0.3]] * images,
        **rest,
    }  # fmt: skip


@pytest.fixture
def pictures(tmp_path, teal):
    """A folder with `0-0.jpg` to `4-0.jpg`, and damaged ones for the fifth document."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}-0.jpg").write_bytes(teal)
    (folder / "5-0.jpg").write_bytes(teal[:-300])
    (folder / "5-1.jpg").write_bytes(b"<html>")
    return folder


def test_every_row_and_every_image_has_one_outcome(tmp_path, imported, pictures):
    lines = [
        document(0), document(1, images=2), document(5, images=2), {"url": "no lists"},
        document(2, text_list=[], image_info=[]), document(3, image_info=[{"x": 1}]),
    ]  # fmt: skip
    table = write_lines(tmp_path / "a.jsonl", *lines)
    table.write_bytes(table.read_bytes() + b"{not json\n\n[1]\n")
    made = imported("mmc4", table, images=[pictures])
    assert outcomes(made) == {
        "rows": {"kept": 3, "empty": 1, "malformed": 2, "not_json": 2},
        "images": {"kept": 2, "no_bytes": 1, "undecodable": 2},
    }
    for stage in made.manifest.counts["stages"]:
        lost = sum(stage["dropped"].values()) + sum(stage["failed"].values())
        assert stage["entered"] == stage["kept"] + lost
    assert verify([manifest.load(tmp_path / "out")[0]]).faults == []


@pytest.mark.parametrize(("least", "kept"), [(0, 3), (1, 2), (2, 0)])
def test_documents_with_too_few_images_are_left_out(tmp_path, imported, pictures, least, kept):
    table = write_lines(tmp_path / "a.jsonl", document(0), document(1), document(9))
    if not kept:
        with pytest.raises(InputError, match=r"nothing was kept: 3 rows \(too_few_images 3"):
            imported("mmc4", table, images=[pictures], min_images=least)
        assert not (tmp_path / "out").exists()
        return
    made = imported("mmc4", table, images=[pictures], min_images=least)
    assert made.manifest.nsamples == kept
    expected = {"kept": 2, "no_bytes": 1}
    assert outcomes(made)["images"] == expected


def test_a_document_that_is_left_out_takes_its_good_images_with_it(tmp_path, imported, pictures):
    table = write_lines(tmp_path / "a.jsonl", document(0), document(1, images=2))
    (pictures / "0-1.jpg").write_bytes((pictures / "0-0.jpg").read_bytes())
    table = write_lines(tmp_path / "a.jsonl", document(0, images=2), document(1))
    made = imported("mmc4", table, images=[pictures], min_images=2)
    assert outcomes(made)["images"] == {"kept": 2, "document_dropped": 1}


@pytest.mark.parametrize(("count", "reason"), [(1000, None), (1001, "too_many_images")])
def test_a_document_may_name_a_thousand_images(tmp_path, imported, count, reason):
    table = write_lines(tmp_path / "a.jsonl", document(0), document(1, images=count))
    made = imported("mmc4", table)
    rows, images = outcomes(made)["rows"], outcomes(made)["images"]
    assert rows == ({"kept": 1, reason: 1} if reason else {"kept": 2})
    assert images["no_bytes" if reason is None else "document_dropped"] >= count


def tree(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_equal_sources_elsewhere_give_equal_bytes(tmp_path, imported, pictures):
    for folder in ("here", "there/deep"):
        (tmp_path / folder).mkdir(parents=True)
        write_lines(tmp_path / folder / "a.jsonl", document(0), document(1))
        write_lines(tmp_path / folder / "val-1.jsonl", document(2))
    one = imported("mmc4", tmp_path / "here", images=[pictures], output="one")
    two = imported("mmc4", tmp_path / "there/deep", images=[pictures], output="two")
    assert tree(one.manifest.root) == tree(two.manifest.root)
    assert [(it.split, it.nsamples) for it in one.manifest.shards] == [("train", 2), ("val", 1)]


def test_shards_are_as_full_as_they_may_be(tmp_path, imported):
    lines = [document(number, image_info=[]) for number in range(5)]
    table = write_lines(tmp_path / "a.jsonl", *lines)
    made = imported("mmc4", table, samples_per_shard=2)
    assert [shard.nsamples for shard in made.manifest.shards] == [2, 2, 1]
    assert [sample.document.url for sample in samples_of(made)] == [it["url"] for it in lines]


def test_the_same_again_finds_it_done_and_another_is_refused(tmp_path, imported):
    table = write_lines(tmp_path / "a.jsonl", document(0, image_info=[]))
    first = imported("mmc4", table)
    again = imported("mmc4", table)
    assert (first.already_done, again.already_done) == (False, True)
    assert again.manifest.counts == first.manifest.counts
    write_lines(table, document(1, image_info=[]))
    with pytest.raises(OutputError, match="holds another dataset; choose another --output"):
        imported("mmc4", table)


def test_nothing_is_left_where_a_source_is_damaged(tmp_path, imported):
    write_lines(tmp_path / "a.jsonl", document(0, image_info=[]))
    (tmp_path / "b.jsonl.gz").write_bytes(b"\x1f\x8b\x08 no gzip")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"b\.jsonl\.gz: damaged, or cannot be read"):
        imported("mmc4", tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz")
    assert sorted(tmp_path.iterdir()) == before


def test_text_takes_no_images(tmp_path, imported):
    value = {"text": "Words.", "id": "1", "media": [{"type": 0, "url": "https://a.example/i"}]}
    bare = {"text": "", "id": "2", "media": [{"type": 0, "url": "https://a.example/i"}]}
    made = imported("datatrove", write_lines(tmp_path / "a.jsonl", value, bare), kind="text")
    assert outcomes(made) == {
        "rows": {"kept": 1, "empty": 1},
        "images": {"kept": 0, "kind_without_images": 2},
    }


def test_ids_of_ours_are_kept_and_others_are_made_of_source_and_row(tmp_path, imported):
    lines = [{"text": "a", "id": "0123456789abcdef" * 2}, {"text": "b", "id": "row-2"},
             {"text": "c", "id": "row-2"}, {"text": "d"}, {"text": "e"}]  # fmt: skip
    made = imported("datatrove", write_lines(tmp_path / "a.jsonl", *lines), kind="text")
    keys = [sample.key for sample in samples_of(made)]
    assert keys[0] == "0123456789abcdef" * 2
    assert len(set(keys)) == 4
    assert outcomes(made)["rows"] == {"kept": 4, "duplicate_id": 1}


@pytest.mark.parametrize("per_shard", [1, 10])
def test_keys_of_img2dataset_are_no_ids_even_where_they_look_like_ours(
    tmp_path, imported, teal, per_shard
):
    key = "0123456789abcdef" * 2
    for name in ("a", "b"):
        write_tar(tmp_path / f"set/{name}.tar", {f"{key}.jpg": teal, f"{key}.txt": b"c"})
    made = imported("img2dataset", tmp_path / "set", samples_per_shard=per_shard)
    samples = samples_of(made)
    assert len({sample.key for sample in samples} - {key}) == 2
    assert {sample.document.provenance.record_id for sample in samples} == {key}
    assert verify([manifest.load(tmp_path / "out")[0]]).faults == []


@pytest.mark.parametrize("per_shard", [1, 10])
def test_an_id_that_was_given_before_is_a_duplicate_however_it_was_given(
    tmp_path, imported, per_shard
):
    ours = "0123456789abcdef" * 2
    lines = [{"text": "a", "id": ours},
             {"text": "b", "id": ours, "metadata": {"openm3w": {"doc_id": "not of our form"}}},
             {"text": "c", "id": "x", "metadata": {"openm3w": {"doc_id": ours}}}]  # fmt: skip
    table = write_lines(tmp_path / "a.jsonl", *lines)
    made = imported("datatrove", table, kind="text", samples_per_shard=per_shard)
    assert outcomes(made)["rows"] == {"kept": 1, "duplicate_id": 2}


def test_an_import_whose_shards_are_gone_is_not_done(tmp_path, imported):
    table = write_lines(tmp_path / "a.jsonl", document(0, image_info=[]))
    first = imported("mmc4", table)
    (first.manifest.root / first.manifest.shards[0].url).unlink()
    with pytest.raises(OutputError, match="choose another --output"):
        imported("mmc4", table)


def test_numbers_that_json_does_not_have_stop_nothing(tmp_path, imported, teal):
    about = b'{"url": "https://a.example/", "caption": "c", "score": Infinity, "big": 1e999}'
    members = {"0.jpg": teal, "0.txt": b"c", "0.json": about}
    (sample,) = samples_of(imported("img2dataset", write_tar(tmp_path / "a.tar", members)))
    assert sample.extra == {"score": None, "big": None}


@pytest.mark.parametrize("number", ["NaN", "1e999", '"high"', "true"])
def test_scores_that_are_no_numbers_fail_their_row_alone(tmp_path, imported, number):
    lines = [
        f'{{"text": "a", "id": "{letter}", "metadata": {{"openm3w": '
        f'{{"doc_id": "{letter * 32}", "scores": {{"quality": {value}}}}}}}}}'
        for letter, value in (("a", number), ("b", "0.5"))
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    made = imported("datatrove", tmp_path / "a.jsonl", kind="text")
    assert outcomes(made)["rows"] == {"kept": 1, "malformed": 1}
    (sample,) = samples_of(made)
    assert (sample.key, sample.document.scores) == ("b" * 32, {"quality": 0.5})


def test_lone_surrogates_and_controls_of_the_web_come_through(tmp_path, imported):
    text = "a\\ud800b\\u0000c \\u202e"
    (tmp_path / "a.jsonl").write_text(f'{{"text": "{text}", "id": "1"}}\n')
    (sample,) = samples_of(imported("datatrove", tmp_path / "a.jsonl", kind="text"))
    assert sample.document.texts == ("a?b\x00c \u202e",)


def test_an_order_of_a_kind_that_the_format_lacks_is_refused(tmp_path):
    with pytest.raises(ValueError, match="obelics has no caption samples"):
        Order(format=FORMATS["obelics"], sources=[], output=tmp_path, name="x", kind="caption")


def test_deep_json_is_a_row_that_failed(tmp_path, imported):
    deep = "[" * 100_000
    good = json.dumps({"text": "a", "id": "1"})
    (tmp_path / "a.jsonl").write_text(f'{{"text": {deep}\n{good}\n')
    made = imported("datatrove", tmp_path / "a.jsonl", kind="text")
    assert outcomes(made)["rows"] == {"kept": 1, "not_json": 1}


def test_images_other_than_jpeg_are_counted_as_kept_and_stored_as_jpeg(tmp_path, imported):
    members = {"a.json": json.dumps({"texts": [None], "images": ["webp"]}).encode(),
               "a.webp": encoded("WEBP")}  # fmt: skip
    (sample,) = samples_of(imported("energon", write_tar(tmp_path / "a.tar", members)))
    assert sample.images[0][:2] == b"\xff\xd8"
