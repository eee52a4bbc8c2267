"""`m3w train` and `m3w generate` as a user meets them."""

import json

import pytest

from openm3w.cli import main
from openm3w.trainer.cli import spread

pytestmark = pytest.mark.torch


@pytest.fixture
def m3w(capsys):
    """Runs the command; answers with exit code, standard output and standard error."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return stop.value.code, said.out, said.err

    return call


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["r", "--data", "a"], ["r", "--data", "a"]),
        (["r", "--data", "a", "b", "c"], ["r", "--data", "a", "--data", "b", "--data", "c"]),
        (
            ["r", "--data", "a", "b", "--steps", "3", "--data", "c"],
            ["r", "--data", "a", "--data", "b", "--steps", "3", "--data", "c"],
        ),
        (["--json", "r"], ["--json", "r"]),
    ],
)
def test_data_takes_several_values_and_may_be_repeated(given, expected):
    assert spread("--data", given) == expected


def test_a_run_reports_ratios_resumes_and_captions(
    m3w, tiny_recipe, mixture, tmp_path, image_bytes
):
    run = tmp_path / "run"
    data = [m.root for m in mixture]
    train = ["train", tiny_recipe, "--data", *data, "--output", run]

    code, out, err = m3w(*train, "--steps", 4, "--json")
    assert code == 0
    figures = json.loads(out)
    assert figures["step"] == 4
    assert figures["sources"]["text"]["target"] == pytest.approx(5 / 12)
    assert figures["sources"]["text"]["given_in_all"]["pad"] > 0
    for part in ("tok/s", "wait", "of 41.7%", "of 16.7%", "loss", "with shuffled images"):
        assert part in err

    code, _, err = m3w(*train, "--steps", 6)
    assert (code, "after step 4" in err) == (0, True)
    code, _, err = m3w(*train, "--steps", 6)
    assert (code, "all 6 steps asked for are done" in err) == (0, True)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == [2, 4, 6]

    image = tmp_path / "x.png"
    image.write_bytes(image_bytes(30, 20))
    code, out, _ = m3w("generate", run, "--image", image, "--prompt", "A dog", "--max-tokens", 5)
    assert (code, out.startswith("A dog")) == (0, True)
    step = run / "checkpoints/step-00000006"
    code, out, _ = m3w("generate", step, "--image", image, "--temperature", 1, "--json")
    assert (code, set(json.loads(out))) == (0, {"image", "prompt", "text"})


def test_mixtures_are_read_and_missing_kinds_are_said(m3w, tiny_recipe, mixture, tmp_path):
    from openm3w.shards.manifest import write_mixture

    joined = write_mixture(tmp_path / "mix.json", mixture[:2], "mix")
    code, _, err = m3w(
        "train", tiny_recipe, "--data", joined, "--output", tmp_path / "run", "--steps", 1
    )
    assert code == 0
    assert "no data of kind interleaved: the other ratios are scaled to 1" in err
    assert "50.0% of the tokens" in err


def test_tensorboard_is_written_where_it_is_asked_for(m3w, tiny_recipe, mixture, tmp_path):
    run = tmp_path / "run"
    train = ["train", tiny_recipe, "--data", mixture[0].root, "--output", run, "--steps", 1]
    assert m3w(*train, "--set", "run.tensorboard=true")[0] == 0
    assert list((run / "tensorboard").glob("events*"))


def test_a_dry_run_plans_and_leaves_nothing(m3w, mixture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--set", "model.vision_encoder=random-tiny", "--dry-run"]
    data = [m.root for m in mixture]
    code, out, _ = m3w("train", "kosmos1-1.3b", "--data", *data, *arguments)
    assert code == 0
    for part in ("parameters", "decoder 1,209.1 M", "1,200,128 tokens", "41.7%", "memory"):
        assert part in out
    code, out, _ = m3w("train", "kosmos1-1.3b", "--data", *data, *arguments, "--json")
    plan = json.loads(out)
    # multimodal-training.md, section 6: 1.208 G in the blocks, .131 G in the embedding.
    assert plan["parameters"]["decoder"] == pytest.approx(1.208e9, rel=2e-3)
    assert plan["parameters"]["embedding"] == pytest.approx(0.131e9, rel=2e-3)
    shares = [source["tokens_per_step"] for source in plan["sources"]]
    assert shares == pytest.approx([500_053, 500_053, 200_021])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["train", "generate"])
def test_help_has_examples(m3w, command):
    code, out, _ = m3w(command, "--help")
    assert (code, f"m3w {command} " in out) == (0, True)


def mistakes(recipe, text, folder):
    (folder / "empty").mkdir()
    (folder / "bad.jpg").write_bytes(b"no image")
    train = ("train", recipe, "--output", folder / "run")
    return [
        (("train", "kosmos1-tin", "--data", text), 2, "did you mean 'kosmos1-tiny'"),
        ((*train, "--data", folder / "none"), 1, "no manifest there"),
        ((*train, "--data", text, "--set", "model.layer=1"), 2, "did you mean 'layers'"),
        ((*train, "--data", text, "--set", "run.device=tpu9"), 2, "run.device"),
        ((*train, "--data", text, "--set", "run.device=meta"), 2, "run.device"),
        ((*train, "--data", text, "--set", "run.device=cuda:99"), 2, "run.device"),
        ((*train, "--data", text, "--set", "data.mixture={caption=1}"), 2, "set data.mixture"),
        ((*train, "--data", text, "--set", "model.vision_encoder=dinov9"), 2, "vision encoder"),
        ((*train,), 2, "--data"),
        (("generate", folder / "none", "--image", folder / "bad.jpg"), 1, "no checkpoint there"),
        (("generate", folder / "empty", "--image", folder / "bad.jpg"), 1, "no checkpoint there"),
        (("generate", folder / "empty", "--image", folder / "no.jpg"), 1, "no such file"),
    ]


@pytest.mark.parametrize("number", range(12))
def test_a_mistake_is_one_line_and_the_right_exit_code(m3w, tiny_recipe, mixture, tmp_path, number):
    arguments, expected, message = mistakes(tiny_recipe, mixture[0].root, tmp_path)[number]
    code, _, err = m3w(*arguments)
    assert code == expected
    assert message in err
    assert "Traceback" not in err


def test_a_damaged_image_in_a_shard_is_named(m3w, tiny_recipe, sample_of, tmp_path):
    from dataclasses import replace

    from openm3w.shards import manifest
    from openm3w.shards.manifest import Manifest
    from openm3w.shards.writer import write_shard

    bad = replace(sample_of("bad", 1, "words"), images=(b"no image",))
    shard = write_shard(
        tmp_path / "d", "data/train-000000.tar", [bad], kind="caption", split="train"
    )
    manifest.write(Manifest(name="d", kind="caption", shards=(shard,), root=tmp_path / "d"))
    code, _, err = m3w(
        *("train", tiny_recipe, "--data", tmp_path / "d", "--output", tmp_path / "run"),
        *("--set", "data.holdout_share=0"),
    )
    assert code == 1
    last = err.splitlines()[-1]
    assert f"data/train-000000.tar, sample {bad.key}, image 0: not an image" in last


def test_an_exploding_loss_stops_the_run_with_advice(m3w, tiny_recipe, mixture, tmp_path):
    code, _, err = m3w(
        *("train", tiny_recipe, "--data", mixture[0].root, "--output", tmp_path / "run"),
        *("--set", "optimizer.lr=1e36"),
    )
    assert code == 1
    assert "lower optimizer.lr" in err.splitlines()[-1]


def test_bad_shards_are_told_and_counted(m3w, tiny_recipe, make_dataset, tmp_path):
    data = make_dataset(tmp_path / "text", "text")
    (data.root / data.shards[0].url).unlink()
    train = ["train", tiny_recipe, "--data", data.root, "--output", tmp_path / "run"]
    code, _, err = m3w(*train, "--steps", 6)
    assert code == 1
    assert "missing; the manifest lists it" in err
    code, out, err = m3w(
        *train, "--steps", 6, "--verify", "full", "--on-bad-shard", "skip-shard", "--json"
    )
    assert code == 0, err
    skipped = json.loads(out)["sources"]["text"]["skipped"]
    assert skipped["samples"]["missing"] == 12 * skipped["shards"]["missing"] > 0
    assert "samples left out (missing " in err
