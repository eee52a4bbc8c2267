"""The index that clip-retrieval makes: its own function, in a process of its own."""

import json
from dataclasses import replace

import numpy as np
import pytest

from openm3w.errors import InputError, ShardError
from openm3w.pipeline.searching import building, neighbours
from openm3w.shards.search import folder as layout
from openm3w.shards.search.nearest import Nearest
from openm3w.shards.search.vectors import Vectors, descending


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory):
    """An index folder with 300 images in two files, a part without rows between them."""
    folder = tmp_path_factory.mktemp("embeddings") / "with [brackets]"
    rng = np.random.default_rng(0)
    for number, rows in ((0, 200), (2, 100)):
        found = rng.standard_normal((rows, 16)).astype(np.float32)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        path = layout.embeddings_path(folder, "image", number)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, found.astype(np.float16))
    neighbours.build(folder, ["image"])
    return folder


@pytest.fixture
def vectors(embeddings):
    files = [
        (layout.embeddings_path(embeddings, "image", n), rows) for n, rows in ((0, 200), (2, 100))
    ]
    return Vectors(files, 16)


def test_clip_retrieval_indexes_in_the_order_of_the_files(embeddings, vectors):
    nearest = Nearest(layout.nearest_path(embeddings, "image"), vectors)
    for row in (0, 199, 200, 299):
        part, at = (0, row) if row < 200 else (2, row - 200)
        query = np.load(layout.embeddings_path(embeddings, "image", part))[at].astype(np.float32)
        best, score = next(nearest.descending(query, 1))
        assert (best, score) == (row, pytest.approx(1, abs=1e-3))
        # So few are kept as they are, and every one is found in the end.
        found = [row for row, _ in nearest.descending(query, 1)]
        assert found == [row for row, _ in descending(vectors.scores(query))]


def test_nothing_is_left_beside_it_and_no_path_of_the_machine(embeddings):
    assert sorted(path.name for path in embeddings.iterdir()) == [
        "image.index",
        "image.json",
        "img_emb",
    ]
    about = json.loads((embeddings / "image.json").read_text())
    assert about["index_path"] == "image.index"
    assert about["nb vectors"] == 300


def test_an_index_of_other_embeddings_or_of_none_is_refused(embeddings, tmp_path):
    path = layout.embeddings_path(embeddings, "image", 0)
    with pytest.raises(ShardError, match="300 rows, the embeddings have 200; index again"):
        Nearest(layout.nearest_path(embeddings, "image"), Vectors([(path, 200)], 16))
    (tmp_path / "image.index").write_bytes(b"no index")
    with pytest.raises(ShardError, match="not an index"):
        Nearest(tmp_path / "image.index", Vectors([(path, 200)], 16))


def test_where_the_index_knows_too_few_every_embedding_is_looked_at(
    index, pages, without, tmp_path
):
    import faiss

    index(pages, output=tmp_path / "x")
    flat = faiss.IndexFlatIP(4)
    flat.add(
        np.concatenate([np.load(p) for p in sorted((tmp_path / "x/img_emb").iterdir())]).astype(
            "f4"
        )
    )
    cells = faiss.IndexIVFFlat(faiss.IndexFlatIP(4), 4, 3, faiss.METRIC_INNER_PRODUCT)
    every = flat.reconstruct_n(0, 6)
    cells.train(np.repeat(every, 40, 0))
    cells.add(every)  # of which one cell of three is looked at
    faiss.write_index(cells, str(layout.nearest_path(tmp_path / "x", "image")))
    exact = index.searcher(tmp_path / "x", pages).search_text("red", 6)
    assert len(exact) == 6
    assert index.searcher(tmp_path / "x", pages, exact=False).search_text("red", 6) == exact
    assert index.searcher(tmp_path / "x", without("a"), exact=False).search_text("red", 6) == [
        hit for hit in exact if "/a/" not in hit.url
    ]


def test_what_clip_retrieval_cannot_do_is_one_line(tmp_path, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text("import sys; print('no\\nmemory', file=sys.stderr); sys.exit(3)")
    monkeypatch.setattr(neighbours, "_PROGRAM", program)
    (tmp_path / "x").mkdir()
    with pytest.raises(InputError, match=r"made no index \(memory\); the embeddings are whole"):
        neighbours.build(tmp_path / "x", ["image"])
    assert list((tmp_path / "x").iterdir()) == []


def test_the_index_follows_the_embeddings(index, pages, without, tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, "is_installed", lambda: True)
    runs = []

    def build(output, sides):
        runs.append(list(sides))
        for side in sides:
            layout.nearest_path(output, side).write_bytes(b"index")

    monkeypatch.setattr(building.neighbours, "build", build)
    assert index(pages, output=tmp_path / "x", what="both").index.indexed
    index(pages, output=tmp_path / "x", what="both")
    assert runs == [["image", "text"]]
    index(without("d"), output=tmp_path / "x", what="both")
    assert len(runs) == 2
    layout.nearest_path(tmp_path / "x", "text").unlink()
    index(without("d"), output=tmp_path / "x", what="both")
    assert len(runs) == 3


def test_an_interrupted_index_is_made_by_the_next_command(index, pages, tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, "is_installed", lambda: True)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(building.neighbours, "build", stop)
        with pytest.raises(KeyboardInterrupt):
            index(pages, output=tmp_path / "x")
    with pytest.raises(InputError, match="not finished"):
        index.searcher(tmp_path / "x", pages)
    monkeypatch.setattr(building.neighbours, "build", lambda *_: None)
    report = index(pages, output=tmp_path / "x")
    assert (report.embedded, report.index.finished, report.index.indexed) == (0, True, True)
    assert replace(report.index, finished=False) != report.index
