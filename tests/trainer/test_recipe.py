import pytest

from openm3w.errors import RecipeError
from openm3w.trainer.recipe import FOLDER, identity, load

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.toml")))
def test_every_shipped_recipe_decodes(name):
    assert load(name).schedule.steps > 0


def test_the_big_recipe_is_the_published_one():
    recipe = load("kosmos1-1.3b")
    model = recipe.model
    assert (model.layers, model.width, model.ffn_width, model.heads) == (24, 2048, 8192, 32)
    assert model.image_slots == 64
    tokens = recipe.data.rows_per_step * recipe.data.sequence_length
    assert tokens == pytest.approx(1.2e6, rel=1e-3)
    optimizer = recipe.optimizer
    assert (optimizer.lr, optimizer.betas, optimizer.weight_decay) == (2e-4, (0.9, 0.98), 0.01)
    schedule = recipe.schedule
    assert (schedule.steps, schedule.warmup, schedule.shape) == (300_000, 375, "linear")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.layer=3", "unknown key 'layer' (did you mean 'layers'?)"),
        ("run.precision=fp16", "'fp16' is none of fp32, bf16"),
        ("model.width=33", "model.width 33"),
        (
            "data.sequence_length=11",
            "an image of 8 slots needs at least 12",
        ),
        ("tokenizer.kind=words", "tokenizer.kind 'words'"),
        ("optimizer.betas=[0.9]", "optimizer.betas"),
        ("optimizer.lr=0", "optimizer.lr"),
        ("optimizer.lr=nan", "optimizer: lr: nan is no value"),
        ("optimizer.lr=inf", "optimizer.lr"),
        ("run.log_every=0", "run.log_every"),
        ("data.mixture={text=1,captions=1}", "unknown kind 'captions'"),
    ],
)
def test_a_mistake_is_named_in_one_line(override, message):
    with pytest.raises(RecipeError) as caught:
        load("kosmos1-tiny", [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_run_computes_is_its_identity_and_how_it_reports_is_not():
    same = ["run.log_every=3", "run.device=cpu", "data.feature_cache_gb=0.5"]
    other = ["run.seed=1", "model.layers=5", "data.holdout_share=0.3", "run.precision=bf16"]
    here = identity(load("kosmos1-tiny"))
    assert all(identity(load("kosmos1-tiny", [change])) == here for change in same)
    assert all(identity(load("kosmos1-tiny", [change])) != here for change in other)
