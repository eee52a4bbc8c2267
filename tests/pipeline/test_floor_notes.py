"""Lines that a build begins with; nothing is run."""

import json
import re
from pathlib import Path

import pytest

from openm3w.cli import main
from openm3w.errors import RecipeError
from openm3w.pipeline import history_cli, planning, refilter, refilter_cli
from openm3w.pipeline import recipe as recipes

ROOT = Path(__file__).parents[2]
POSSIBLE = 'floor=["kosmos1", "m3w", "obelics"]'


@pytest.fixture
def begun(archive, tmp_path):
    """Maker of a plan of `kosmos1` and of what was said on the way."""
    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")

    def make(*overrides):
        said = []
        recipe = recipes.load("kosmos1", overrides)
        plan = planning.make_plan(recipe, [str(source)], tmp_path / "out", None, said.append)
        return plan, [line for line in said if line.startswith(("floor: ", "images."))]

    return make


def test_each_profile_of_the_floor_that_a_build_closes_is_told_with_why(begun):
    plan, notes = begun('floor=["omnicorpus", "openm3w", "m3w"]')
    assert len(notes) == 2
    assert notes[0].startswith("floor: omnicorpus cannot be chosen later: ")
    assert 'add "clip-mlp:PATH" to scores.safety' in notes[0]
    assert notes[1].startswith("floor: openm3w cannot be chosen later: ")
    assert "scores.model is none" in notes[1]
    # As it is when one asks.
    for name, note in zip(("omnicorpus", "openm3w"), notes, strict=True):
        with pytest.raises(RecipeError) as refused:
            refilter.with_profile(plan, name)
        assert note.endswith(str(refused.value))
    assert refilter.with_profile(plan, "m3w")


def test_a_floor_that_stays_possible_is_not_spoken_of(begun):
    assert begun(POSSIBLE)[1] == []


def test_a_dry_run_s_notes_are_no_part_of_its_json(begun, tmp_path, capsys):
    begun()
    with pytest.raises(SystemExit) as stop:
        main(["build", "kosmos1", "-i", str(tmp_path / "a.warc.gz"), "-o", str(tmp_path / "out"),
              "--dry-run"])  # fmt: skip
    assert stop.value.code == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["profile"]["description"]
    assert "floor: openm3w cannot be chosen later" in err


def test_evaluation_images_that_no_profile_asks_about_are_told(begun, tmp_path):
    (tmp_path / "coco.txt").write_text("0123456789abcdef\n")
    listed = f'images.evaluation_images=["{tmp_path / "coco.txt"}"]'
    _, (note,) = begun(POSSIBLE, listed)
    assert note.endswith('profile_set=["image.evaluation_distance=5"]')
    (tmp_path / "exact.toml").write_text("[image]\nevaluation_distance = 0\n")
    for asks in (
        'profile_set=["image.evaluation_distance=5"]',
        f'floor=["{tmp_path / "exact.toml"}"]',
    ):
        assert begun(POSSIBLE, listed, asks)[1] == []


def test_examples_name_profiles_that_a_default_build_leaves_possible():
    choosing = (ROOT / "docs/choosing.md").read_text(encoding="utf-8")
    for text in (refilter_cli.refilter.help, history_cli.explain.help, choosing):
        examples = [line for line in text.splitlines() if line.strip().startswith("m3w ")]
        named = {name for line in examples for name in re.findall(r"(?:-p|--profile) (\w+)", line)}
        assert named
        assert named <= set(recipes.BuildRecipe().floor)
