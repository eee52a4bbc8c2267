"""A small version of benchmarks/learn_flickr8k.py: after some hundred steps the image matters."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.torch]

BENCHMARK = Path(__file__).parents[2] / "benchmarks/learn_flickr8k.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("learn_flickr8k", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their own module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_dev_loss_is_lower_with_the_right_image_than_with_another(benchmark, realdata, tmp_path):
    learned = benchmark.learn(
        realdata / "flickr8k",
        tmp_path,
        train_images=160,
        dev_images=60,
        show=1,
        overrides=[
            *("model.layers=2", "model.width=128", "model.ffn_width=512", "model.heads=4"),
            *("model.resampler_heads=4", "model.dropout=0.0", "tokenizer.kind=bpe:600"),
            *("data.rows_per_step=8", "data.rows_per_batch=8", "optimizer.lr=2e-3"),
            *("schedule.steps=150", "schedule.warmup=10", "run.log_every=50"),
            *("run.eval_every=50", "run.checkpoint_every=1000"),
        ],
    )
    assert learned.dev.shuffled is not None
    assert learned.dev.loss < learned.dev.shuffled - 0.02
    ((_, written, _),) = learned.captions
    assert written
