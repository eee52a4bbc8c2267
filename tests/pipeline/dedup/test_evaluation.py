import pytest

from openm3w.errors import InputError, RecipeError
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.dedup import evaluation
from openm3w.pipeline.dedup.evaluation import digests, load, read_texts
from openm3w.pipeline.planning import make_plan


def written(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.txt", "one two\r\n\n  \nthree\n", ["one two", "three"]),
        ("a.txt", "﻿one", ["one"]),
        ("a.jsonl", '{"text": "one", "id": 1}\n\n{"question": "two?"}', ["one", "two?"]),
        ("a.jsonl", '{"question": "two?", "text": "one"}', ["one"]),
    ],
)
def test_a_line_is_a_text(tmp_path, name, content, texts):
    assert list(read_texts(written(tmp_path, content, name))) == texts


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.csv", "one", RecipeError, r"evaluation_texts: .*a\.csv is neither \.txt"),
        ("a.txt", b"\xff\xfe", InputError, r"a\.txt: is no UTF-8"),
        ("a.jsonl", '{"text": "a"}\n{', InputError, r"a\.jsonl:2: is no JSON"),
        ("a.jsonl", "[" * 100_000, InputError, r"a\.jsonl:1: is no JSON"),
        ("a.jsonl", '{"answer": "a"}', InputError, r"a\.jsonl:1: expected .*'text' or 'question'"),
        ("a.jsonl", '{"text": 3}', InputError, r"a\.jsonl:1: expected"),
        ("a.jsonl", '["text"]', InputError, r"a\.jsonl:1: expected"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_place(tmp_path, name, content, error, message):
    with pytest.raises(error, match=message) as caught:
        list(read_texts(written(tmp_path, content, name)))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named():
    for read in (lambda path: digests([path]), lambda path: load([path], 13)):
        with pytest.raises(InputError, match=r"evaluation_texts: /nowhere/a\.txt: No such file"):
            read("/nowhere/a.txt")


def test_files_add_up_and_digests_follow_their_contents(tmp_path):
    one, two = (written(tmp_path, f"{name} b c d", f"{name}.txt") for name in "xy")

    assert load([one], 3).size == 2
    assert load([one, two], 3).size == 3  # "b c d" is in both
    before = digests([one, two])
    written(tmp_path, "x b c d e", "x.txt")
    assert load([one, two], 3).size == 4, "the file of before"
    assert digests([one, two])[1:] == before[1:]
    with pytest.raises(InputError, match=r"x\.txt, .*y\.txt: changed during the build"):
        load([one, two], 3, before)
    assert load([one, two], 3, digests([one, two])).size == 4
    assert digests([one, two])[0] != before[0]


def test_a_file_without_a_text_long_enough_is_refused(tmp_path):
    path = written(tmp_path, "too short\n", "a.txt")

    with pytest.raises(RecipeError, match=r"a\.txt has no text of 3 words or more"):
        load([path], 3)
    assert load([path], 2).size == 1
    four = written(tmp_path, "of four words alone\n", "b.txt")
    with pytest.raises(RecipeError, match=r"b\.txt has no text of 5 words or more"):
        load([four], 13)
    assert load([four], 4).size == 1


def test_how_many_texts_are_short_is_told_before_any_work(tmp_path, archive):
    long, short = " ".join(f"w{at}" for at in range(13)), "one two three four five"
    one = written(tmp_path, f"{long}\n{short}\n{short} six\n", "a.txt")
    two = written(tmp_path, f"{short} seven\none two three four\n", "b.txt")
    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")
    said = []

    def planned(*files):
        names = ",".join(f'"{file}"' for file in files)
        recipe = recipes.load("kosmos1", (f"dedup.evaluation_texts=[{names}]", "floor=[]"))
        make_plan(recipe, [str(source)], tmp_path / "out", None, said.append)

    planned(one, two)
    assert said[-1] == (
        "evaluation texts: 5; 3 of fewer than 13 words are looked for as a whole, "
        "1 of fewer than 5 are not looked for"
    )
    with pytest.raises(InputError, match=r"c\.jsonl:1: is no JSON"):
        planned(written(tmp_path, "{", "c.jsonl"))


def test_more_than_memory_should_hold_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path, "a b c d e f", "a.txt")
    monkeypatch.setattr(evaluation, "MAX_NGRAMS", 5)
    assert load([path], 2).size == 5
    with pytest.raises(InputError, match="more than 5 runs of 1 words"):
        load([path], 1)
