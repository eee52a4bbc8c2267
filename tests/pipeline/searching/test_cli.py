"""`m3w index` and `m3w search` as a user types them, with the real LiT model."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from openm3w.cli import main
from openm3w.pipeline.searching import encoding, index_cli, serving
from openm3w.shards.search import folder as layout
from openm3w.shards.search import nearest
from openm3w.trainer.encoders import load_similarity

pytestmark = pytest.mark.torch


@pytest.fixture
def m3w(capsys):
    """`m3w(*words)`: exit code, standard output, standard error."""

    def call(*words):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        shown = capsys.readouterr()
        return stop.value.code, shown.out, shown.err

    return call


@pytest.fixture(scope="module")
def load():
    """The real models, each loaded once."""
    return functools.cache(load_similarity)


@pytest.fixture
def out(index, pages, tmp_path, monkeypatch, load):
    """A dataset of colours and their names in the folder that one stands in."""
    del index, pages
    monkeypatch.chdir(tmp_path)
    for module in (index_cli, encoding):
        monkeypatch.setattr(module, "load_similarity", load)
    return Path("out")


def test_from_a_dataset_to_answers(m3w, out, made, monkeypatch):
    code, printed, said = m3w("index", out, "--what", "both", "--model", "lit")
    assert (code, printed.count("\n")) == (0, 3)
    assert printed.startswith("out.index: 6 embeddings of 256 numbers, by lit-f8k-")
    assert "outcomes: indexed 6, undecodable 1, no_picture 1" in printed
    assert 'search: m3w search out "words"\n' in printed
    assert "shard 3 of 3: 2 embeddings" in said
    assert "pip install 'openm3w[search]'" in said  # clip-retrieval is away

    code, printed, said = m3w("search", out, "snow", "--in", "texts", "--limit", "2")
    lines = [line.split("\t") for line in printed.splitlines()]
    assert (code, len(lines)) == (0, 2)
    assert lines[0][1:] == ["5", made.pages[2][0].key, "1", "https://img.example/e/0", "white snow"]
    assert "every embedding is looked at, since there is no index" in said

    (out.parent / "tram.png").write_bytes(made.picture("red"))
    code, printed, said = m3w(
        "search", out, "--image", "tram.png", "--limit", "1", "--exact", "--json"
    )
    (hit,) = json.loads(printed)
    assert (code, said) == (0, "")
    assert (hit["number"], hit["picture"], hit["caption"]) == (1, 1, "a red tram")
    assert hit["score"] == pytest.approx(1, abs=1e-3)

    monkeypatch.setattr(nearest, "is_installed", lambda: False)
    _, _, said = m3w("search", out, "snow", "--limit", "1")
    assert "since faiss is not installed; pip install 'openm3w[search]'" in said

    code, printed, said = m3w(
        "search", out, "snow", "--limit", "1", "--in", "texts", "--images", "blocks"
    )
    assert code == 0
    assert "\u2580" in printed  # half blocks of the picture
    assert f"{made.pages[2][0].key} · m3w view out 5" in printed

    code, printed, _ = m3w("index", out, "--what", "both", "--model", "lit", "--json")
    again = json.loads(printed)
    assert (again["embedded_shards"], again["rows"], again["indexed"]) == (0, 6, False)

    searcher = serving.open_searcher(Path("out.index"), [_dataset(out)])
    assert searcher.search_image(made.picture("red"), 1)[0].url == hit["url"]


def _dataset(out):
    from openm3w.shards import manifest

    return manifest.load(out)[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("out",), 2, "name words or --image"),
        (("out", "red", "--image", "tram.png"), 2, "name words or --image"),
        (("out", "red"), 1, "no index there; make one with `m3w index"),
        (("nowhere", "red"), 1, "no manifest there"),
        (("out", "red", "--limit", "0"), 2, "0 is not in the range"),
    ],
)
def test_what_cannot_be_searched_is_one_line(m3w, out, words, code, said):
    (out.parent / "tram.png").write_bytes(b"")
    found, printed, error = m3w("search", *words)
    assert (found, printed) == (code, "")
    assert said in error
    assert error.count("\n") == 1


def test_an_index_is_of_one_model_and_one_of_a_file_has_to_be_named(m3w, out, index, pages):
    index(pages, output=Path("out.index"))
    _, _, said = m3w("search", out, "red")
    assert "made with a model from a file (colours-1); name it with --model" in said
    _, _, said = m3w("search", out, "red", "--model", "lit")
    assert "holds embeddings of colours-1, not of lit-f8k-" in said
    _, _, said = m3w("index", out, "--model", "lit")
    assert "holds embeddings of colours-1" in said


def test_a_picture_that_does_not_decode_is_one_line(m3w, out, index, pages, made):
    index(pages, output=Path("out.index"))
    about = json.loads(layout.about_path(Path("out.index")).read_text())
    from openm3w.trainer.encoders.specs import similarity_id

    about |= {"model": "lit", "model_id": similarity_id("lit")}
    layout.about_path(Path("out.index")).write_text(json.dumps(about))
    Path("tram.png").write_bytes(made.picture(made.broken))
    code, _, said = m3w("search", out, "--image", "tram.png", "--exact")
    assert (code, said) == (1, "m3w: the picture to search with does not decode\n")


@pytest.mark.parametrize("name", ["index", "search"])
def test_help_imports_neither_torch_nor_numpy(name):
    code = (
        "import sys\nfrom openm3w.cli import main\n"
        f"try:\n    main(['{name}', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'numpy', 'faiss', 'pyarrow', 'apache_beam'} & sys.modules.keys()))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert printed.endswith("\n[]\n")


def test_searching_needs_no_torch_until_a_question_is_asked():
    code = (
        "import sys, openm3w.shards.search.searching, openm3w.pipeline.searching.serving\n"
        "assert 'torch' not in sys.modules and 'apache_beam' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("out")
def test_of_a_dataset_without_pictures_the_texts_are_indexed(m3w, made):
    made.write(Path("words"), [[made.page("w", "A tram is red."), made.page("v", "The sea.")]])
    _, printed, _ = m3w("index", "words", "--model", "lit", "--json")
    assert json.loads(printed)["counts"] == {"indexed": 2}
    _, printed, said = m3w("search", "words", "a tram", "--limit", "1")
    assert printed.split("\t")[1:5] == ["1", made.page("w").key, "0", "https://example.org/w"]
    assert "no index" in said


def test_that_nothing_was_found_is_said(m3w, out, without):
    m3w("index", out, "--model", "lit", "--what", "texts")
    without("a", "b", "c", "d", "e")
    code, printed, said = m3w("search", out, "red", "--exact")
    assert (code, printed) == (0, "")
    assert "nothing was found" in said
