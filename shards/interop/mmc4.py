"""MMC4: JSON lines with the sentences of a page, and images assigned to sentences.

Fields by allenai/mmc4 (README.md, v1.1): `text_list`, `url`, `image_info` (`image_name`, `raw_url`,
`matched_text_index`, `matched_sim`, `face_detections`), `similarity_matrix` (images by sentences)
and `could_have_url_duplicate`; `image_base64` in `image_info` as OpenFlamingo's converted shards
have it (open_flamingo/train/data.py). An image stands before the sentence that it is matched to,
as OpenFlamingo places it.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from openm3w.shards.document import Image, Span, Text
from openm3w.shards.interop import carried, tables
from openm3w.shards.interop.obelics import add_images
from openm3w.shards.interop.rows import (
    Found,
    MalformedError,
    Picture,
    Row,
    each,
    mapping,
    number,
    text,
)
from openm3w.shards.interop.sources import Source
from openm3w.shards.interop.writing import Done, Part, image_name, image_tar
from openm3w.shards.sample import Sample

SCORE = "assigned_similarity"
"""Our score that `matched_sim` is: the cosine with the sentence that an image was assigned to."""
MODELS = {SCORE: {"id": "CLIP ViT-L/14", "source": "matched_sim of MMC4 (arXiv:2304.06939)"}}


def read(source: Source) -> Iterator[Found]:
    """The lines of a `.jsonl` or of those in a `.jsonl.zip`, as MMC4 is published."""
    return each(tables.read(source.path, ()), _row)


def write(part: Part) -> Done:
    """`data/<stem>.jsonl`, and the images in `images/<stem>.tar`.

    A document without text is left out: it has no sentence that an image could be matched to.
    """
    url, kept, dropped = f"data/{part.stem}.jsonl", 0, 0

    def values() -> Iterator[Mapping[str, Any]]:
        nonlocal kept, dropped
        for sample in part.samples:
            if not sample.document.texts:
                dropped += 1
                continue
            kept += 1
            add_images(sample, add)
            yield _value(sample)

    with image_tar(part) as add:
        tables.write_lines(part.root / url, values())
    return Done(
        split=part.split, url=url, kept=kept, dropped={"no_text": dropped} if dropped else {}
    )


def _row(value: Mapping[str, Any]) -> Row:
    texts = value["text_list"]
    if not isinstance(texts, list) or not all(isinstance(it, str) for it in texts):
        raise MalformedError("text_list is no list of strings")
    before: dict[int, list[tuple[Image, Picture]]] = {}
    for entry in value["image_info"]:
        place, image, picture = _image(mapping(entry), len(texts))
        before.setdefault(place, []).append((image, picture))
    spans: list[Span] = []
    pictures: list[Picture] = []
    for index in range(len(texts) + 1):
        for image, picture in before.get(index, ()):
            spans.append(image)
            pictures.append(picture)
        if index < len(texts):
            spans.append(Text(text=texts[index]))
    document = carried.document(value.get(carried.FIELD), tuple(spans), url=text(value.get("url")))
    return Row(document=document, pictures=tuple(pictures))


def _image(entry: Mapping[str, Any], num_texts: int) -> tuple[int, Image, Picture]:
    """Before which text an image stands, `num_texts` for the end; the image; its bytes' place."""
    matched = entry["matched_text_index"]
    signed = entry.get(carried.FIELD)
    if isinstance(matched, bool) or not isinstance(matched, int) or not 0 <= matched < num_texts:
        raise MalformedError("matched_text_index is no index of text_list")
    is_last = isinstance(signed, Mapping) and signed.get("after_text") is True
    fields = dict(signed) if isinstance(signed, Mapping) else {}
    fields.pop("after_text", None)
    similarity = number(entry.get("matched_sim"))
    scores = None if signed or similarity is None else {SCORE: similarity}
    image = carried.image(fields, url=text(entry.get("raw_url")), scores=scores)
    picture = Picture(
        data=_inline(entry.get("image_base64")),
        names=carried.names(image, text(entry.get("image_name"))),
    )
    return num_texts if is_last else matched, image, picture


def _inline(value: Any) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise MalformedError(f"image_base64: {error}") from error


def _value(sample: Sample) -> dict[str, Any]:
    document = sample.document
    infos: list[dict[str, Any]] = []
    matrix: list[list[float]] = []
    num_texts, seen = len(document.texts), 0
    for span in document.spans:
        if isinstance(span, Text):
            seen += 1
            continue
        matched = min(seen, num_texts - 1)
        similarity = span.scores.get(SCORE, span.scores.get("similarity"))
        infos.append(_info(sample, len(infos), span, matched, similarity, seen == num_texts))
        # Nobody measured the other sentences; readers that assign anew find the same one.
        matrix.append([(similarity or 0.0) * (at == matched) for at in range(num_texts)])
    return {
        "image_info": infos,
        "similarity_matrix": matrix,
        "text_list": list(document.texts),
        "url": document.url,
        "could_have_url_duplicate": 0,
        carried.FIELD: carried.of_document(document),
    }


def _info(
    sample: Sample,
    index: int,
    image: Image,
    matched: int,
    similarity: float | None,
    is_after: bool,  # noqa: FBT001
) -> dict[str, Any]:
    return {
        "image_name": f"{image_name(sample, index)}.jpg",
        "raw_url": image.url,
        "matched_text_index": matched,
        "matched_sim": similarity,
        "face_detections": None,
        carried.FIELD: {
            **carried.of_image(image),
            **({"after_text": True} if is_after else {}),
        },
    }
