import json

import pytest
import torch

from openm3w.trainer.evaluate import evaluate, shuffled
from openm3w.trainer.log import RunLog
from openm3w.trainer.loop import train
from openm3w.trainer.recipe import load
from openm3w.trainer.run import open_run

pytestmark = pytest.mark.torch


def trained(recipe, manifests, folder, steps, *overrides):
    run = open_run(load(str(recipe), overrides), manifests, folder, say=lambda _: None)
    log = RunLog(folder, lambda _: None, tensorboard=False, resume_step=0)
    figures = train(run, log, stop_at=steps)
    return run, figures


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.task.model.parameters()])


def test_a_step_in_small_batches_is_the_step_in_one(tiny_recipe, mixture, tmp_path):
    plain = ["model.dropout=0.0", "data.rows_per_step=6"]
    one, _ = trained(tiny_recipe, mixture, tmp_path / "1", 2, *plain, "data.rows_per_batch=6")
    many, _ = trained(tiny_recipe, mixture, tmp_path / "2", 2, *plain, "data.rows_per_batch=1")
    assert torch.allclose(weights(one), weights(many), atol=1e-4)
    assert one.loader.total == many.loader.total


def test_the_loss_falls(tiny_recipe, mixture, tmp_path):
    _, figures = trained(tiny_recipe, mixture, tmp_path / "run", 12, "run.log_every=2")
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if row["kind"] == "train"]
    assert losses[-1] < losses[0] - 0.5
    assert figures["loss"] == losses[-1]


def test_bf16_trains_and_keeps_its_weights_in_fp32(tiny_recipe, mixture, tmp_path):
    run, figures = trained(tiny_recipe, mixture, tmp_path / "run", 2, "run.precision=bf16")
    assert 0 < figures["loss"] < 10
    assert {p.dtype for p in run.task.model.parameters()} == {torch.float32}


def test_reports_hold_ratios_and_counters_of_every_source(tiny_recipe, mixture, tmp_path):
    _, figures = trained(tiny_recipe, mixture, tmp_path / "run", 12)
    sources = figures["sources"]
    assert sum(s["target"] for s in sources.values()) == pytest.approx(1)
    assert sum(s["total"] for s in sources.values()) == pytest.approx(1)
    assert sum(s["recent"] for s in sources.values()) == pytest.approx(1)
    for source in sources.values():
        given = source["given_in_all"]
        positions = given["text"] + given["image_slot"] + given["special"] + given["pad"]
        assert positions == 96 * given["rows"]
        assert source["total"] == pytest.approx(source["target"], abs=0.05)
        assert source["read"]["documents"] > 0
    assert 0 <= figures["encoder_share"] <= figures["data_wait_share"] <= 1


def test_the_time_of_an_evaluation_between_two_reports_is_all_that_is_left_out(
    tiny_recipe, mixture, tmp_path, monkeypatch
):
    clock = iter(range(1_000_000))
    monkeypatch.setattr("openm3w.trainer.loop.time.perf_counter", lambda: float(next(clock)))
    plain = ["run.log_every=6", "data.feature_cache_gb=0.1"]
    never = trained(tiny_recipe, mixture, tmp_path / "a", 6, *plain, "run.eval_documents=0")[1]
    often = trained(tiny_recipe, mixture, tmp_path / "b", 6, *plain, "run.eval_every=5")[1]
    # Both windows hold the steps' own readings of the clock; only those of the pauses are added.
    assert often["tokens_per_second"] < never["tokens_per_second"] * 1.5


def test_evaluation_changes_nothing(tiny_recipe, mixture, tmp_path):
    run, _ = trained(tiny_recipe, mixture, tmp_path / "run", 1)
    before, state = weights(run), torch.get_rng_state()
    assert evaluate(run) == evaluate(run)
    assert torch.equal(before, weights(run))
    assert torch.equal(state, torch.get_rng_state())
    assert run.task.model.training


def test_sources_without_images_have_no_shuffled_loss(tiny_recipe, mixture, tmp_path):
    run, figures = trained(tiny_recipe, mixture, tmp_path / "run", 1, "data.holdout_share=0.4")
    found = evaluate(run)
    assert found["text"].shuffled is None
    assert found["caption"].shuffled is not None
    assert figures["dev"]["caption"]["loss"] == pytest.approx(found["caption"].loss)


def test_shuffling_gives_every_image_another(tiny_recipe, mixture, tmp_path):
    run, _ = trained(tiny_recipe, mixture, tmp_path / "run", 1)
    batch, _ = run.loader.next_batch(6)
    number = len(batch.features)
    assert number > 2
    other = shuffled(batch)
    assert all(not torch.equal(other.features[i], batch.features[i]) for i in range(number))
    assert torch.equal(other.tokens, batch.tokens)


def test_features_are_remembered_only_as_far_as_memory_is_allowed(tiny_recipe, mixture, tmp_path):
    few = "data.feature_cache_gb=0.000002"
    run, _ = trained(tiny_recipe, mixture, tmp_path / "few", 2, few, "run.eval_documents=0")
    full, _ = trained(tiny_recipe, mixture, tmp_path / "full", 2, "run.eval_documents=0")
    assert len(run.cache._known) <= 2e-6 * 1e9 / (2 * 17 * run.cache.encoder.dim)
    assert len(full.cache._known) > len(run.cache._known)
    assert torch.equal(weights(run), weights(full))
