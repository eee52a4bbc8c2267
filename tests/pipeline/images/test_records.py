import pytest

from openm3w.pipeline.archive import read_records
from openm3w.pipeline.images.records import RECORDS, record_row


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("http://A.example/one.png", "a.example/one.png"),
        ("<http://a.example/one.png>", "a.example/one.png"),
        (None, ""),
    ],
)
def test_a_revisit_names_the_address_it_repeats(archive, tmp_path, written, stored):
    headers = {"WARC-Refers-To-Target-URI": written} if written else {}
    archive.image("http://a.example/two.png", b"", kind="revisit", warc_headers=headers)

    (record,) = read_records(archive.write(tmp_path / "a.warc.gz"), max_body=10)

    row = record_row(record)
    assert row["refers_to"].removeprefix("http://") == stored
    assert row.keys() == set(RECORDS.names)


def test_only_a_revisit_refers_to_another_address(archive, tmp_path):
    headers = {"WARC-Refers-To-Target-URI": "http://a.example/one.png"}
    archive.image("http://a.example/two.png", b"x", warc_headers=headers)

    (record,) = read_records(archive.write(tmp_path / "a.warc.gz"), max_body=10)

    assert record.refers_to == "http://a.example/one.png"
    assert record_row(record)["refers_to"] == ""
