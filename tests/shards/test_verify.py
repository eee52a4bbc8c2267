import dataclasses
import io

import pytest
from PIL import Image as PillowImage

from openm3w.shards import manifest as manifests
from openm3w.shards.document import Image, ImageContent
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample, caption_document
from openm3w.shards.verify import verify
from openm3w.shards.writer import write_shard


def rewritten(root, samples, **changes):
    """A dataset of one shard with these samples, and a manifest with changed entries."""
    entry = write_shard(root, "data/train-000000.tar", samples, kind="interleaved", split="train")
    entry = dataclasses.replace(entry, **changes)
    return Manifest(name="x", kind="interleaved", shards=(entry,), root=root)


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
@pytest.mark.parametrize("depth", ["images", "full", "quick", "off"])
def test_a_sound_dataset_has_no_faults_and_is_counted(dataset, kind, depth):
    written = dataset(kind=kind)
    result = verify([written], depth=depth)
    assert result.faults == []
    assert (result.shards, result.samples, result.images) == (3, 6, written.images)


def test_a_mixture_is_verified_as_one(dataset, tmp_path):
    parts = [dataset("a"), dataset("b", kind="text", start=50)]
    mixture = manifests.write_mixture(tmp_path / "mix.json", parts, "m")
    result = verify(manifests.load(mixture))
    assert (result.faults, result.samples) == ([], 12)


def test_each_damaged_shard_is_one_line_and_hides_no_other(dataset):
    written = dataset()
    paths = [written.root / shard.url for shard in written.shards]
    paths[0].write_bytes(paths[0].read_bytes()[:-512])
    paths[2].unlink()
    result = verify([written])
    assert len(result.faults) == 2
    assert result.faults[0].startswith(f"{paths[0]}: ")
    assert "missing" in result.faults[1]
    assert result.samples == 2


def test_a_changed_byte_is_found_by_the_full_check_only(dataset):
    written = dataset()
    path = written.root / written.shards[0].url
    data = bytearray(path.read_bytes())
    data[600] ^= 1
    path.write_bytes(data)
    assert verify([written], depth="quick").faults == []
    (fault,) = verify([written]).faults
    assert "sha256" in fault


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": 5}, "4 images, the manifest says 5"),
        ({"characters": 1}, "characters, the manifest says 1"),
        ({"max_images": 3}, "2 images in one sample at most, the manifest says 3"),
        ({"nsamples": 3}, "2 samples, the manifest says 3"),
    ],
)
def test_counts_are_compared_with_the_manifest(tmp_path, sample, changes, message):
    (fault,) = verify([rewritten(tmp_path, [sample(1), sample(2)], **changes)]).faults
    assert message in fault


def with_image(sample, data, **content):
    picture = sample.document.images[0]
    changed = dataclasses.replace(picture, content=dataclasses.replace(picture.content, **content))
    spans = tuple(changed if span is picture else span for span in sample.document.spans)
    return dataclasses.replace(
        sample,
        images=(data if data is not None else sample.images[0], *sample.images[1:]),
        document=dataclasses.replace(sample.document, spans=spans),
    )


@pytest.mark.parametrize(
    ("data", "content", "message"),
    [
        (b"<html>", {}, "image 1 does not decode"),
        (None, {"width": 65}, "image 1 is 64 x 48, recorded as 65 x 48"),
        (None, {"sha256": "00" * 32}, "image 1 does not have the recorded sha256"),
    ],
)
def test_every_image_is_opened_and_compared(tmp_path, sample, data, content, message):
    written = rewritten(tmp_path, [with_image(sample(1), data, **content)])
    (fault,) = verify([written]).faults
    assert f"sample {sample(1).key}: {message}" in fault


def test_an_image_of_another_format_is_no_image_of_ours(tmp_path, sample):
    buffer = io.BytesIO()
    PillowImage.new("RGB", (64, 48)).save(buffer, "TIFF")
    written = rewritten(tmp_path, [with_image(sample(1), buffer.getvalue())])
    assert "does not decode" in verify([written]).faults[0]


def test_a_key_in_two_shards_or_datasets_is_a_fault(dataset):
    (fault, *others) = verify(
        [dataset("a", sizes=[("train", 1)]), dataset("b", sizes=[("train", 1)])]
    ).faults
    assert "occurs a second time" in fault
    assert others == []


def test_keys_of_others_are_unique_in_their_shard_only(dataset):
    parts = [dataset(name, kind="caption", sizes=[("train", 1)]) for name in "ab"]
    assert len(verify(parts).faults) == 1
    assert verify([dataclasses.replace(part, keys="foreign") for part in parts]).faults == []


def test_the_files_of_img2dataset_stand_beside_shards_of_captions_only(dataset):
    for kind, count in (("caption", 0), ("text", 2)):
        written = dataset(kind, kind=kind)
        shard = written.root / written.shards[0].url
        shard.with_suffix(".parquet").write_bytes(b"")
        shard.with_name(f"{shard.stem}_stats.json").write_bytes(b"")
        assert len(verify([written]).faults) == count


@pytest.mark.parametrize(
    ("width", "height", "count"), [(64, 48, 0), (0, 0, 0), (64, 0, 0), (63, 0, 1), (64, 47, 1)]
)
def test_a_size_that_others_did_not_note_is_none(tmp_path, width, height, count):
    buffer = io.BytesIO()
    PillowImage.new("RGB", (64, 48)).save(buffer, "JPEG")
    content = ImageContent(
        sha256="", width=width, height=height, original_width=0, original_height=0, num_bytes=0
    )
    document = caption_document("0" * 32, Image(url="", content=content), "a cat")
    pair = Sample(key="0" * 32, document=document, images=(buffer.getvalue(),))
    entry = write_shard(tmp_path, "data/train-000000.tar", [pair], kind="caption", split="train")
    written = Manifest(name="x", kind="caption", shards=(entry,), root=tmp_path)
    assert len(verify([written]).faults) == count


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("train-000009.tar", "not in the manifest"),
        ("notes.txt", "not in the manifest"),
        (".train-000000.tar.0123.tmp", "left by an interrupted write"),
        ("deeper/x.tar", "not in the manifest"),
    ],
)
@pytest.mark.parametrize("depth", ["images", "full", "quick", "off"])
def test_a_file_that_no_shard_accounts_for_is_a_fault(dataset, name, said, depth):
    written = dataset()
    stranger = written.root / "data" / name
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"")
    (fault,) = verify([written], depth=depth).faults
    assert fault == f"{stranger}: {said}; remove it"


def test_indexes_and_lengths_beside_a_shard_are_accounted_for(dataset):
    written = dataset()
    (written.root / f"{written.shards[0].url}.lengths").write_bytes(b"")
    assert verify([written]).faults == []


def test_an_index_that_points_elsewhere_is_a_fault(dataset):
    written = dataset()
    one, two = (written.root / f"{shard.url}.idx" for shard in written.shards[:2])
    one.write_bytes(one.read_bytes()[:-8] + (10**6).to_bytes(8, "little"))
    two.write_bytes(b"123")
    faults = verify([written]).faults
    assert [fault.split(": ")[1] for fault in faults] == [
        "does not point at the samples of its tar",
        "3 bytes, no whole number of offsets",
    ]


def test_a_shard_without_index_is_sound(dataset):
    written = dataset()
    (written.root / f"{written.shards[0].url}.idx").unlink()
    assert verify([written]).faults == []
    assert verify([written], depth="quick").faults == []
