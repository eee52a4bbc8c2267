import gzip

import pytest

from openm3w.pipeline.archive import Damage, read_records
from openm3w.pipeline.jobs.documents import record_class


@pytest.mark.parametrize("status", ["²00 OK", "99999999999 OK", "20 OK", "-200 OK", "OK"])
def test_a_status_that_is_none_costs_no_more_than_its_page(archive, tmp_path, status):
    archive.page("http://a.example/1", "<p>one").page("http://a.example/2", "<p>two")
    path = archive.write(tmp_path / "a.warc.gz")
    plain = tmp_path / "plain.warc"
    plain.write_bytes(_unpacked(path).replace(b"200 OK", status.encode(), 1))

    found = list(read_records(plain, max_body=10_000))

    # The length of the first record is wrong now, which may be noticed; its status may not matter.
    assert not isinstance(found[0], Damage)
    assert found[0].status == 0


def test_a_record_type_made_up_by_a_file_becomes_no_reason_of_ours(archive, tmp_path):
    archive.add("urn:x", b"words", kind="metadata")
    plain = tmp_path / "plain.warc"
    packed = _unpacked(archive.write(tmp_path / "a.warc.gz"))
    plain.write_bytes(packed.replace(b"WARC-Type: metadata", b"WARC-Type: \x1b]0;own\x07"))

    (known,) = read_records(tmp_path / "a.warc.gz", max_body=10)
    (unknown,) = read_records(plain, max_body=10)

    assert record_class(known) == "metadata_record"
    assert record_class(unknown) == "unknown_record"


def _unpacked(path):
    return gzip.decompress(path.read_bytes())
