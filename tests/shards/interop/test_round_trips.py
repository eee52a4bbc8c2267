"""Ours to another format and back: equal samples, and exactly what is lost where they are not."""

import dataclasses
import io
import itertools

import pytest
from PIL import Image as PillowImage
from PIL import ImageChops

from openm3w.shards import reader
from openm3w.shards.document import Text
from openm3w.shards.interop import sources
from openm3w.shards.interop.exporting import export_dataset
from openm3w.shards.interop.formats import FORMATS
from openm3w.shards.interop.importing import import_dataset
from openm3w.shards.interop.order import Order
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.verify import verify
from openm3w.shards.writer import write_shard

TRIPS = [
    (name, kind)
    for name, form in FORMATS.items()
    if form.read and form.write
    for kind in form.kinds
]
LOSSLESS = [trip for trip in TRIPS if trip[0] != "mint1t-pdf"]


@pytest.fixture
def trip(tmp_path):
    """A dataset through a format: the manifest of what comes back."""

    def through(dataset, name):
        form, output = FORMATS[name], tmp_path / f"{name}-{dataset.kind}"
        export_dataset(dataset, form, output)
        order = Order(
            format=form,
            sources=sources.find([output], form.layout),
            output=tmp_path / f"back-{name}-{dataset.kind}",
            name=dataset.name,
            kind=dataset.kind,
            images=[output / "images"] if (output / "images").is_dir() else [],
        )
        return import_dataset(order).manifest

    return through


def by_key(dataset):
    return {sample.key: sample for sample in reader.read_samples(dataset, verify="full")}


def splits(dataset):
    return {
        sample.key: shard.split
        for shard in dataset.shards
        for sample in reader.read_shard(dataset, shard)
    }


@pytest.mark.parametrize(("name", "kind"), LOSSLESS, ids=map("-".join, LOSSLESS))
def test_what_comes_back_is_what_went(dataset, trip, name, kind):
    ours = dataset(kind=kind)
    back = trip(ours, name)
    assert by_key(back) == by_key(ours)
    assert splits(back) == splits(ours)
    assert verify([back]).faults == []


def test_pdfs_of_mint1t_keep_pixels_and_lose_the_jpegs_bytes(dataset, trip):
    ours = dataset()
    before, after = by_key(ours), by_key(trip(ours, "mint1t-pdf"))
    assert before.keys() == after.keys()
    for key, sample in before.items():
        again = after[key]
        plain = [dataclasses.replace(image, content=None) for image in sample.document.images]
        assert again.document.with_images(plain) == sample.document.with_images(plain)
        for data, other in zip(sample.images, again.images, strict=True):
            pixels = [PillowImage.open(io.BytesIO(it)).convert("RGB") for it in (data, other)]
            largest = max(high for _, high in ImageChops.difference(*pixels).getextrema())
            assert largest <= 4  # one more JPEG of quality 90 of a plain picture
        assert {image.content.original_format for image in again.document.images} <= {"tiff"}


def one_document(root, document, images):
    sample = Sample(key=document.doc_id, document=document, images=images)
    entry = write_shard(root, "data/train-000000.tar", [sample], kind="interleaved", split="train")
    return Manifest(name="one", kind="interleaved", shards=(entry,), root=root), sample


INTERLEAVED = [name for name, kind in LOSSLESS if kind == "interleaved"]


@pytest.mark.parametrize("name", INTERLEAVED)
@pytest.mark.parametrize("order", ["IITT", "TIIT", "TTII", "ITITI"])
def test_images_keep_their_places(tmp_path, sample, trip, name, order):
    made = sample(1, num_images=order.count("I"))
    images, numbers = iter(made.document.images), itertools.count()
    spans = tuple(
        next(images) if sign == "I" else Text(text=f"Wörter {next(numbers)} \U0001f68b\n\nund mehr")
        for sign in order
    )
    document = dataclasses.replace(made.document, spans=spans)
    ours, before = one_document(tmp_path / "one", document, made.images)
    (after,) = by_key(trip(ours, name)).values()
    if name == "datatrove" and "TT" in order:
        # It has one text: neighbours become one, with a blank line between.
        document = dataclasses.replace(before.document, spans=tuple(joined(spans)))
        before = dataclasses.replace(before, document=document)
    assert after == before


def joined(spans):
    for is_text, group in itertools.groupby(spans, key=lambda span: isinstance(span, Text)):
        if is_text:
            yield Text(text="\n\n".join(span.text for span in group))
        else:
            yield from group


@pytest.mark.parametrize("name", ["mmc4", "datatrove"])
def test_documents_without_text_are_left_out_where_a_format_has_no_place_for_them(
    tmp_path, sample, name
):
    made = sample(1, num_images=1)
    document = dataclasses.replace(made.document, spans=made.document.images)
    ours, _ = one_document(tmp_path / "one", document, made.images)
    stage = export_dataset(ours, FORMATS[name], tmp_path / "there").stage
    assert (stage.entered, stage.kept, stage.dropped) == (1, 0, {"no_text": 1})


def test_what_others_change_in_their_fields_is_believed(tmp_path, dataset, imported):
    import json

    ours = dataset(sizes=[("train", 1)])
    export_dataset(ours, FORMATS["mmc4"], tmp_path / "there")
    file = tmp_path / "there/data/train-000000.jsonl"
    value = json.loads(file.read_text(encoding="utf-8"))
    value["text_list"][0] = "Rewritten."
    value["url"] = "https://other.example/"
    file.write_text(json.dumps(value), encoding="utf-8")
    made = imported("mmc4", file, images=[tmp_path / "there/images"])
    (sample,) = reader.read_samples(made.manifest)
    assert sample.document.texts[0] == "Rewritten."
    assert sample.document.url == "https://other.example/"
    assert sample.document.scores == {"quality": 0.5}
