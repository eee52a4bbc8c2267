import json

import pytest

from openm3w.errors import InputError, OutputError
from openm3w.pipeline.extracting import extract_pages

PAGE = "<html><body><article><p>" + "Boats lay along the old wall. " * 20 + "</p></article></body>"


def test_every_page_with_content_is_a_line(archive, tmp_path):
    path = (
        archive.page("http://a.example/1", PAGE)
        .page("http://a.example/2", "")
        .write(tmp_path / "a.warc.gz")
    )

    counts = extract_pages([str(path)], tmp_path / "docs.jsonl", "trafilatura")

    (line,) = map(json.loads, (tmp_path / "docs.jsonl").read_text().splitlines())
    assert (line["url"], counts.pages, counts.written) == ("http://a.example/1", 2, 1)
    assert sum(counts.lost.values()) == 1


def test_an_archive_is_not_overwritten_by_its_own_pages(archive, tmp_path):
    path = archive.page("http://a.example/", PAGE).write(tmp_path / "a.warc.gz")
    before = path.read_bytes()

    with pytest.raises(OutputError, match="is an archive to read"):
        extract_pages([str(path)], path, "trafilatura")

    assert path.read_bytes() == before


def test_no_page_at_all_is_an_error_that_keeps_the_file_that_was_there(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"no archive at all")
    (tmp_path / "docs.jsonl").write_text("before")

    with pytest.raises(InputError, match=r"no HTML page in the input: a.warc.gz: damaged"):
        extract_pages([str(tmp_path / "a.warc.gz")], tmp_path / "docs.jsonl", "trafilatura")

    assert (tmp_path / "docs.jsonl").read_text() == "before"
