"""What the walker takes of tars that others write, and what it refuses."""

import io
import tarfile

import pytest

from openm3w.errors import ShardError
from openm3w.shards import storage, tar


def info(name, size=0, **fields):
    member = tarfile.TarInfo(name)
    member.size = size
    for field, value in fields.items():
        setattr(member, field, value)
    return member


@pytest.fixture
def walk(tmp_path):
    """`walk(bytes or [(TarInfo, data)], format, plain=False)`: the members."""

    def read(what, form=tarfile.USTAR_FORMAT, *, plain=False, **options):
        data = what
        if isinstance(what, list):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w", format=form) as written:
                for member, payload in what:
                    member.size = len(payload)
                    written.addfile(member, io.BytesIO(payload))
            data = buffer.getvalue()
        path = tmp_path / "x.tar"
        path.write_bytes(data)
        part = tar.Part(storage.open_file(path), block=options.pop("block", None))
        return list(tar.members(part, plain=plain, **options))

    return read


@pytest.mark.parametrize("block", [1, 511, 512, 700, 1 << 20])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_tarfile_whatever_is_read_at_once(walk, form, block):
    members = [(info(f"k{i}.txt"), b"x" * size) for i, size in enumerate((0, 1, 511, 512, 5000))]
    found = walk(members, form, block=block, plain=form == tarfile.USTAR_FORMAT)
    assert [(m.name, m.size, m.data) for m in found] == [
        (member.name, len(data), data) for member, data in members
    ]
    assert [m.offset for m in found] == [0, 512, 1536, 2560, 3584]
    bare = walk(members, form, block=block, wanted=tar.none_of)
    assert [(m.name, m.offset, m.data) for m in bare] == [(m.name, m.offset, b"") for m in found]


def test_long_names_of_others_are_taken_and_of_ours_refused(walk):
    long = "a" * 90 + "/" + "b" * 90 + ".txt"
    assert walk([(info(long), b"x")], tarfile.USTAR_FORMAT, plain=True)[0].name == long
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        longer = "k" * 300 + ".txt"
        (member,) = walk([(info(longer), b"x")], form)
        assert (member.name, member.offset, member.data) == (longer, 0, b"x")
        with pytest.raises(ShardError, match="no regular file"):
            walk([(info(longer), b"x")], form, plain=True)
    (member,) = walk([(info("schlüssel.txt"), b"x")], tarfile.PAX_FORMAT)
    assert member.name == "schlüssel.txt"


def test_times_of_webdataset_are_passed_over(walk):
    members = [(info("k.txt", mtime=1.5), b"x"), (info("l.txt", mtime=2.5), b"y")]
    assert [m.name for m in walk(members, tarfile.PAX_FORMAT)] == ["k.txt", "l.txt"]


@pytest.mark.parametrize("word", ["size", "linkpath", "GNU.sparse.major", "GNU.sparse.name"])
def test_extension_headers_that_change_bytes_are_refused(walk, word):
    member = info("k.txt")
    member.pax_headers = {word: "1"}
    with pytest.raises(ShardError, match=f"sets '{word}'; refused"):
        walk([(member, b"x")], tarfile.PAX_FORMAT)


@pytest.mark.parametrize(
    "record", [b"8 path=\n", b"99 path=x\n", b"0 path=x\n", b"path=x\n", b"9" * 5000 + b" a=b\n"]
)
def test_a_damaged_extension_header_is_refused(walk, record):
    header = info("x", type=tarfile.XHDTYPE)
    members = [(header, record), (info("k.txt"), b"x")]
    if record == b"8 path=\n":
        assert walk(members)[0].name == "k.txt"
        return
    with pytest.raises(ShardError, match="extension header"):
        walk(members)


@pytest.mark.parametrize("over", [0, 1])
def test_extension_headers_have_a_bound(walk, over):
    name = b"n" * (tar.MAX_EXTENSION_BYTES - 1 + over) + b"\0"
    members = [(info("x", type=tarfile.GNUTYPE_LONGNAME), name), (info("k.txt"), b"x")]
    if over:
        with pytest.raises(ShardError, match="extension header of 65,537 bytes"):
            walk(members)
    else:
        assert walk(members)[0].name == name[:-1].decode()


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.XGLTYPE,
        tarfile.GNUTYPE_LONGLINK,
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_what_is_no_regular_file_is_refused(walk, kind, plain):
    with pytest.raises(ShardError, match="no regular file of a shard; refused"):
        walk([(info("k.txt", type=kind), b"")], plain=plain)


def test_folders_are_passed_over_in_shards_of_others_alone(walk):
    members = [(info("d", type=tarfile.DIRTYPE), b""), (info("d/k.txt"), b"x")]
    assert [m.name for m in walk(members)] == ["d/k.txt"]
    with pytest.raises(ShardError, match="no regular file"):
        walk(members, plain=True)


def with_size(field):
    """A header whose checksum is right and whose size is `field`."""
    header = bytearray(info("k.txt", 1).tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (b"-0000000001\0", "no whole header"),
        (b"\x80" + bytes(10) + b"\x01", "no whole header"),
        (b"0000000000z\0", "no whole header"),
        (b"77777777777\0", "reaches past the end"),
    ],
)
def test_sizes_that_are_none_are_refused(walk, field, message):
    with pytest.raises(ShardError, match=message):
        walk(with_size(field) + bytes(2048))


def test_a_member_has_a_bound(walk, monkeypatch):
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", 100)
    assert walk([(info("k.txt"), b"x" * 100)])
    with pytest.raises(ShardError, match="has 101 bytes; refused"):
        walk([(info("k.txt"), b"x" * 101)])


@pytest.mark.parametrize("over", [0, 1])
def test_a_sample_has_a_bound(tmp_path, monkeypatch, over):
    monkeypatch.setattr(tar, "MAX_MEMBERS", 3)
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as written:
        for number in range(3 + over):
            written.addfile(info(f"k.{number}.jpg"))
    found = tar.samples(tar.Part(storage.open_file(path)), plain=True)
    if over:
        with pytest.raises(ShardError, match="more than 3 members"):
            list(found)
    else:
        assert len(next(found)[1]) == 3


def test_what_is_no_tar_or_an_old_one_is_refused(walk):
    assert walk(b"") == walk(bytes(10240)) == []
    with pytest.raises(ShardError, match="no whole header"):
        walk(b"hello" * 300)
    old = bytearray(info("k.txt").tobuf(tarfile.USTAR_FORMAT))
    old[257:265] = bytes(8)
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    with pytest.raises(ShardError, match="not of ustar's form"):
        walk(bytes(old))


@pytest.mark.parametrize("at", [0, 300, 500])
def test_any_flipped_bit_of_a_header_is_noticed(walk, at):
    data = bytearray(info("k.txt").tobuf(tarfile.USTAR_FORMAT))
    data[at] ^= 4
    with pytest.raises(ShardError, match="no whole header"):
        walk(bytes(data))
