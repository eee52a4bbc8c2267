import base64
import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image as PillowImage

from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.view import svg

SVG = "{http://www.w3.org/2000/svg}"


def export(sample):
    return svg.export(
        Shown(sample=sample, kind="interleaved", dataset="d", split="train", number=1, total=1)
    )


def noise(side):
    buffer = io.BytesIO()
    PillowImage.effect_noise((side, side), 120).convert("RGB").save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def test_text_and_pictures_stand_in_one_file_that_loads_nothing(sample):
    text = export(sample(1))
    root = ET.fromstring(text)  # noqa: S314
    pictures = root.findall(f".//{SVG}image")
    assert len(pictures) == 2
    for picture in pictures:
        kind, _, data = picture.get("href").partition(",")
        assert kind == "data:image/jpeg;base64"
        assert PillowImage.open(io.BytesIO(base64.b64decode(data))).format == "JPEG"
    said = "".join(root.itertext()).replace("\xa0", " ")
    assert "Opening words of document 1." in said
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.site1", ""
    )


def test_pictures_lie_in_the_room_left_for_them_one_below_the_other(sample):
    first, second = ET.fromstring(export(sample(1))).findall(f".//{SVG}image")  # noqa: S314
    assert first.get("x") == second.get("x")
    assert float(second.get("y")) > float(first.get("y")) + float(first.get("height"))


def test_the_same_document_gives_the_same_file(sample):
    assert export(sample(1)) == export(sample(1))


@pytest.mark.parametrize("count", [1, 30])
def test_many_large_pictures_still_give_a_small_file(sample, count):
    full = sample(1, num_images=count)
    object.__setattr__(full, "images", (noise(512),) * count)
    assert len(export(full).encode()) < 500_000
