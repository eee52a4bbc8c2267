"""A run that was stopped and taken up again is the run that was never stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from openm3w.errors import OpenM3WError, OutputError, RecipeError
from openm3w.trainer import checkpoint
from openm3w.trainer.checkpoint import CheckpointWarning
from openm3w.trainer.log import RunLog
from openm3w.trainer.loop import train
from openm3w.trainer.recipe import load
from openm3w.trainer.run import open_run

SOURCE = Path(__file__).parents[2] / "src"

pytestmark = pytest.mark.torch


def run_to(stop, recipe, manifests, folder, overrides=()):
    """Trains in `folder` up to step `stop`, as a fresh process would, and returns what was said."""
    said = []
    run = open_run(load(str(recipe), overrides), manifests, folder, say=said.append)
    log = RunLog(folder, said.append, tensorboard=False, resume_step=run.step)
    train(run, log, stop_at=stop)
    log.close()
    return said


def weights(folder, step=12):
    return load_file(folder / f"checkpoints/step-{step:08d}/model.safetensors")


def metrics(folder):
    """The reports of training but for their timings; dev loss is also taken where a run stops."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    timed = ("tokens_per_second", "data_wait_share", "encoder_share")
    return [
        {k: v for k, v in row.items() if k not in timed} for row in rows if row["kind"] == "train"
    ]


def assert_same_run(one, other):
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert metrics(one) == metrics(other)


@pytest.fixture(scope="module")
def whole(mixture, tmp_path_factory, tiny_text):
    """A run of all twelve steps that nothing interrupted; not to be changed."""
    root = tmp_path_factory.mktemp("whole")
    (root / "tiny.toml").write_text(tiny_text)
    run_to(12, root / "tiny.toml", mixture, root / "run")
    return root / "run"


def test_resumed_equals_uninterrupted_to_the_last_bit(whole, tiny_recipe, mixture, tmp_path):
    for stop in (4, 8, 12):
        said = run_to(stop, tiny_recipe, mixture, tmp_path / "parts")
    assert any("after step 8" in line for line in said)
    assert_same_run(whole, tmp_path / "parts")


def test_a_killed_run_goes_on_as_if_nothing_had_happened(whole, tiny_recipe, mixture, tmp_path):
    killed = tmp_path / "killed"
    kill_after_checkpoint(tiny_recipe, mixture, killed)
    assert not (killed / "checkpoints/step-00000012").exists()
    run_to(12, tiny_recipe, mixture, killed)
    assert_same_run(whole, killed)


def kill_after_checkpoint(recipe, manifests, folder):
    """Starts `m3w train` and kills it without warning once its first checkpoint is there."""
    data = [str(m.root) for m in manifests]
    arguments = ["train", str(recipe), "--data", *data, "--output", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "openm3w.cli", *arguments],
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(SOURCE)},
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob("checkpoints/step-*")):
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "state"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(
    whole, tiny_recipe, mixture, tmp_path, damage
):
    broken = tmp_path / "broken"
    shutil.copytree(whole, broken)
    harm(broken / "checkpoints/step-00000012", damage)
    with pytest.warns(CheckpointWarning, match="step-00000012: the checkpoint is damaged"):
        said = run_to(12, tiny_recipe, mixture, broken)
    assert any("after step 8" in line for line in said)
    assert_same_run(whole, broken)


def harm(folder, damage):
    model = folder / "model.safetensors"
    data = bytearray(model.read_bytes())
    if damage == "cut":
        model.write_bytes(data[:-100])
    elif damage == "flip":
        data[-1] ^= 1
        model.write_bytes(data)
    elif damage == "missing":
        (folder / "training.pt").unlink()
    else:
        (folder / "state.json").write_text("{")


def test_a_half_written_checkpoint_is_no_checkpoint(tiny_recipe, mixture, tmp_path):
    run_to(4, tiny_recipe, mixture, tmp_path / "run")
    folder = tmp_path / "run/checkpoints"
    shutil.copytree(folder / "step-00000004", folder / ".step-00000008.abc.tmp")
    found = checkpoint.latest(tmp_path / "run")
    assert found is not None
    assert found.step == 4


def test_only_the_newest_checkpoints_are_kept(tiny_recipe, mixture, tmp_path):
    run_to(12, tiny_recipe, mixture, tmp_path / "run", ["run.keep_checkpoints=2"])
    names = sorted(path.name for path in (tmp_path / "run/checkpoints").iterdir())
    assert names == ["step-00000008", "step-00000012"]


def test_a_damaged_later_checkpoint_does_not_push_out_a_whole_one(whole, mixture, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    harm(run / "checkpoints/step-00000012", "cut")
    shutil.copytree(run / "checkpoints/step-00000012", run / "checkpoints/.step-00000012.a.tmp")
    recipe = whole.parent / "tiny.toml"
    with pytest.warns(CheckpointWarning):
        run_to(10, recipe, mixture, run, ["run.keep_checkpoints=1"])
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["step-00000010"]


def test_reporting_may_change_on_resume_and_numbers_may_not(tiny_recipe, mixture, tmp_path):
    run_to(4, tiny_recipe, mixture, tmp_path / "run")
    run_to(5, tiny_recipe, mixture, tmp_path / "run", ["run.log_every=1", "run.eval_documents=2"])
    with pytest.raises(OutputError, match=r"another recipe \(optimizer\.lr: 0\.01, now 0\.02\)"):
        run_to(5, tiny_recipe, mixture, tmp_path / "run", ["optimizer.lr=0.02"])


def test_other_data_into_the_same_run_is_refused(tiny_recipe, mixture, make_dataset, tmp_path):
    run_to(1, tiny_recipe, mixture, tmp_path / "run")
    with pytest.raises(OutputError, match="3 sources, now 2"):
        run_to(2, tiny_recipe, mixture[:2], tmp_path / "run")
    other = make_dataset(tmp_path / "other", "text", size=5)
    with pytest.raises(OutputError, match=f"{mixture[0].fingerprint}, now {other.fingerprint}"):
        run_to(2, tiny_recipe, [other, *mixture[1:]], tmp_path / "run")


def test_a_folder_of_something_else_is_left_alone(tiny_recipe, mixture, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="no run of m3w train"):
        run_to(1, tiny_recipe, mixture, tmp_path / "home")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_a_run_without_a_checkpoint_starts_over_with_whatever_it_is_given(
    tiny_recipe, mixture, tmp_path
):
    folder = tmp_path / "run"
    with pytest.raises(RecipeError, match="vision encoder"):
        run_to(1, tiny_recipe, mixture, folder, ["model.vision_encoder=none"])
    assert not folder.exists()
    with pytest.raises(OpenM3WError, match="the gradient is"):
        run_to(9, tiny_recipe, mixture, folder, ["optimizer.lr=1e36", "run.log_every=1"])
    assert not list(folder.glob("checkpoints/step-*"))
    run_to(2, tiny_recipe, mixture, folder)
    assert [row["step"] for row in metrics(folder)] == [2]


def test_whole_checkpoints_warn_of_nothing(tiny_recipe, mixture, tmp_path):
    run_to(4, tiny_recipe, mixture, tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoint.latest(tmp_path / "run") is not None
