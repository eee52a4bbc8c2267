import pytest

from openm3w.pipeline.captions.build import make_plan
from openm3w.pipeline.captions.lookup import (
    first_step,
    in_folder,
    look_in_folders,
    looked_up,
    next_step,
    num_steps,
)
from openm3w.pipeline.captions.recipe import load
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.images.resolve import Chase, Found, Resource


def folder(path, name):
    return ImagePlace(kind="folder", path=path, name=name, digest="d")


def held(unit="u", offset=0, location=""):
    return Resource(
        unit=unit,
        offset=offset,
        kind="response",
        content="image",
        status=200,
        location=location,
        digest="",
        fetched="",
    )


@pytest.fixture
def two_folders(tmp_path):
    for name, files in {"a": ("1.jpg", "2.jpg"), "b": ("2.jpg", "3.jpg")}.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_bytes(b"")
    return folder(tmp_path / "a", "a"), folder(tmp_path / "b", "b")


def test_the_one_folder_that_has_an_image_is_found(two_folders):
    a, b = two_folders

    assert look_in_folders("|1.jpg", two_folders) == Found("|1.jpg", a.unit)
    assert look_in_folders("|3.jpg", two_folders) == Found("|3.jpg", b.unit)
    assert look_in_folders("|4.jpg", two_folders) is None


def test_a_name_in_two_folders_is_ambiguous_unless_the_table_stands_in_one(two_folders):
    b = two_folders[1]

    assert look_in_folders("|2.jpg", two_folders) == Found("|2.jpg", reason="ambiguous_name")
    assert look_in_folders(f"{b.unit}|2.jpg", two_folders) == Found(f"{b.unit}|2.jpg", b.unit)


def test_a_search_begins_at_the_url_or_at_the_path():
    assert first_step("|http://x.org/a.jpg").key == "url:http://x.org/a.jpg"
    assert first_step("scope|d/a.jpg").key == "path:d/a.jpg"


@pytest.mark.parametrize(
    ("key", "having", "step"),
    [
        ("path:d/a.jpg", [held(offset=5)], Found("o", "u", 5)),
        ("path:d/a.jpg", [held("u"), held("v")], Found("o", reason="ambiguous_name")),
        ("path:d/a.jpg", [], Chase("o", "last:a.jpg")),
        ("last:a.jpg", [held(offset=7)], Found("o", "u", 7)),
        ("last:a.jpg", [held(), held(offset=7)], Found("o", reason="ambiguous_name")),
        ("last:a.jpg", [], Found("o", reason="not_found")),
        ("url:http://x/", [], Found("o", reason="not_found")),
        ("url:http://x/", [held(), held(offset=7)], Found("o", "u", 0)),
        ("url:http://x/", [held(location="http://y/")], Chase("o", "url:http://y/", 1)),
    ],
)
def test_steps_of_a_search(key, having, step):
    assert next_step(Chase("o", key), having) == step


def test_what_was_found_beside_a_table_stays_found_for_a_run_that_was_stopped(tmp_path):
    (tmp_path / "t.csv").write_text("url,text\na.jpg,a caption\nb.jpg,another\n")
    (tmp_path / "a.jpg").write_bytes(b"1")
    asking = ("images.source=http", "fetch.manners.contact=me@site.example")

    def looked(output, *overrides):
        plan = make_plan(load(overrides=overrides), [str(tmp_path / "t.csv")], tmp_path / output)
        scope = plan.scope_of(plan.tables[0])
        wanted = [f"{scope}|a.jpg", f"{scope}|b.jpg"]
        return plan, [
            isinstance(in_folder(*each), Found) for each in looked_up(plan, "block", wanted)
        ]

    first, found = looked("out", *asking)
    assert found == [True, False]
    assert looked("files")[1] == [True, False]
    (tmp_path / "a.jpg").rename(tmp_path / "b.jpg")
    again, found = looked("out", *asking)
    assert found == [True, False]
    assert again.identity == first.identity
    # Another build looks anew, and so does one of files, which tells its folders by what they hold.
    assert looked("another", *asking)[1] == looked("files")[1] == [False, True]


@pytest.mark.parametrize(
    ("kinds", "steps"),
    [(["folder"], 0), (["tar"], 2), (["archive"], 5), (["tar", "archive"], 5), ([], 0)],
)
def test_searches_take_as_many_joins_as_the_places_need(tmp_path, kinds, steps):
    places = [ImagePlace(kind=kind, path=tmp_path, name=kind, digest="d") for kind in kinds]

    assert num_steps(places, archive_joins=5) == steps
