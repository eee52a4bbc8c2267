import importlib.util
import random
from dataclasses import replace

import pytest

from openm3w.errors import InputError, MissingError
from openm3w.pipeline.images.decode import Encoding, encode
from openm3w.pipeline.images.lists import (
    Blocklist,
    Hamming,
    Lists,
    read_blocklist,
    read_evaluation_images,
)

MD5, SHA256, PHASH = "0a" * 16, "0b" * 32, "0c" * 8
PDQ = "f0" * 32


def flipped(digits, count):
    """The hash with its first so many bits the other way."""
    size = 4 * len(digits)
    return f"{int(digits, 16) ^ (((1 << count) - 1) << (size - count)):0{len(digits)}x}"


@pytest.fixture
def listed(tmp_path):
    """`listed("line", ...)`: the path of a list."""

    def write(*lines, name="list.txt"):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("words", [1, 4])
def test_the_nearest_is_found_by_the_bits_that_differ(words):
    rng = random.Random(words)
    hashes = [f"{rng.getrandbits(64 * words):0{16 * words}x}" for _ in range(50)]
    known = Hamming(hashes, words=words)

    for _ in range(20):
        other = f"{rng.getrandbits(64 * words):0{16 * words}x}"
        by_hand = min((int(other, 16) ^ int(digits, 16)).bit_count() for digits in hashes)
        assert known.nearest(other) == by_hand
    assert known.nearest(hashes[7]) == 0


def test_bits_are_counted_alike_without_numpy_2(monkeypatch):
    known = Hamming([PDQ, SHA256], words=4)
    found = [known.nearest(flipped(PDQ, count)) for count in (0, 1, 33)]
    monkeypatch.delattr("numpy.bitwise_count", raising=False)
    assert [known.nearest(flipped(PDQ, count)) for count in (0, 1, 33)] == found == [0, 1, 33]


def test_kinds_are_told_by_length_and_prefix(listed):
    pytest.importorskip("pdqhash")
    first = listed("# police list 7", MD5.upper(), "", f"  {SHA256}  # case 12")
    second = listed(f"PDQ:{PDQ}", MD5, name="more.txt")

    found = read_blocklist([first, second])

    assert (found.md5, found.sha256) == (frozenset({MD5}), frozenset({SHA256}))
    assert found.pdq.nearest(PDQ) == 0
    assert str(found) == "1 SHA-256, 1 MD5 and 1 PDQ hashes"


@pytest.mark.parametrize("line", ["xyz", MD5[:-1], SHA256 + "0", f"pdq:{MD5}", PHASH, "g" * 32])
def test_what_is_no_hash_is_named_with_file_and_line(listed, line):
    path = listed(MD5, "# comment", line)

    with pytest.raises(InputError, match=rf"images\.blocklists: {path}:3: .* is no hash"):
        read_blocklist([path])


@pytest.mark.parametrize("line", [MD5, "xyz", PHASH[:-1]])
def test_evaluation_lists_take_perceptual_hashes_only(listed, line):
    path = listed(f"{PHASH}  # a.jpg", line)

    with pytest.raises(InputError, match=rf"images\.evaluation_images: {path}:2: "):
        read_evaluation_images([path])


def test_an_evaluation_list_is_read(listed):
    found = read_evaluation_images([listed(f"{PHASH}  # a.jpg"), listed(PHASH, name="b.txt")])
    assert len(found) == 1
    assert found.nearest(flipped(PHASH, 3)) == 3


def test_a_missing_file_and_one_that_is_no_text_are_one_line(tmp_path):
    with pytest.raises(InputError, match=r"images\.blocklists: .*gone\.txt: No such file"):
        Lists.of((str(tmp_path / "gone.txt"),), ())
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"b\.bin: no text"):
        read_blocklist([str(tmp_path / "b.bin")])


def test_pdq_without_pdqhash_says_what_to_install(listed, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pdqhash" else find(name)
    )
    read_blocklist([listed(MD5, SHA256)])
    with pytest.raises(MissingError, match=r'pip install "openm3w\[safety\]"'):
        read_blocklist([listed(f"pdq:{PDQ}")])


def test_contents_tell_lists_apart_and_places_do_not(listed):
    one = Lists.of((listed(MD5, name="a"), listed(SHA256, name="b")), ())
    moved = Lists.of((listed(SHA256, name="c"), listed(MD5, name="d")), ())
    longer = Lists.of((listed(MD5, name="a"), listed(SHA256, MD5, name="b")), ())
    elsewhere = Lists.of((), (listed(MD5, name="a"), listed(SHA256, name="b")))

    nothing = Lists.of((), ())

    assert one.blocked_digest == moved.blocked_digest
    assert len({each.blocked_digest for each in (one, longer, nothing)}) == 3
    # Evaluation pictures have no part in what is stored, nor what is stored in their numbers.
    assert elsewhere.blocked_digest == nothing.blocked_digest
    assert one.evaluation_digest == nothing.evaluation_digest != elsewhere.evaluation_digest


def test_a_list_that_changes_during_a_build_is_refused(listed):
    lists = Lists.of((listed(MD5),), (listed(PHASH, name="eval"),))
    listed(SHA256)

    with pytest.raises(InputError, match="changed during the build"):
        lists.blocked()
    assert lists.distance(flipped(PHASH, 3)) == {"eval_distance": 3}
    assert lists.distance(None) == Lists().distance(PHASH) == {}
    longer = Lists.of((), (listed(PHASH, flipped(PHASH, 1), name="eval"),))
    listed(PHASH, name="eval")
    with pytest.raises(InputError, match="changed during the build"):
        longer.evaluation()


def test_bytes_are_refused_as_fetched_and_as_stored(image_bytes):
    data = image_bytes(90, 80)
    picture = encode(data, Encoding())
    original = picture.original

    assert Blocklist(sha256=frozenset({original.sha256})).refuses_bytes(data) == "blocked_sha256"
    assert Blocklist(md5=frozenset({original.md5})).refuses_bytes(data) == "blocked_md5"
    assert Blocklist(sha256=frozenset({picture.sha256})).refuses(picture) == "blocked_sha256"
    assert Blocklist(sha256=frozenset({SHA256}), md5=frozenset({MD5})).refuses_bytes(data) == ""
    assert Blocklist().refuses(picture) == ""


@pytest.mark.parametrize(
    ("bits", "quality", "reason"),
    [(0, 100, "blocked_pdq"), (31, 50, "blocked_pdq"), (32, 50, ""), (31, 49, ""), (0, 49, "")],
)
def test_pdq_refuses_up_to_31_bits_from_a_quality_of_50(image_bytes, bits, quality, reason):
    picture = replace(encode(image_bytes(90, 80), Encoding()), pdq=(flipped(PDQ, bits), quality))

    assert Blocklist(pdq=Hamming([SHA256, PDQ], words=4)).refuses(picture) == reason


@pytest.mark.parametrize("read", [read_blocklist, read_evaluation_images])
def test_a_list_without_an_entry_is_told(read, listed):
    with pytest.raises(InputError, match="a list without an entry"):
        read([listed("# nothing yet")])


def test_a_mark_of_byte_order_is_no_part_of_a_hash(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(f"\ufeff{MD5}\n", encoding="utf-8")
    assert read_blocklist([str(path)]).md5 == {MD5}


def test_what_has_no_end_is_no_list(listed):
    for path, why in (
        ("/dev/zero", "a device or a pipe"),
        (listed("0" * 70_000), "line 1 is longer"),
    ):
        for read in (read_blocklist, read_evaluation_images):
            with pytest.raises(InputError, match=f"^images.*{why}"):
                read([path])
        with pytest.raises(InputError, match=why):
            Lists.of((path,), ())
