"""Small samples in the official schemas, written by hand: what of them comes where."""

import base64
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign_forms import encoded, outcomes, samples_of, write_lines, write_tar
from PIL import Image as PillowImage

from openm3w.errors import InputError
from openm3w.shards import reader
from openm3w.shards.document import Image, Provenance, Text, make_doc_id
from openm3w.shards.energon import Listed, write_meta
from openm3w.shards.interop.exporting import export_dataset
from openm3w.shards.interop.formats import FORMATS

PAGE = "https://tram.example/lines"
RED = "https://img.tram.example/red-tram_7.jpg"
MAP = "https://img.tram.example/map.png"


@pytest.fixture
def fetched(tmp_path, teal):
    """Both pictures as img2dataset keeps them."""
    about = {"status": "success", "sha256": "of the file as it was fetched"}
    return write_tar(
        tmp_path / "fetched/00000.tar",
        {
            "000000000.jpg": teal,
            "000000000.json": json.dumps({"url": RED, **about}).encode(),
            "000000001.png": encoded("PNG"),
            "000000001.json": json.dumps({"url": MAP, **about}).encode(),
        },
    )


def obelics_value():
    about = {
        "document_url": PAGE,
        "unformatted_src": "/red-tram_7.jpg",
        "src": RED,
        "formatted_filename": "red tram 7",
        "alt_text": "A red tram",
        "rendered_width": 300,
        "rendered_height": 200,
        "original_width": 600,
        "original_height": 400,
        "format": "jpeg",
    }
    general = {
        "url": PAGE,
        "warc_filename": "crawl-data/CC-MAIN-2021-10/segments/1/warc/CC-MAIN-0001.warc.gz",
        "warc_record_offset": 322560850,
        "warc_record_length": 17143,
    }
    return {
        "images": [RED, None, MAP],
        "metadata": json.dumps([about, None, {"src": MAP}]),
        "general_metadata": json.dumps(general),
        "texts": [None, "Line 7 runs.\n\nDaily.", None],
    }


def parquet(path, *values, schema=None):
    pq.write_table(pa.Table.from_pylist(list(values), schema=schema), path)
    return path


def test_obelics(tmp_path, imported, fetched, teal):
    table = parquet(tmp_path / "train-00000-of-00001.parquet", obelics_value())
    made = imported("obelics", table, images=[fetched.parent])
    (sample,) = samples_of(made)
    document = sample.document
    red, words, plan = document.spans
    assert (red.url, red.alt, red.declared_width, red.declared_height) == (
        RED, "A red tram", 300, 200,
    )  # fmt: skip
    assert words == Text(text="Line 7 runs.\n\nDaily.")
    assert (document.url, document.doc_id) == (PAGE, make_doc_id("", table.name, 0))
    assert document.provenance == Provenance(
        source="crawl-data/CC-MAIN-2021-10/segments/1/warc/CC-MAIN-0001.warc.gz",
        offset=322560850,
        length=17143,
        crawl="CC-MAIN-2021-10",
    )
    assert sample.images[0] == teal  # kept byte for byte
    assert (red.content.original_width, red.content.original_format) == (600, "jpeg")
    assert (plan.content.original_width, plan.content.original_format) == (60, "png")
    assert outcomes(made) == {"rows": {"kept": 1}, "images": {"kept": 2}}


def test_obelics_again_differs_in_what_we_have_no_place_for(tmp_path, imported, fetched):
    table = parquet(tmp_path / "train-0.parquet", obelics_value())
    made = imported("obelics", table, images=[fetched.parent])
    export_dataset(made.manifest, FORMATS["obelics"], tmp_path / "again")
    (value,) = pq.read_table(tmp_path / "again/data/train-000000.parquet").to_pylist()
    before = obelics_value()
    assert (value["images"], value["texts"]) == (before["images"], before["texts"])
    general = json.loads(value["general_metadata"])
    assert {name: general[name] for name in json.loads(before["general_metadata"])} == json.loads(
        before["general_metadata"]
    )
    (old, _, _), (new, none, _) = json.loads(before["metadata"]), json.loads(value["metadata"])
    assert none is None
    assert {name for name in old if old[name] != new[name]} == {"unformatted_src"}


def test_images_that_nobody_has_are_dropped_and_the_rest_stays(tmp_path, imported):
    made = imported("obelics", parquet(tmp_path / "a.parquet", obelics_value()))
    (sample,) = samples_of(made)
    assert sample.document.spans == (Text(text="Line 7 runs.\n\nDaily."),)
    assert outcomes(made)["images"] == {"kept": 0, "no_bytes": 2}


MMC4 = {
    "url": PAGE,
    "text_list": ["First sentence.", "Second one.", "Third."],
    "image_info": [
        {"image_name": "b9040a0dbb22.jpg", "raw_url": RED, "matched_text_index": 2,
         "matched_sim": 0.277, "face_detections": None},
        {"image_name": "db1c21bc8474.png", "raw_url": MAP, "matched_text_index": 1,
         "matched_sim": 0.323, "face_detections": None},
    ],
    "similarity_matrix": [[0.24, 0.31, 0.277], [0.22, 0.323, 0.26]],
    "could_have_url_duplicate": 0,
}  # fmt: skip


def test_mmc4_places_images_before_their_sentences(tmp_path, imported, teal):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "b9040a0dbb22.jpg").write_bytes(teal)
    (folder / "db1c21bc8474.png").write_bytes(encoded("PNG"))
    archive = tmp_path / "docs_no_face_shard_0_v2.jsonl.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("docs_no_face_shard_0_v2.jsonl", json.dumps(MMC4) + "\n")
    made = imported("mmc4", archive, images=[folder])
    (sample,) = samples_of(made)
    read = [
        span.text if isinstance(span, Text) else (span.url, dict(span.scores))
        for span in sample.document.spans
    ]
    assert read == [
        "First sentence.",
        (MAP, {"assigned_similarity": 0.323}),
        "Second one.",
        (RED, {"assigned_similarity": 0.277}),
        "Third.",
    ]
    assert made.manifest.models["assigned_similarity"]["id"] == "CLIP ViT-L/14"

    export_dataset(made.manifest, FORMATS["mmc4"], tmp_path / "again")
    value = json.loads((tmp_path / "again/data/train-000000.jsonl").read_text(encoding="utf-8"))
    assert (value["text_list"], value["url"]) == (MMC4["text_list"], PAGE)
    # In the order of the text; of the similarities only those that were matched are known.
    assert [(it["raw_url"], it["matched_text_index"], it["matched_sim"], it["face_detections"])
            for it in value["image_info"]] == [(MAP, 1, 0.323, None), (RED, 2, 0.277, None)]  # fmt: skip
    assert value["similarity_matrix"] == [[0, 0.323, 0], [0, 0, 0.277]]


def test_mmc4_with_images_in_base64_as_openflamingo_converts_it(tmp_path, imported, teal):
    info = {**MMC4["image_info"][0], "image_base64": base64.b64encode(teal).decode()}
    (sample,) = samples_of(
        imported("mmc4", write_lines(tmp_path / "a.jsonl", {**MMC4, "image_info": [info]}))
    )
    assert sample.images == (teal,)


@pytest.mark.parametrize("index", [-1, 3, 1.0, True, None])
def test_mmc4_refuses_what_is_no_index_of_its_text(tmp_path, imported, index):
    bad = {**MMC4, "image_info": [{**MMC4["image_info"][0], "matched_text_index": index}]}
    made = imported("mmc4", write_lines(tmp_path / "a.jsonl", bad, {**MMC4, "image_info": []}))
    assert outcomes(made)["rows"] == {"kept": 1, "malformed": 1}


def test_mint1t_html(tmp_path, imported, fetched):
    value = {
        "images": [None, RED],
        "texts": ["Trams.", None],
        "metadata": json.dumps([None, {"src": RED, "alt_text": "A tram", "original_width": 900}]),
        "url": PAGE,
        "image_hashes": ["not-a-hash-we-know"],
        "images_metadata": [None],
        "cc_dump": "CC-MAIN-2017-22",
    }
    made = imported("mint1t-html", parquet(tmp_path / "a.parquet", value), images=[fetched])
    (sample,) = samples_of(made)
    assert [type(span) for span in sample.document.spans] == [Text, Image]
    assert sample.document.provenance.crawl == "CC-MAIN-2017-22"
    assert sample.document.provenance.source == "a.parquet"
    (image,) = sample.document.images
    assert (image.alt, image.content.original_width) == ("A tram", 900)


def tiff(*colours):
    frames = [PillowImage.new("RGB", (50, 30), colour) for colour in colours]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def test_mint1t_pdfs_take_the_frames_in_order(tmp_path, imported):
    key = "ef8e1a893ecf4e089f2358ab3ad0e87b"
    value = {
        "bff_contained_ngram_count_before_dedupe": 29,
        "image_metadata": [
            {"height": 300, "width": 500, "page": 0, "sha256": "0" * 64, "xref": 85},
            {"height": 30, "width": 50, "page": 5, "sha256": "1" * 64, "xref": 131},
        ],
        "images": ["page_0_image_85", None, "page_5_image_131"],
        "texts": [None, "A report.", None],
        "language_id_whole_page_fasttext": {"de": 0.1, "en": 0.83},
        "pdf_name": "report.pdf",
        "previous_word_count": 2,
        "url": "https://reports.example/report.pdf",
    }
    tar = write_tar(
        tmp_path / "CC-MAIN-0.tar",
        {f"{key}.json": json.dumps(value).encode(), f"{key}.tiff": tiff("red", "blue")},
    )
    made = imported("mint1t-pdf", tar)
    (sample,) = samples_of(made)
    assert sample.key == key
    assert (sample.document.signals.language, sample.document.signals.language_score) == (
        "en",
        0.83,
    )
    first, second = (PillowImage.open(io.BytesIO(data)).getpixel((9, 9)) for data in sample.images)
    assert first[0] > 200 > 50 > first[2]
    assert second[2] > 200 > 50 > second[0]
    content = sample.document.images[0].content
    assert (content.width, content.original_width, content.original_format) == (50, 500, "tiff")


def test_a_tiff_with_fewer_frames_than_images_gives_those_that_it_has(tmp_path, imported):
    value = {"texts": [None, "Words.", None], "images": ["a", None, "b"]}
    members = {"k.json": json.dumps(value).encode(), "k.tiff": tiff("red")}
    made = imported("mint1t-pdf", write_tar(tmp_path / "a.tar", members))
    assert outcomes(made)["images"] == {"kept": 1, "no_bytes": 1}


def img2dataset_members(teal):
    about = {
        "caption": "a tram", "url": RED, "key": "000000000", "status": "success",
        "error_message": None, "width": 60, "height": 40, "original_width": 600,
        "original_height": 400, "exif": "{}", "sha256": "ab" * 32, "similarity": 0.31,
    }  # fmt: skip
    return {
        "000000000.jpg": teal,
        "000000000.txt": b"a tram",
        "000000000.json": json.dumps(about, indent=4).encode(),
    }


def test_img2dataset_in_tar_files_and_in_folders_is_the_same(tmp_path, imported, teal):
    members = img2dataset_members(teal)
    write_tar(tmp_path / "tars/00000.tar", members)
    (tmp_path / "tars/00000_stats.json").write_text("{}")
    folder = tmp_path / "files/00000"
    folder.mkdir(parents=True)
    for name, data in members.items():
        (folder / name).write_bytes(data)
    (tmp_path / "files/00000.parquet").write_bytes(b"not read")
    (one,) = samples_of(imported("img2dataset", tmp_path / "tars", output="a"))
    (two,) = samples_of(imported("img2dataset", tmp_path / "files", output="b"))
    assert (
        (one.images, one.extra)
        == (two.images, two.extra)
        == (
            (teal,),
            {"similarity": 0.31, "sha256": "ab" * 32},
        )
    )
    image, caption = one.document.spans
    assert (image.url, caption.text) == (RED, "a tram")
    assert (image.content.original_width, image.content.num_bytes) == (600, len(teal))
    assert one.document.provenance == Provenance(source="00000.tar", record_id="000000000")
    assert (one.key, two.key) == (make_doc_id("", "00000.tar", 0), make_doc_id("", "00000", 0))


def test_img2dataset_in_parquet_counts_what_it_failed_to_get(tmp_path, imported, teal):
    good = {"key": "000000000", "jpg": teal, "txt": "a tram", "url": RED, "status": "success",
            "width": 60.0, "similarity": float("nan")}  # fmt: skip
    bad = {"key": "000000001", "jpg": None, "txt": None, "url": MAP,
           "status": "failed_to_download", "width": None, "similarity": 0.2}  # fmt: skip
    made = imported("img2dataset", parquet(tmp_path / "00000.parquet", good, bad))
    (sample,) = samples_of(made)
    assert sample.extra == {"similarity": None}  # JSON has no NaN
    assert outcomes(made)["rows"] == {"kept": 1, "failed_to_download": 1}


def test_the_same_key_in_two_runs_of_img2dataset_is_no_duplicate(tmp_path, imported, teal):
    for run in "ab":
        write_tar(tmp_path / f"{run}/{run}.tar", img2dataset_members(teal))
    made = imported("img2dataset", tmp_path / "a", tmp_path / "b")
    assert made.manifest.nsamples == 2


def test_datatrove(tmp_path, imported, teal):
    medium = {"id": "m1", "type": 0, "url": RED, "alt": "A tram", "path": None, "offset": None,
              "length": None, "media_bytes": base64.b64encode(teal).decode(), "metadata": {}}  # fmt: skip
    value = {
        "text": "Line 7 runs.",
        "id": "<urn:uuid:6a>",
        "media": [medium, {**medium, "type": 1}],
        "metadata": {"url": PAGE, "date": "2024-01-02T03:04:05Z", "dump": "CC-MAIN-2024-10",
                     "language": "en", "language_score": 0.9, "file_path": "/data/x.warc.gz"},
    }  # fmt: skip
    (sample,) = samples_of(imported("datatrove", write_lines(tmp_path / "00000.jsonl", value)))
    document = sample.document
    # It does not say where an image stands: behind the text then. Sound and video are left out.
    assert [type(span) for span in document.spans] == [Text, Image]
    assert (document.url, document.signals.language) == (PAGE, "en")
    assert document.provenance == Provenance(
        source="00000.jsonl", record_id="<urn:uuid:6a>", crawl="CC-MAIN-2024-10",
        fetched="2024-01-02T03:04:05Z",
    )  # fmt: skip


def nemo_rows(teal, sample_id="page-1"):
    rows = [
        {"position": 1, "modality": "image", "content_type": "image/jpeg", "binary_content": teal},
        {"position": -1, "modality": "metadata", "content_type": "application/json", "url": PAGE},
        {"position": 0, "modality": "text", "content_type": "text/plain", "text_content": "Hello"},
        {"position": 2, "modality": "image", "content_type": "image/png",
         "source_ref": json.dumps({"path": "/d/fetched.tar", "member": "000000001.png"})},
    ]  # fmt: skip
    names = ("position", "modality", "content_type", "text_content", "binary_content",
             "source_ref", "materialize_error", "url")  # fmt: skip
    return [{"sample_id": sample_id, **dict.fromkeys(names), **row} for row in rows]


def test_nemo_curators_rows_are_put_in_order(tmp_path, imported, fetched, teal):
    table = parquet(tmp_path / "a.parquet", *nemo_rows(teal))
    made = imported("nemo-curator", table, images=[fetched])
    (sample,) = samples_of(made)
    assert [type(span) for span in sample.document.spans] == [Text, Image, Image]
    assert sample.images[0] == teal
    assert sample.document.images[1].content.original_format == "png"
    assert (sample.document.url, sample.document.provenance.record_id) == (PAGE, "page-1")


def test_nemo_curators_samples_that_come_twice_are_told(tmp_path, imported, teal):
    rows = [*nemo_rows(teal, "a"), *nemo_rows(teal, "b"), *nemo_rows(teal, "a")]
    made = imported("nemo-curator", parquet(tmp_path / "a.parquet", *rows))
    assert outcomes(made) == {
        "rows": {"kept": 2, "duplicate_id": 1},
        "images": {"kept": 2, "no_bytes": 2, "document_dropped": 2},
    }


def test_nemo_curators_tar_has_full_names_and_its_json_last(tmp_path, imported, teal):
    value = {"sample_id": "https://a.example/1", "texts": ["Hi", None],
             "images": [None, "https%3A%2F%2Fa.example%2F1.1.jpg"], "p_hash": "x"}  # fmt: skip
    members = {
        "https%3A%2F%2Fa.example%2F1.1.jpg": teal,
        "https%3A%2F%2Fa.example%2F1.json": json.dumps(value).encode(),
    }
    (sample,) = samples_of(imported("nemo-curator-tar", write_tar(tmp_path / "a.tar", members)))
    assert sample.images == (teal,)
    assert sample.document.provenance.record_id == "https://a.example/1"


def energon(root, teal, *, keys=("sample_000001", "sample_000002")):
    """As Energon's documentation has it: entries are what follows the key and a dot."""
    value = {"images": [None, "2345ew.jpg", None], "texts": ["Before.", None, "After."]}
    members = {}
    for key in keys:
        members |= {f"{key}.2345ew.jpg": teal, f"{key}.json": json.dumps(value).encode()}
    write_tar(root / "shards/shard_0.tar", members)
    (root / ".nv-meta").mkdir()
    (root / ".nv-meta/split.yaml").write_text(
        "exclude:\n- shards/shard_0.tar/sample_000002\n"
        "split_parts:\n  train: []\n  val:\n  - shards/shard_0.tar\n  test: []\n"
    )


def test_energons_splits_and_exclusions_are_honoured(tmp_path, imported, teal):
    energon(tmp_path / "set", teal)
    made = imported("energon", tmp_path / "set")
    (sample,) = samples_of(made)
    assert [shard.split for shard in made.manifest.shards] == ["val"]
    assert sample.images == (teal,)
    assert sample.document.provenance.record_id == "sample_000001"
    assert outcomes(made)["rows"] == {"kept": 1, "excluded": 1}


@pytest.mark.parametrize("split", ["../../evil", "a/b", "..", "a b"])
def test_a_split_of_energons_that_is_no_part_of_a_files_name_is_refused(
    tmp_path, imported, teal, split
):
    energon(tmp_path / "set", teal)
    meta = tmp_path / "set/.nv-meta/split.yaml"
    meta.write_text(f"split_parts:\n  {json.dumps(split)}:\n  - shards/shard_0.tar\n")
    with pytest.raises(InputError, match="is no name of a split"):
        imported("energon", tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("name", ["a{0,1}", "{0..3}", "a\\b"])
def test_names_in_braces_are_those_of_energons_lists(tmp_path, imported, teal, name):
    energon(tmp_path / "set", teal, keys=("0", "1"))
    (tmp_path / "set/shards/shard_0.tar").rename(tmp_path / f"set/{name}.tar")
    listed = [Listed("held", f"{name}.tar", 2)]
    write_meta(tmp_path / "set/.nv-meta", listed, "", exclude=[f"{name}.tar/1"])
    made = imported("energon", tmp_path / "set")
    assert [shard.split for shard in made.manifest.shards] == ["held"]
    assert outcomes(made)["rows"] == {"kept": 1, "excluded": 1}


def test_energons_captions_are_where_its_field_map_says(tmp_path, imported, teal):
    root = tmp_path / "set"
    about = {"said": {"en": "a tram", "de": "eine Tram"}}
    members = {"a.left.png": encoded("PNG"), "a.jpg": teal, "a.json": json.dumps(about).encode()}
    write_tar(root / "a.tar", members)
    (root / ".nv-meta").mkdir()
    (root / ".nv-meta/dataset.yaml").write_text(
        "field_map:\n  image: left.png\n  caption: json[said][de]\n"
    )
    (sample,) = samples_of(imported("energon-captioning", root))
    assert sample.document.texts == ("eine Tram",)
    assert sample.document.images[0].content.original_format == "png"


def test_our_own_shards_are_energons_too(dataset, imported):
    """Its rules take the full names of members that we write."""
    ours = dataset(sizes=[("train", 2)])
    made = imported("energon", ours.root / "data")
    before = list(reader.read_samples(ours))
    assert [sample.images for sample in samples_of(made)] == [sample.images for sample in before]
