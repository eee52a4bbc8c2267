import hashlib
import io
import tarfile
from dataclasses import replace

import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.images.packs import PackReader, PackWriter, Place, pack_name, unit_of


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def written(path, contents):
    with path.open("wb") as file:
        writer = PackWriter(file, path.name)
        places = [writer.add(sha256(data), data) for data in contents]
        writer.close()
    return places, writer.digest


def write(path, contents):
    return written(path, contents)[0]


def test_images_are_read_back_by_place(tmp_path):
    contents = [b"first" * 300, b"second"]
    places = write(tmp_path / "p.tar", contents)

    with PackReader(tmp_path) as reader:
        assert [reader.read(place) for place in reversed(places)] == [b"second", b"first" * 300]


def test_a_content_is_stored_once(tmp_path):
    one, two = write(tmp_path / "p.tar", [b"same", b"same"])

    assert one == two
    with tarfile.open(tmp_path / "p.tar") as tar:
        assert tar.getnames() == [f"{sha256(b'same')}.jpg"]


def test_more_packs_than_may_be_open_are_read(tmp_path):
    places = [write(tmp_path / f"{i}.tar", [b"%d" % i])[0] for i in range(5)]

    with PackReader(tmp_path, max_open=2) as reader:
        assert [reader.read(place) for place in places * 2] == [b"%d" % i for i in range(5)] * 2


def test_a_pack_that_is_too_short_is_an_error_that_names_it(tmp_path):
    (place,) = write(tmp_path / "p.tar", [b"data"])

    with PackReader(tmp_path) as reader, pytest.raises(OutputError, match=r"p\.tar: shorter"):
        reader.read(replace(place, length=1_000_000))


def test_bytes_that_are_not_those_of_the_place_are_never_given_out(tmp_path):
    one, two = write(tmp_path / "u-0-00ff.tar", [b"one", b"two"])
    with PackReader(tmp_path) as reader:
        assert reader.read(one) == b"one"
        with pytest.raises(OutputError, match=r"other bytes .*; remove u-0\.json ") as error:
            reader.read(replace(one, offset=two.offset))
    assert "\n" not in str(error.value)


def test_a_pack_s_digest_goes_by_what_is_in_it_and_in_which_order(tmp_path):
    packs = [[b"a", b"b"], [b"a", b"b", b"a"], [b"b", b"a"], [b"a"], [b"a", b"c"], []]
    digests = [written(tmp_path / f"{at}.tar", some)[1] for at, some in enumerate(packs)]

    assert digests[0] == digests[1]
    assert len(set(digests)) == len(packs) - 1
    assert {len(digest) for digest in digests} == {16}


@pytest.mark.parametrize("unit", ["u", "u-00000", "a.tar-00000"])
def test_a_pack_s_name_has_that_of_its_unit(unit):
    assert unit_of(pack_name(unit, "0" * 16)) == unit


def test_a_missing_pack_is_one_line_that_says_what_to_do(tmp_path):
    with (
        PackReader(tmp_path) as reader,
        pytest.raises(OutputError, match=r"remove u-0\.json") as error,
    ):
        reader.read(Place("u-0-00ff.tar", 0, 1, ""))

    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "suffix", "length"),
    [(64, "", 0), (64, ".jpg", 1), (64, ".jpeg", 8**5), (64, "." + "x" * 35, 70_001)],
)
def test_a_pack_is_byte_for_byte_what_tarfile_writes(tmp_path, name, suffix, length):
    data, digest = bytes(length), "0123456789abcdef" * (name // 16)
    with (tmp_path / "p.tar").open("wb") as file:
        writer = PackWriter(file, "p.tar", suffix)
        place = writer.add(digest, data)
        writer.close()
    with tarfile.open(tmp_path / "t.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo(digest + suffix)
        member.size = length
        tar.addfile(member, io.BytesIO(data))

    assert (tmp_path / "p.tar").read_bytes() == (tmp_path / "t.tar").read_bytes()
    assert (place.offset, place.length) == (tarfile.BLOCKSIZE, length)


class Long(bytes):
    """Bytes that say to be more than a field of USTAR can count."""

    def __len__(self):
        return 8**11


@pytest.mark.parametrize(("suffix", "data"), [("x" * 37, b""), (".jpg", Long())])
def test_what_a_header_has_no_room_for_is_refused(tmp_path, suffix, data):
    with (tmp_path / "p.tar").open("wb") as file, pytest.raises(ValueError, match="USTAR"):
        PackWriter(file, "p.tar", suffix).add(sha256(b""), data)
