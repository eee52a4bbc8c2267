"""Tables in the forms of published datasets: which columns are read, and what profiles choose."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.pipeline.captions import rows
from openm3w.pipeline.captions.build import make_plan
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.captions.rows import commit_table
from openm3w.pipeline.captions.unjudged import unjudged

URLS = [f"https://site.example/{n}.jpg" for n in range(4)]
CAPTIONS = [
    "A brown dog runs over the green grass",
    "Two people are sitting on a wooden bench",
    "The old house stands near the blue lake",
    "A red car is parked in front of the shop",
]


def table(url="url", text="caption", **columns):
    rows = [{url: u, text: c} for u, c in zip(URLS, CAPTIONS, strict=True)]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return rows


SIMILARITY = [0.35, 0.28, 0.2799, None]
LAION_400M = table(
    "URL",
    "TEXT",
    SAMPLE_ID=[1.0, 2.0, 3.0, 4.0],
    HEIGHT=[300] * 4,
    WIDTH=[300] * 4,
    LICENSE=["?"] * 4,
    NSFW=["UNLIKELY", "UNSURE", "NSFW", None],
    similarity=SIMILARITY,
)
LAION_2B = table(
    "URL",
    "TEXT",
    WIDTH=[300] * 4,
    HEIGHT=[300] * 4,
    similarity=SIMILARITY,
    hash=[1, 2, 3, 4],
    punsafe=[0.1] * 4,
    pwatermark=[0.2] * 4,
)
RELAION = table(
    key=["0", "1", "2", "3"],
    hash=[1, 2, 3, 4],
    similarity=SIMILARITY,
    pwatermark=[0.2] * 4,
    punsafe=[0.1] * 4,
    original_width=[300] * 4,
    original_height=[300] * 4,
)
COYO = table(
    text="text",
    id=[1, 2, 3, 4],
    image_phash=["a", "b", "c", "d"],
    clip_similarity_vitb32=[0.3, 0.28, 0.27, 0.3],
    clip_similarity_vitl14=[0.3] * 4,
    nsfw_score_opennsfw2=[0.1, 0.5, 0.1, 0.51],
    nsfw_score_gantman=[0.1, 0.5, 0.51, 0.1],
    watermark_score=[0.2] * 4,
    aesthetic_score_laion_v2=[5.0] * 4,
)
DATACOMP = table(
    text="text",
    uid=["a", "b", "c", "d"],
    clip_b32_similarity_score=[0.3, 0.28, 0.27, float("nan")],
    clip_l14_similarity_score=[0.3] * 4,
    face_bboxes=[[[0.1, 0.2, 0.3, 0.4]], [], [], []],
    sha256=["ab" * 32] * 4,
)
CC2DATASET = table(
    text="alt", uid=["a"] * 4, cc_filename=["x"] * 4, page_url=["http://p.example/"] * 4
)
CC3M_OF_HF = table("image_url", "caption")
CC12M_BY_IMG2DATASET = table(status=["success"] * 4, sha256=["ab" * 32] * 4)


@pytest.fixture
def build(tmp_path):
    """`build(name, data, profile)`: the pairs that a table's unit commits, its counts, its plan."""

    def make(name, data, profile="laion"):
        path = tmp_path / name
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(data), path)
        else:
            path.write_text(data)
        plan = make_plan(
            load(overrides=(f"profile={profile}",)),
            [str(path)],
            tmp_path / "out",
            image_places=[str(tmp_path)],
        )
        commit_table(plan, plan.tables[0])
        found = [pair for block in rows.blocks(plan) for pair in plan.folder("rows").rows(block)]
        sidecar = plan.folder("rows").sidecar(plan.units[0])
        assert sidecar["counts"]["stages"][0]["entered"] == len(URLS)
        return found, sidecar["counts"]["stages"][1], plan

    return make


LOW = {"low_similarity": 1, "no_score": 1}


@pytest.mark.parametrize(
    ("data", "profile", "dropped"),
    [
        (LAION_400M, "laion", LOW),
        (LAION_2B, "laion", LOW),
        (RELAION, "laion", LOW),
        (COYO, "laion", {"low_similarity": 1}),
        (DATACOMP, "laion", LOW),
        (CC3M_OF_HF, "laion", {}),
        (COYO, "coyo", {"unsafe": 2}),
        (LAION_400M, "coyo", {}),
        (DATACOMP, "coyo", {}),
        (COYO, "datacomp", {}),
        (LAION_2B, "datacomp", {}),
        (DATACOMP, "datacomp", {}),
        (CC2DATASET, "datacomp", {}),
        (CC12M_BY_IMG2DATASET, "datacomp", {}),
    ],
)
def test_profiles_choose_of_published_tables(build, data, profile, dropped):
    pairs, stage, _ = build("t.parquet", data, profile)

    assert stage["dropped"] == dropped
    assert len(pairs) == len(URLS) - sum(dropped.values())
    assert [pair["url"] for pair in pairs[:2]] == URLS[:2]
    assert [pair["caption"] for pair in pairs[:2]] == CAPTIONS[:2]


@pytest.mark.parametrize(
    ("data", "scores"),
    [
        (LAION_400M, {"nsfw_tag": 0.0, "similarity_b32": 0.35}),
        (LAION_2B, {"similarity_b32": 0.35, "unsafe": 0.1, "watermark": 0.2}),
        (RELAION, {"similarity_b32": 0.35, "unsafe": 0.1, "watermark": 0.2}),
        (
            COYO,
            {
                "similarity_b32": 0.3,
                "similarity_l14": 0.3,
                "aesthetic": 5.0,
                "watermark": 0.2,
                "nsfw_opennsfw2": 0.1,
                "nsfw_gantman": 0.1,
            },
        ),
        (DATACOMP, {"similarity_b32": 0.3, "similarity_l14": 0.3}),
        (CC2DATASET, {}),
        (CC3M_OF_HF, {}),
    ],
)
def test_columns_of_published_tables_become_scores(build, data, scores):
    pairs, _, _ = build("t.parquet", data, "datacomp")

    assert json.loads(pairs[0]["scores"]) == scores


def test_a_bound_on_a_column_that_a_dataset_does_not_have_is_told(build):
    _, _, of_cc3m = build("t.parquet", CC3M_OF_HF, "laion")
    _, _, of_laion = build("u.parquet", LAION_400M, "coyo")

    assert "the bound 0.28 of the profile laion on similarity_b32 drops nothing" in unjudged(of_cc3m)[0]  # fmt: skip
    assert sum("drops nothing there" in note for note in unjudged(of_laion)) == 2


CC3M = "".join(f"{c}\t{u}\n" for u, c in zip(URLS, CAPTIONS, strict=True))
CC12M = "".join(f"{u}\t{c}\n" for u, c in zip(URLS, CAPTIONS, strict=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Train_GCC-training.tsv", CC3M),
        ("cc12m.tsv", CC12M),
        ("cc3m.tsv", "caption\turl\n" + CC3M),
        ("cc12m.tsv", "url\tcaption\n" + CC12M),
    ],
)
def test_cc3m_and_cc12m_with_and_without_a_header(build, name, text):
    pairs, _, _ = build(name, text)

    assert [(pair["url"], pair["caption"]) for pair in pairs] == list(
        zip(URLS, CAPTIONS, strict=True)
    )


def test_csv_with_a_header_is_chosen_from_by_its_numbers(build, tmp_path):
    with (tmp_path / "made.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(LAION_400M[0]))
        writer.writeheader()
        writer.writerows(LAION_400M)

    pairs, stage, _ = build("t.csv", (tmp_path / "made.csv").read_text())

    assert stage["dropped"] == LOW
    assert json.loads(pairs[1]["scores"]) == {"nsfw_tag": 0.5, "similarity_b32": 0.28}
