import json

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.text.sources import find_texts

LINE = json.dumps({"body": "a text"}) + "\n"


def test_lines_without_the_text_say_what_they_have(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(LINE * 5)

    with pytest.raises(InputError, match=r"x\.jsonl: no column 'nope'; it has body"):
        find_texts([str(path)], "nope")
    with pytest.raises(InputError, match=r"x\.jsonl: no column is known by name; .*has body"):
        find_texts([str(path)])
    assert find_texts([str(path)], "body").archives


@pytest.mark.parametrize(("before", "found"), [(99, True), (100, False)])
def test_the_first_hundred_lines_are_asked(tmp_path, before, found):
    path = tmp_path / "x.jsonl"
    path.write_text("{}\n" * (before - 1) + LINE + '{"text": "t"}\n')

    if found:
        assert find_texts([str(path)]).archives
    else:
        with pytest.raises(InputError, match="it has body"):
            find_texts([str(path)])


@pytest.mark.parametrize("data", [b"\n\n", b"not json\n", b"\xff\n"])
def test_lines_that_hold_no_object_are_left_to_be_counted(tmp_path, data):
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)

    assert find_texts([str(path)]).archives
