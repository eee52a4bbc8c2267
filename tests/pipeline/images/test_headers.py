import pytest

from openm3w.pipeline.images import headers
from openm3w.pipeline.images.headers import Header, read_header, sniff
from openm3w.shards.sample import IMAGE_FORMATS


@pytest.mark.parametrize("name", IMAGE_FORMATS)
def test_formats_are_told_by_their_magic_bytes(image_bytes, name):
    assert sniff(image_bytes(80, 70, name)) == name


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_sizes_are_read_without_a_decoder(image_bytes, name):
    header = read_header(image_bytes(321, 123, name))

    assert (header.width, header.height) == (321, 123)
    assert not header.is_damaged
    assert not header.is_overloaded


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}]
)
def test_sizes_of_all_kinds_of_webp_are_read(image_bytes, options):
    header = read_header(image_bytes(321, 123, "WEBP", **options))

    assert (header.width, header.height) == (321, 123)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_header_that_ends_early_is_damaged_and_raises_nothing(image_bytes, name):
    data = image_bytes(80, 70, name)
    for end in range(40):
        header = read_header(data[:end])
        assert header.format in ("", name)
        assert header.is_damaged or (header.width, header.height) in ((0, 0), (80, 70))


@pytest.mark.parametrize(
    ("bound", "data"),
    [
        ("MAX_SEGMENTS", lambda m, n: jpeg_of(m, segments=n)),
        ("MAX_CHUNKS", lambda m, n: m.plain_png(before=[m.chunk(b"prVt")] * (n - 3))),
        ("MAX_BLOCKS", lambda m, n: m.gif_frames(n // 2)),
        ("MAX_COMMENT", lambda m, n: m.after_gif_header(m.gif_frames(1), comment(n))),
        ("MAX_SCANS", lambda m, n: scans_of(m, count=n)),
    ],
)
def test_as_many_parts_as_the_bound_are_walked_through(make, monkeypatch, bound, data):
    monkeypatch.setattr(headers, bound, 60)

    assert not read_header(data(make, 60)).is_overloaded
    assert read_header(data(make, 62)).is_overloaded


def test_scans_are_bounded_by_the_pixels_that_they_pass(make, monkeypatch):
    data = scans_of(make, 10)
    monkeypatch.setattr(headers, "MAX_SCANNED", 10 * 64 * 48)
    assert not read_header(data).is_overloaded

    monkeypatch.setattr(headers, "MAX_SCANNED", 10 * 64 * 48 - 1)
    assert read_header(data).is_overloaded


def jpeg_of(m, segments):
    plain = m.saved(m.solid("red"), "JPEG")
    count = sum(1 for _ in headers.jpeg_segments(plain))
    return plain[:2] + b"\xff\xfe\0\2" * (segments - count) + plain[2:]


def scans_of(m, count):
    data = m.saved(m.solid("red"), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (count - data.count(b"\xff\xda")) + data[-2:]


def comment(size):
    return b"!\xfe" + bytes((size,)) + b"x" * size + b"\0"


def test_frames_of_a_gif_are_counted(make):
    assert [read_header(make.gif_frames(n)).num_frames for n in (1, 2, 300)] == [1, 2, 300]


def test_a_gif_with_comments_behind_its_first_frame_is_none_the_worse(make):
    gif = make.gif_frames(2)
    block = b"!\xfe" + (b"\xff" + b"x" * 255) * 2000 + b"\0"

    assert read_header(gif[:-1] + block + b";") == Header(
        format="GIF", width=1, height=1, num_frames=2
    )
