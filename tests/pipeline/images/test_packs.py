import tarfile

import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.images.packs import PackReader, PackWriter, Place


def write(path, contents):
    with path.open("wb") as file:
        writer = PackWriter(file, path.name)
        places = [writer.add(name, data) for name, data in contents]
        writer.close()
    return places


def test_images_are_read_back_by_place(tmp_path):
    contents = [("a", b"first" * 300), ("b", b"second")]
    places = write(tmp_path / "p.tar", contents)

    with PackReader(tmp_path) as reader:
        assert [reader.read(place) for place in reversed(places)] == [b"second", b"first" * 300]


def test_a_content_is_stored_once(tmp_path):
    one, two = write(tmp_path / "p.tar", [("a", b"same"), ("a", b"same")])

    assert one == two
    with tarfile.open(tmp_path / "p.tar") as tar:
        assert tar.getnames() == ["a.jpg"]


def test_more_packs_than_may_be_open_are_read(tmp_path):
    places = [write(tmp_path / f"{i}.tar", [("a", b"%d" % i)])[0] for i in range(5)]

    with PackReader(tmp_path, max_open=2) as reader:
        assert [reader.read(place) for place in places * 2] == [b"%d" % i for i in range(5)] * 2


def test_a_pack_that_is_too_short_is_an_error_that_names_it(tmp_path):
    (place,) = write(tmp_path / "p.tar", [("a", b"data")])

    with PackReader(tmp_path) as reader, pytest.raises(OutputError, match=r"p\.tar"):
        reader.read(Place("p.tar", place.offset, 1_000_000))


def test_a_missing_pack_is_one_line_that_says_what_to_do(tmp_path):
    with (
        PackReader(tmp_path) as reader,
        pytest.raises(OutputError, match=r"remove p\.json") as error,
    ):
        reader.read(Place("p.tar", 0, 1))

    assert "\n" not in str(error.value)
