"""From a web archive to a trained step and a caption, by the commands that a user types."""

import json

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.pipeline.demo.sources import make_sources

pytestmark = [pytest.mark.e2e, pytest.mark.beam, pytest.mark.torch, pytest.mark.timeout(300)]

# The smallest decoder, and an image encoder that needs no weights.
TINY = (
    "model.vision_encoder=random-tiny",
    "model.width=32",
    "model.ffn_width=64",
    "model.heads=2",
    "model.resampler_heads=2",
    "model.image_slots=4",
    "data.sequence_length=96",
    "data.rows_per_step=4",
    "data.rows_per_batch=4",
    "tokenizer.kind=bytes",
    "schedule.steps=3",
    "schedule.warmup=1",
    "run.device=cpu",
    "run.log_every=1",
    "run.eval_every=3",
    "run.eval_documents=4",
    "run.checkpoint_every=3",
)


def _m3w(*arguments):
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output or result.exception
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    make_sources(folder / "sources")
    return folder


@pytest.fixture(scope="module")
def mixture(folder):
    sources = folder / "sources"
    kinds = {
        "pages": ("build", "kosmos1", "--input", sources / "demo.warc.gz"),
        "captions": (
            *("captions", "build", sources / "captions.jsonl"),
            *("--url-column", "file", "--text-column", "caption"),
        ),
        "texts": ("text", "build", sources / "text.jsonl"),
    }
    for name, command in kinds.items():
        _m3w(*command, "--output", folder / name)
    _m3w("shards", "join", *(folder / name for name in kinds), "--output", folder / "mix.json")
    return folder / "mix.json"


def test_the_mixture_holds_all_three_kinds_and_verifies(mixture):
    assert _m3w("shards", "verify", mixture).startswith("ok: 3 shards")
    found = json.loads(_m3w("shards", "stats", mixture, "--json"))
    assert set(found["kinds"]) == {"interleaved", "caption", "text"}


def test_documents_show_text_and_pictures_in_reading_order(folder, mixture):
    del mixture
    shown = _m3w("view", folder / "pages", "--plain", "--limit", "50")
    assert "Forty years under a blanket" in shown
    story = shown[shown.index("The garage had not been opened") :]
    assert story.index("[picture 1") < story.index("It was red") < story.index("[picture 2")


def test_the_same_build_again_does_nothing(folder, mixture):
    del mixture
    source = folder / "sources" / "demo.warc.gz"
    again = _m3w("build", "kosmos1", "--input", source, "--output", folder / "pages")
    assert "nothing to do" in again


def test_training_learns_something_in_three_steps_and_writes_a_caption(folder, mixture):
    options = [item for change in TINY for item in ("--set", change)]
    run = folder / "run"
    output = _m3w("train", "kosmos1-demo", "--data", mixture, "--output", run, "--json", *options)
    figures = json.loads(output.splitlines()[-1])
    assert figures["step"] == 3
    picture = folder / "sources" / "pictures" / "cat.jpg"
    said = json.loads(_m3w("generate", run, "--image", picture, "--max-tokens", "4", "--json"))
    assert said["image"].endswith("cat.jpg")
