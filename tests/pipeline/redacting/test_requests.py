"""What a request names, as values and in files."""

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.redacting.requests import entries

SHA, ID = "ab" * 32, "0123456789abcdef" * 2


def named(**options):
    return {name.replace("_", "-"): tuple(values) for name, values in options.items()}


def test_values_and_lines_of_files_are_told_apart_by_whether_the_file_is_there(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.example").write_text("# theirs\nb.example\n\nC.example  # too\n")
    found = entries(named(domain=["a.example", "d.example"]), ())
    assert sorted(found) == [(s, f"{n}.example") for s, n in (("domain", n) for n in "bcd")]


def test_a_list_may_hold_all_sorts(tmp_path):
    path = tmp_path / "all.txt"
    path.write_text(f"https://a.example/x#y\nb.example\n{SHA.upper()}\n{ID}\n")
    assert sorted(entries({}, [str(path)])) == [
        ("doc-id", ID),
        ("domain", "b.example"),
        ("sha256", SHA),
        ("url", "a.example/x"),
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"domain": ["takedowns.txt"]}, "no such file"),
        ({"sha256": ["a.example"]}, "--sha256"),
        ({"url": ["a.example"]}, "--url"),
        ({"domain": ["https://a.example/"]}, "--domain"),
        ({"domain": ["co.uk"]}, "public suffix"),
        ({"doc-id": ["no\tkey"]}, "no document's id"),
    ],
)
def test_what_is_of_another_sort_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        entries({name: tuple(values) for name, values in options.items()}, ())


@pytest.mark.parametrize("key", ["000000017", "IMG_001", "0000/abc", "héllo", "k" * 300])
def test_keys_of_others_are_ids_too(key):
    assert entries(named(doc_id=[key]), ()) == [("doc-id", key)]
