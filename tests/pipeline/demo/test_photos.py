import importlib.util
import io

import pytest
from PIL import Image

from openm3w.errors import MissingError
from openm3w.pipeline.demo import content, photos
from openm3w.pipeline.demo.content import Picture


@pytest.mark.parametrize("name", sorted(content.load().pictures))
def test_every_picture_can_be_cut_from_the_installed_photographs(name):
    picture = photos.cut(content.load().pictures[name])
    assert picture.mode == "RGB"
    assert min(picture.size) >= 100


def test_a_box_takes_its_share_of_the_photograph():
    whole = photos.cut(Picture(photo="coffee.png", alt="", caption=""))
    half = photos.cut(Picture(photo="coffee.png", alt="", caption="", box=(0.0, 0.0, 0.5, 1.0)))
    assert half.size == (whole.width // 2, whole.height)


def test_flip_mirrors_left_and_right():
    plain = photos.cut(Picture(photo="coffee.png", alt="", caption=""))
    mirrored = photos.cut(Picture(photo="coffee.png", alt="", caption="", flip=True))
    assert mirrored.getpixel((0, 7)) == plain.getpixel((plain.width - 1, 7))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_render_keeps_the_aspect_and_the_format(suffix):
    data = photos.render(Picture(photo="coffee.png", alt="", caption=""), 300, suffix)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (300, 200)
        assert image.format == photos.PILLOW_FORMAT[suffix]


def test_without_scikit_image_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingError, match=r"pip install 'scikit-image>=0\.24'"):
        photos.folder()


def test_a_photograph_that_is_not_there_is_named():
    with pytest.raises(MissingError, match=r"unknown\.png: missing"):
        photos.cut(Picture(photo="unknown.png", alt="", caption=""))
