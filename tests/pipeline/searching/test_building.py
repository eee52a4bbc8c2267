import hashlib
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.searching import parts
from openm3w.shards.search import folder as layout


def tree(folder):
    """Every file below `folder` with its digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(folder):
    """Metadata and vectors of all parts, in clip-retrieval's order."""
    tables = [pq.read_table(path) for path in sorted((folder / "metadata").glob("*.parquet"))]
    metadata = [row for table in tables for row in table.to_pylist()]
    vectors = {
        side: np.concatenate([np.load(p) for p in sorted(sub.glob("*.npy"))])
        for side in layout.SIDES
        if (sub := layout.embeddings_path(folder, side, 0).parent).is_dir()
    }
    return metadata, vectors


def no_load():
    raise AssertionError("the model was loaded")


@pytest.mark.parametrize(
    ("what", "counts"),
    [
        ("images", {"indexed": 6, "undecodable": 1, "no_picture": 1}),
        ("both", {"indexed": 6, "undecodable": 1, "no_picture": 1}),
        ("texts", {"indexed": 8}),
    ],
)
def test_every_picture_has_one_outcome(index, pages, tmp_path, what, counts):
    report = index(pages, output=tmp_path / "x", what=what)
    assert report.counts == counts
    documents_without = 1
    assert sum(counts.values()) == pages.images + documents_without
    assert report.index.rows == counts["indexed"] == len(rows(tmp_path / "x")[0])


def test_files_are_those_of_clip_retrieval_and_rows_belong_together(index, pages, made, tmp_path):
    index(pages, output=tmp_path / "x", what="both")
    names = {name for name in tree(tmp_path / "x") if not name.startswith("openm3w/")}
    assert names == {
        f"{folder}/{folder}_{part:04d}.npy"
        for folder in ("img_emb", "text_emb")
        for part in range(3)
    } | {f"metadata/metadata_{part:04d}.parquet" for part in range(3)}
    metadata, vectors = rows(tmp_path / "x")
    key = made.pages[0][0].key
    assert metadata[1] == {
        "image_path": f"{key}.001.jpg",
        "caption": "the blue sea",
        "url": "https://img.example/a/1",
        "key": key,
        "picture": 2,
        "page_url": "https://example.org/a",
    }
    said = [row["caption"] for row in metadata]
    assert said[:3] == ["a red tram", "the blue sea", "A green field is what follows."]
    model = made.model()
    datas = [data for part in made.pages for s in part for data in s.images if b" no " not in data]
    expected = np.stack([model.encode_image(data) for data in datas]).astype(np.float16)
    np.testing.assert_array_equal(vectors["image"], expected)
    np.testing.assert_array_equal(
        vectors["text"], model.encode_texts(said).numpy().astype(np.float16)
    )


def test_of_what_nothing_is_said_nothing_is_similar(index, made, tmp_path):
    silent = made.page("s", ("red", {}))
    dataset = made.write(tmp_path / "out", [[made.page("a", ("blue", {"alt": "sea"})), silent]])
    # A page has a title in the end.
    metadata, _ = (index(dataset, output=tmp_path / "x", what="both"), rows(tmp_path / "x"))[1]
    assert [row["caption"] for row in metadata] == ["sea", "Page s"]


def test_a_document_without_any_words_is_counted_and_its_picture_found(index, made, tmp_path):
    from dataclasses import replace

    silent = made.page("s", ("red", {}))
    silent = replace(silent, document=replace(silent.document, title=""))
    dataset = made.write(tmp_path / "out", [[silent, made.page("b", ("blue", {"alt": "sea"}))]])
    report = index(dataset, output=tmp_path / "t", what="texts")
    assert report.counts == {"indexed": 1, "no_words": 1}
    index(dataset, output=tmp_path / "x", what="both")
    assert rows(tmp_path / "x")[1]["text"][0].tolist() == [0, 0, 0, 0]
    among = {side: index.searcher(tmp_path / "x", dataset, side=side) for side in ("image", "text")}
    assert [hit.url[-3:] for hit in among["image"].search_text("red", 9)] == ["s/0", "b/0"]
    assert [hit.url[-3:] for hit in among["text"].search_text("red", 9)] == ["b/0"]


def test_the_same_command_again_has_nothing_to_do(index, pages, tmp_path):
    first = index(pages, output=tmp_path / "x")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "x").rglob("*")}
    again = index(pages, output=tmp_path / "x", load=no_load)
    assert again.embedded == 0
    assert (again.index, again.counts) == (first.index, first.counts)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "x").rglob("*") if p.is_file()} == {
        path: time for path, time in before.items() if path.is_file()
    }
    assert index.said == []


@pytest.mark.parametrize("stop_at", range(1, 12))
def test_wherever_it_stops_the_same_command_goes_on_to_the_same_bytes(
    index, pages, tmp_path, monkeypatch, stop_at
):
    index(pages, output=tmp_path / "whole", what="both")
    count, committed = Counter(), parts.commit.committed

    def counted(path, **options):
        count["files"] += 1
        if count["files"] == stop_at:
            raise KeyboardInterrupt
        return committed(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(parts.commit, "committed", counted)
        with pytest.raises(KeyboardInterrupt):
            index(pages, output=tmp_path / "x", what="both")
    report = index(pages, output=tmp_path / "x", what="both")
    assert tree(tmp_path / "x") == tree(tmp_path / "whole")
    # A file about the whole, then five for each shard, the one that vouches for them last.
    assert report.embedded == 3 - max(0, (stop_at - 2)) // 5


def test_what_a_killed_run_left_half_written_goes(index, pages, tmp_path):
    index(pages, output=tmp_path / "x")
    before = tree(tmp_path / "x")
    for folder in ("img_emb", "metadata", "openm3w"):
        (tmp_path / "x" / folder / ".part_0000.json.0a1b.tmp").write_text("half")
    index(pages, output=tmp_path / "x", load=no_load)
    assert tree(tmp_path / "x") == before


def test_what_is_excluded_later_leaves_the_index_and_only_its_shard_is_embedded(
    index, pages, without, made, tmp_path
):
    index(pages, output=tmp_path / "x")
    changed = without("d")
    report = index(changed, output=tmp_path / "x")
    assert report.embedded == 1
    assert "has changed" in index.said[0]
    assert report.counts == {"indexed": 5, "undecodable": 1, "no_picture": 1, "excluded": 1}
    key = made.pages[1][1].key
    assert key not in {row["key"] for row in rows(tmp_path / "x")[0]}
    assert not any(
        key.encode() in path.read_bytes() for path in (tmp_path / "x" / "metadata").iterdir()
    )
    back = index(pages, output=tmp_path / "x")  # and comes back where it is excluded no more
    assert (back.embedded, back.counts["indexed"]) == (1, 6)


def test_shards_that_are_gone_leave_nothing(index, pages, made, tmp_path):
    index(pages, output=tmp_path / "x", what="both")
    fewer = made.write(tmp_path / "fewer", made.pages[:1])
    assert index(fewer, output=tmp_path / "x", what="both", load=no_load).embedded == 0
    index(fewer, output=tmp_path / "y", what="both")
    assert tree(tmp_path / "x") == tree(tmp_path / "y")


def test_a_part_that_lost_a_file_is_made_again(index, pages, tmp_path):
    index(pages, output=tmp_path / "x")
    layout.embeddings_path(tmp_path / "x", "image", 1).unlink()
    assert index(pages, output=tmp_path / "x").embedded == 1


def test_a_mixture_is_indexed_as_one(index, pages, made, tmp_path):
    other = made.write(tmp_path / "more", [[made.page("m", ("red", {"alt": "a red door"}))]])
    report = index(pages, other, output=tmp_path / "x")
    assert report.counts["indexed"] == 7
    found = index.searcher(tmp_path / "x", pages, other).search_text("red", 2)
    assert [(hit.number, hit.alt) for hit in found] == [(0, ""), (5, "a red door")]


def test_a_folder_of_something_else_is_left_alone(index, pages, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else is there"):
        index(pages, output=tmp_path / "x")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_id": "shapes-1"}, "holds embeddings of colours-1, not of shapes-1"),
        ({"what": "both"}, "made with --what images"),
    ],
)
def test_an_index_of_another_sort_is_left_alone(index, pages, tmp_path, change, said):
    index(pages, output=tmp_path / "x")
    before = tree(tmp_path / "x")
    with pytest.raises(OutputError, match=said):
        index(pages, output=tmp_path / "x", **change)
    assert tree(tmp_path / "x") == before
