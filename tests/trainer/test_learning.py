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


@pytest.mark.timeout(900)  # a minute on an idle machine; most of it is the real encoder
def test_dev_loss_is_lower_with_the_right_image_than_with_another(benchmark, realdata, tmp_path):
    learned = benchmark.learn(
        realdata / "flickr8k",
        tmp_path,
        train_images=300,
        dev_images=60,
        show=1,
        overrides=[
            *("model.layers=2", "model.width=64", "model.ffn_width=256", "model.heads=2"),
            *("model.resampler_heads=2", "tokenizer.kind=bpe:600", "optimizer.lr=5e-3"),
            *("data.rows_per_step=4", "data.rows_per_batch=4"),
            *("schedule.steps=400", "schedule.warmup=20", "run.log_every=100"),
            *("run.eval_every=1000", "run.checkpoint_every=1000"),
        ],
    )
    assert learned.dev.shuffled is not None
    # 0.06 nats a token when this was written; with 3,000 images the benchmark finds far more.
    assert learned.dev.loss < learned.dev.shuffled - 0.02
    ((_, written, _),) = learned.captions
    assert written
