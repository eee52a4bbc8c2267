import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openm3w.errors import ShardError
from openm3w.shards.document import (
    Document,
    Image,
    ImageContent,
    Provenance,
    Signals,
    Text,
    make_doc_id,
)
from openm3w.shards.sample import (
    Sample,
    decode_sample,
    document_from_json,
    document_to_json,
    encode_sample,
    image_member,
)

KEY = make_doc_id("<urn:test>")

words = st.text(st.characters(codec="utf-8"), max_size=30)
scores = st.dictionaries(words, st.floats(-1, 1), max_size=2)
contents = st.builds(
    ImageContent,
    sha256=st.just("ab" * 32),
    width=st.integers(1, 4096),
    height=st.integers(1, 4096),
    original_width=st.integers(1, 9999),
    original_height=st.integers(1, 9999),
    num_bytes=st.integers(1, 10**7),
    original_format=st.sampled_from(["", "jpeg"]),
    phash=st.sampled_from(["", "0123456789abcdef"]),
)
images = st.builds(
    Image,
    url=words,
    candidates=st.lists(words, max_size=2).map(tuple),
    role=st.sampled_from(["content", "lead", "og"]),
    alt=words,
    title=words,
    caption=words,
    declared_width=st.none() | st.integers(0, 9999),
    declared_height=st.none() | st.integers(0, 9999),
    content=st.none() | contents,
    scores=scores,
)
documents = st.builds(
    Document,
    doc_id=st.just(KEY),
    url=words,
    title=words,
    spans=st.lists(st.builds(Text, text=words) | images, max_size=6).map(tuple),
    provenance=st.builds(
        Provenance, source=words, record_id=words, offset=st.integers(0, 2**60), fetched=words
    ),
    signals=st.builds(
        Signals,
        language=words,
        language_score=st.floats(0, 1),
        opt_out=st.lists(words, max_size=2).map(tuple),
        licences=st.lists(words, max_size=2).map(tuple),
    ),
    scores=scores,
)


def members(encoded):
    return {name.removeprefix(f"{KEY}."): data for name, data in encoded}


@settings(max_examples=40)
@given(documents)
def test_a_document_comes_back_from_json(document):
    value = json.loads(json.dumps(document_to_json(document)))
    # Without member names, images are named by their URLs.
    assert document_from_json(value) == document


@settings(max_examples=40)
@given(documents, st.data())
def test_an_interleaved_sample_comes_back(document, data):
    bytes_of = data.draw(
        st.lists(
            st.binary(max_size=20),
            min_size=len(document.images),
            max_size=len(document.images),
        )
    )
    before = Sample(key=KEY, document=document, images=tuple(bytes_of))
    assert (
        decode_sample(KEY, members(encode_sample(before, "interleaved")), "interleaved") == before
    )


@settings(max_examples=40)
@given(documents)
def test_a_text_sample_keeps_everything_but_the_cuts_between_texts(document):
    document = dataclasses.replace(
        document, spans=tuple(s for s in document.spans if isinstance(s, Text))
    )
    after = decode_sample(
        KEY, members(encode_sample(Sample(key=KEY, document=document), "text")), "text"
    )
    assert after.document.texts == (
        ("\n\n".join(document.texts),) if any(document.texts) or len(document.texts) > 1 else ()
    )
    assert dataclasses.replace(after.document, spans=()) == dataclasses.replace(document, spans=())


@settings(max_examples=40)
@given(
    image=images,
    content=contents,
    caption=words,
    data=st.binary(min_size=1, max_size=20),
    extra=st.sampled_from(
        [{}, {"similarity": 0.25, "id": None}, {"sha256": "of the fetched file", "tags": ["a"]}]
    ),
)
def test_a_caption_sample_comes_back_with_what_img2dataset_would_store(
    image, content, caption, data, extra
):
    content = dataclasses.replace(content, num_bytes=len(data))
    image = Image(url=image.url, content=content, scores=image.scores)
    document = Document(doc_id=KEY, url="https://a.example/", spans=(image, Text(text=caption)))
    before = Sample(key=KEY, document=document, images=(data,), extra=extra)
    assert decode_sample(KEY, members(encode_sample(before, "caption")), "caption") == before


def test_sha256_is_of_the_file_as_fetched_and_columns_hide_no_field(sample):
    extra = {"sha256": "fetched", "similarity": 0.25, "width": 1, "key": "x", "scores": {}}
    before = dataclasses.replace(sample(1, "caption"), extra=extra)
    (content,) = (image.content for image in before.document.images)

    about = json.loads(encode_sample(before, "caption")[0][1])

    assert next(iter(about)) == "similarity"
    assert (about["sha256"], about["stored_sha256"]) == ("fetched", content.sha256)
    assert (about["width"], about["key"]) == (content.width, before.key)
    assert about["exif"] is None


def test_a_caption_shard_from_before_stored_sha256_is_read(sample):
    before = sample(1, "caption")
    parts = {name.partition(".")[2]: data for name, data in encode_sample(before, "caption")}
    about = json.loads(parts["json"])
    del about["stored_sha256"], about["exif"]
    old = {**parts, "json": json.dumps(about).encode()}
    got = decode_sample(before.key, old, "caption")
    assert got.document.images[0].content == before.document.images[0].content
    assert got.extra == {}


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "webp"])
def test_pairs_of_others_need_no_json_or_no_txt(suffix):
    plain = decode_sample("a", {suffix: b"...", "txt": b"A cat", "cls": b"3"}, "caption")
    in_json = decode_sample("a", {suffix: b"...", "json": b'{"caption": "A cat"}'}, "caption")
    assert plain.document.texts == in_json.document.texts == ("A cat",)
    assert plain.images == in_json.images == (b"...",)


def test_interleaved_lists_are_parallel_with_one_not_null_each(sample):
    encoded = dict(encode_sample(sample(1), "interleaved"))
    value = json.loads(encoded[f"{sample(1).key}.json"])
    pairs = list(zip(value["texts"], value["images"], strict=True))
    assert all((text is None) != (image is None) for text, image in pairs)
    assert [m is None for m in value["image_metadata"]] == [i is None for i in value["images"]]
    assert [image for image in value["images"] if image] == list(encoded)[1:]


def test_members_stand_json_first_and_images_in_order(sample):
    key = sample(1).key
    names = [name for name, _ in encode_sample(sample(1, num_images=3), "interleaved")]
    assert names == [f"{key}.json", *(image_member(key, i) for i in range(3))]
    assert names[1].endswith(".000.jpg")
    caption = [name for name, _ in encode_sample(sample(1, "caption"), "caption")]
    assert [name.partition(".")[2] for name in caption] == ["json", "jpg", "txt"]


def test_a_caption_shard_of_img2dataset_is_read():
    about = {
        "key": "000000012",
        "url": "https://a.example/x.jpg",
        "caption": "A cat",
        "status": "success",
        "width": 64,
        "height": 48,
        "original_width": 640,
        "original_height": 480,
        "exif": "{}",
        "sha256": None,
    }
    got = decode_sample(
        "000000012",
        {"json": json.dumps(about).encode(), "txt": b"A cat", "png": b"..."},
        "caption",
    )
    (image,) = got.document.images
    assert (got.document.doc_id, got.document.texts, got.images) == (
        "000000012",
        ("A cat",),
        (b"...",),
    )
    assert (image.url, image.content.original_width) == ("https://a.example/x.jpg", 640)


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
def test_lone_surrogates_become_question_marks(sample, kind):
    before = sample(1, kind)
    spans = tuple(
        dataclasses.replace(span, text="a\ud800b") if isinstance(span, Text) else span
        for span in before.document.spans
    )
    before = dataclasses.replace(before, document=dataclasses.replace(before.document, spans=spans))
    got = decode_sample(
        before.key,
        {n.removeprefix(f"{before.key}."): d for n, d in encode_sample(before, kind)},
        kind,
    )
    assert "a?b" in got.document.texts[0]


@pytest.mark.parametrize(
    "key", ["", "a.b", "A", "-a", "a/b", "a b", "é", "x" * 81, "a\n", "..", "__x__"]
)
def test_a_key_that_loaders_would_split_is_refused(sample, key):
    with pytest.raises(ValueError, match="key"):
        encode_sample(dataclasses.replace(sample(1), key=key), "interleaved")


@pytest.mark.parametrize("key", ["a", "0", "000000012", "a-b_c", "x" * 80])
def test_a_plain_key_is_taken(sample, key):
    assert (
        encode_sample(dataclasses.replace(sample(1), key=key), "interleaved")[0][0] == f"{key}.json"
    )


@pytest.mark.parametrize("count", [1, 3])
def test_images_without_bytes_are_refused(sample, count):
    before = sample(1, num_images=2)
    with pytest.raises(ValueError, match=f"2 images in the document, bytes of {count}"):
        encode_sample(dataclasses.replace(before, images=(b"x",) * count), "interleaved")


def broken(**changes):
    value = document_to_json(Document(doc_id=KEY, spans=(Text(text="a"),)))
    return {**value, **changes}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        broken(texts=["a", "b"]),
        broken(texts=[None]),
        broken(texts=[5]),
        broken(texts=None),
        broken(images=["x"]),
        broken(texts=[None], images=[{}], image_metadata=[{"url": ""}]),
        broken(texts=[None], images=["x"], image_metadata=[{"colour": 1}]),
        broken(texts=[None], images=["x"], image_metadata=[5]),
        broken(metadata=None),
        broken(metadata={}),
        broken(metadata={**broken()["metadata"], "url": 5}),
        broken(metadata={**broken()["metadata"], "scores": {"similarity": "high"}}),
        broken(metadata={**broken()["metadata"], "signals": {"opt_out": "noai"}}),
        broken(metadata={**broken()["metadata"], "signals": {"language_score": "1"}}),
        broken(metadata={**broken()["metadata"], "signals": {"mood": 1}}),
        broken(metadata={**broken()["metadata"], "provenance": {"offset": "0"}}),
        broken(metadata={**broken()["metadata"], "provenance": {"path": "/home"}}),
    ],
)
def test_json_that_is_no_document_names_the_sample(value):
    with pytest.raises(ShardError, match=f"sample {KEY}"):
        decode_sample(KEY, {"json": json.dumps(value).encode()}, "interleaved")


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("interleaved", {}),
        ("interleaved", {"json": b"{"}),
        ("interleaved", {"json": b"\xff\xfe"}),
        ("interleaved", {"json": b"[" * 100_000}),
        ("text", {"json": b'{"a":' * 100_000, "txt": b"a"}),
        ("text", {"json": b'{"title": 5}', "txt": b"a"}),
        ("caption", {"json": b'{"width": "5"}', "jpg": b"a", "txt": b"a"}),
        ("caption", {"json": b'{"url": ["a"]}', "jpg": b"a", "txt": b"a"}),
        ("text", {"json": b"{}"}),
        ("text", {"json": b"{}", "txt": b"\xff"}),
        ("text", {"json": b'{"signals": {"mood": 1}}', "txt": b"a"}),
        ("text", {"json": b'{"provenance": []}', "txt": b"a"}),
        ("caption", {"json": b"{}", "txt": b"a"}),
        ("caption", {"json": b'{"caption": 5}', "jpg": b"a"}),
        ("interleaved", {"txt": b"a"}),
        ("caption", {"json": b"{}", "jpg": b"a"}),
        ("caption", {"json": b"{}", "jpg": b"a", "txt": b"\xff"}),
        ("caption", {"json": b'{"signals": 5}', "jpg": b"a", "txt": b"a"}),
    ],
)
def test_a_sample_with_missing_or_wrong_members_is_named(kind, stored):
    with pytest.raises(ShardError, match=f"sample {KEY}"):
        decode_sample(KEY, stored, kind)


def test_an_image_named_but_not_there_is_an_error(sample):
    before = sample(1, num_images=2)
    encoded = {n.removeprefix(f"{before.key}."): d for n, d in encode_sample(before, "interleaved")}
    del encoded["001.jpg"]
    with pytest.raises(ShardError, match=r"no member .*001\.jpg"):
        decode_sample(before.key, encoded, "interleaved")
