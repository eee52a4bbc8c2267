import pytest

from openm3w.errors import OutputError
from openm3w.pipeline import build as builds
from openm3w.pipeline import publish
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.reopening import reopen


def test_a_build_whose_evaluation_texts_changed_is_to_be_built_again(archive, tmp_path):
    source = archive.page("http://a.example/", "<p>words").write(tmp_path / "a.warc.gz")
    listed = tmp_path / "test.txt"
    listed.write_text("one two three four five\n")
    settings = ("scores.model=none", "dedup.ngram=5", f'dedup.evaluation_texts=["{listed}"]')
    recipe = recipes.load("kosmos1", settings)
    plan = builds.make_plan(recipe, [str(source)], tmp_path / "out", None, lambda _: None)
    publish.claim(plan.output, plan.store, builds.identity(plan))

    assert reopen(tmp_path / "out").fingerprints == plan.fingerprints
    listed.write_text("one two three four six\n")
    with pytest.raises(OutputError, match=r"an evaluation text has changed since; run the same"):
        reopen(tmp_path / "out")
    assert reopen(tmp_path / "out", needs="documents").units == plan.units
