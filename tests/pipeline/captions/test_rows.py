import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError
from openm3w.pipeline.captions import rows
from openm3w.pipeline.captions.build import make_plan
from openm3w.pipeline.captions.lookup import look_in_folders
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.captions.rows import commit_table, image_key
from openm3w.pipeline.captions.select import split_group
from openm3w.pipeline.images.resolve import Found
from openm3w.shards.document import make_doc_id


@pytest.fixture
def pairs(tmp_path):
    """`pairs(table_rows, "a.b=c")`: the pairs that a table's unit commits, and its counts."""

    def make(table_rows, *overrides):
        table = tmp_path / "t.jsonl"
        table.write_text("".join(json.dumps(row) + "\n" for row in table_rows))
        plan = make_plan(
            load(overrides=overrides), [str(table)], tmp_path / "out", image_places=[str(tmp_path)]
        )
        commit_table(plan, plan.tables[0])
        sidecar = plan.folder("rows").sidecar(plan.units[0])
        found = [pair for block in rows.blocks(plan) for pair in plan.folder("rows").rows(block)]
        return found, sidecar["counts"]

    return make


@pytest.mark.parametrize(
    ("caption", "reason"),
    [("four", "short_caption"), ("fifth", ""), ("x" * 1000, ""), ("x" * 1001, "long_caption")],
)
def test_bounds_of_captions_are_inclusive(pairs, caption, reason):
    _, counts = pairs([{"url": "a.jpg", "text": caption}])

    assert counts["stages"][1]["dropped"] == ({reason: 1} if reason else {})


def test_no_upper_bound_where_it_is_zero(pairs):
    assert (
        len(
            pairs(
                [{"url": "a.jpg", "text": "x" * 5000}], 'profile_set=["captions.max_characters=0"]'
            )[0]
        )
        == 1
    )


def test_the_first_caption_has_the_rows_own_id_however_many_are_taken(pairs):
    table = [
        {"image": "a.jpg", "captions": ["the first", "the second"]},
        {"image": "b.jpg", "captions": ["the other"]},
    ]

    every, _ = pairs(table)
    first, _ = pairs(table, "captions.take=first")

    assert [pair["caption"] for pair in every] == ["the first", "the second", "the other"]
    assert [pair["caption"] for pair in first] == ["the first", "the other"]
    assert [pair["doc_id"] for pair in first] == [make_doc_id("", "t.jsonl", row) for row in (0, 1)]
    assert {pair["doc_id"] for pair in first} < {pair["doc_id"] for pair in every}
    assert len({pair["doc_id"] for pair in every}) == 3


def test_blocks_hold_at_most_their_size_and_lose_no_pair(pairs, monkeypatch):
    monkeypatch.setattr(rows, "MAX_PAIRS", 4)

    found, counts = pairs([{"url": f"{n}.jpg", "text": f"caption {n}"} for n in range(9)])

    assert len(counts["blocks"]) == 3
    assert [pair["row"] for pair in found] == list(range(9))


def test_a_table_without_pairs_has_no_block(pairs):
    assert pairs([{"url": "a.jpg", "text": ""}])[1]["blocks"] == []


@pytest.mark.parametrize(
    ("url", "image", "group"),
    [
        ("http://img.bbc.co.uk/a.jpg", "|http://img.bbc.co.uk/a.jpg", "bbc.co.uk"),
        ("", "scope|d/a.jpg", "d/a.jpg"),
    ],
)
def test_what_stays_in_one_split_is_the_domain_or_the_image(url, image, group):
    assert split_group({"url": url, "image": image}) == group


def test_spellings_of_an_image_are_looked_up_once():
    assert image_key("HTTP://X.org/a.jpg#1", "") == image_key("http://x.org/a.jpg", "")
    assert image_key("./a.jpg", "s") == "s|a.jpg"


@pytest.mark.parametrize(
    ("score", "reason"),
    [(0.28, ""), (0.279, "low_similarity"), (None, "no_score"), ("high", "no_score")],
)
def test_a_profile_judges_the_scores_of_a_table(pairs, score, reason):
    table = [{"url": "a.jpg", "text": "a caption", "similarity": score}]

    _, counts = pairs(table, "profile=laion")

    assert counts["stages"][1]["dropped"] == ({reason: 1} if reason else {})


ENGLISH, GERMAN = "A black dog runs over the grass.", "Ein schwarzer Hund läuft über das Gras."


@pytest.mark.parametrize(
    ("profile", "dropped"),
    [
        ("captions", {}),
        ("laion", {"wrong_language": 2}),
        ("coyo", {"wrong_language": 2}),
        ("datacomp", {"wrong_language": 2}),
    ],
)
def test_english_captions_are_chosen_where_the_corpus_did(pairs, profile, dropped):
    # The last has no letters, and so no language.
    table = [{"url": "a.jpg", "text": text} for text in (ENGLISH, GERMAN, "2019 - 2020 - 2021")]

    found, counts = pairs(table, f"profile={profile}")

    assert counts["stages"][1]["dropped"] == dropped
    assert len(found) == 3 - sum(dropped.values())


def test_a_caption_of_names_is_less_sure_than_a_sentence(pairs):
    table = [{"url": "a.jpg", "text": text} for text in (ENGLISH, "Canon EOS 5D Mark III")]

    found, counts = pairs(table, 'profile_set=["language=en", "min_language_score=0.65"]')

    assert [pair["caption"] for pair in found] == [ENGLISH]
    assert counts["stages"][1]["dropped"] == {"uncertain_language": 1}


def test_scores_are_kept_under_the_name_of_what_was_measured(pairs):
    table = [
        {
            "url": "a.jpg",
            "text": "a caption",
            "similarity": 0.31,
            "pwatermark": 1,
            "punsafe": None,
            "mood": 3.0,
        }
    ]

    (pair,), _ = pairs(table)

    assert json.loads(pair["scores"]) == {"similarity_b32": 0.31, "watermark": 1.0}


def test_the_named_similarity_goes_before_laions_which_names_no_model(pairs):
    table = [
        {"url": "a.jpg", "text": "a caption", "similarity": 0.1, "clip_similarity_vitb32": 0.3}
    ]

    (pair,), _ = pairs(table, "profile=laion")

    assert json.loads(pair["scores"]) == {"similarity_b32": 0.3}


def test_rows_of_a_table_elsewhere_are_counted_and_looked_up_in_no_folder(
    tmp_path, memory_files, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "near.csv").write_text("url,text\nhttp://x.org/a.jpg,a caption near\n")
    far = memory_files.put("far.csv", b"url,text\nhttp://x.org/a.jpg,a caption far\nx,y,z\n")

    plan = make_plan(
        load(overrides=("images.source=http", "fetch.manners.contact=me@site.example")),
        ["near.csv", far],
        tmp_path / "out",
    )
    for table in plan.tables:
        commit_table(plan, table)

    found = [pair for block in rows.blocks(plan) for pair in plan.folder("rows").rows(block)]
    assert [pair["caption"] for pair in found] == ["a caption far", "a caption near"]
    scopes = [pair["image"].partition("|")[0] for pair in found]
    assert scopes == ["elsewhere", plan.places[0].unit]
    counts = plan.folder("rows").sidecar(plan.units[0])["counts"]
    assert counts["stages"][0]["failed"] == {"wrong_number_of_fields": 1}
    assert counts["notes"] == ["row 2: wrong_number_of_fields: found 3, expected 2"]


def test_pictures_that_came_beside_a_table_are_looked_up_for_its_rows(tmp_path, image_bytes):
    table = tmp_path / "t.csv"
    table.write_text("url,text\na.jpg,a caption\nb.jpg,another caption\n")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(image_bytes(64, 64, "JPEG"))
        plan = make_plan(load(), [str(table)], tmp_path / name[0], store=tmp_path / "store.work")
        for unit in plan.folder("rows").pending(plan.units):
            assert unit == plan.tables[0].source.unit
            commit_table(plan, plan.tables[0])
        (block,) = rows.blocks(plan)
        found = [pair["image"] for pair in plan.folder("rows").rows(block)]
        assert look_in_folders(found[0], plan.places) == Found(found[0], plan.places[0].unit)


def test_a_table_elsewhere_needs_images_or_the_web(tmp_path, memory_files):
    far = memory_files.put("far.csv", b"url,text\na.jpg,a caption\n")

    with pytest.raises(InputError, match=r"far\.csv: no images are beside .* --images.* --fetch"):
        make_plan(load(), [far], tmp_path / "out")

    plan = make_plan(load(), [far], tmp_path / "out", image_places=[str(tmp_path)])
    assert plan.scope_of(plan.tables[0]) == ""


def test_rows_that_damage_took_are_counted_each(tmp_path):
    path = tmp_path / "t.parquet"
    table = pa.table({"url": [f"{n}.jpg" for n in range(1000)], "text": ["a caption"] * 1000})
    pq.write_table(table, path, compression="none", use_dictionary=False, row_group_size=500)
    plan = make_plan(load(), [str(path)], tmp_path / "out")
    data = bytearray(path.read_bytes())
    at = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data[at : at + 100] = b"\xff" * 100
    path.write_bytes(data)

    commit_table(plan, plan.tables[0])

    counts = plan.folder("rows").sidecar(plan.units[0])["counts"]
    assert (counts["stages"][0]["entered"], counts["stages"][0]["kept"]) == (1000, 500)
    assert counts["stages"][0]["failed"] == {"damaged_file": 500}
    assert counts["notes"][0].startswith("rows 501 to 1000: damaged_file")


def test_user_names_and_passwords_are_not_published_and_lead_to_the_image(pairs):
    found, _ = pairs(
        [
            {
                "url": "http://me:word@a.example/x.jpg?by=you@b.example",
                "text": "a caption",
                "page_url": "https://me:word@a.example/",
            },
            {"url": "me@home.jpg", "text": "a caption"},
        ]
    )

    assert [pair["url"] for pair in found] == ["http://a.example/x.jpg?by=you@b.example", ""]
    assert found[0]["page"] == "https://a.example/"
    assert "me:word@a.example" in found[0]["image"]
    assert found[1]["image"].endswith("|me@home.jpg")
