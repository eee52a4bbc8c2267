import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import InputError
from openm3w.pipeline.images.decode import Encoding, encode
from openm3w.pipeline.images.listing import write_phashes
from openm3w.pipeline.images.lists import read_evaluation_images


@pytest.fixture
def folder(tmp_path, image_bytes):
    root = tmp_path / "pictures"
    (root / "deep").mkdir(parents=True)
    (root / "b.png").write_bytes(image_bytes(200, 150, seed=1))
    (root / "deep" / "a.JPG").write_bytes(image_bytes(200, 150, "JPEG", seed=2))
    (root / "broken.png").write_bytes(b"\x89PNG")
    (root / "notes.txt").write_text("no picture", encoding="utf-8")
    return root


def test_a_folder_becomes_a_list_that_a_recipe_takes(folder, tmp_path):
    output = tmp_path / "list.txt"

    result = CliRunner().invoke(cli, ["filters", "phash", str(folder), "--output", str(output)])

    assert result.exit_code == 0
    assert "2 pictures; 1 files could not be decoded" in result.output
    lines = output.read_text(encoding="utf-8").splitlines()
    assert [line.partition("  # ")[2] for line in lines] == ["b.png", "deep/a.JPG"]
    known = read_evaluation_images([str(output)])
    for name in ("b.png", "deep/a.JPG"):
        picture = encode((folder / name).read_bytes(), Encoding())
        assert known.nearest(picture.measures.phash) == 0


def test_a_folder_without_pictures_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"no picture .* among 0 files"):
        write_phashes(tmp_path, tmp_path / "list.txt")
    with pytest.raises(InputError, match="no folder"):
        write_phashes(tmp_path / "gone", tmp_path / "list.txt")
    assert list(tmp_path.iterdir()) == []
