import json

from openm3w.pipeline.demo import content, texts


def _lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_no_two_texts_are_alike(tmp_path):
    number = texts.write_texts(content.load(), tmp_path)
    found = [line["text"] for line in _lines(tmp_path / texts.TEXTS_NAME)]
    assert len(found) == len(set(found)) == number >= 150


def test_no_slot_is_left_open_and_texts_are_long_enough_to_be_kept(tmp_path):
    texts.write_texts(content.load(), tmp_path)
    for line in _lines(tmp_path / texts.TEXTS_NAME):
        assert "{" not in line["text"]
        assert len(line["text"].split()) >= 50


def test_every_caption_has_its_picture_beside_the_table(tmp_path):
    number = texts.write_captions(content.load(), tmp_path)
    rows = _lines(tmp_path / texts.CAPTIONS_NAME)
    assert len(rows) == number >= 150
    assert all((tmp_path / row["file"]).is_file() for row in rows)
    assert all(row["caption"] for row in rows)
