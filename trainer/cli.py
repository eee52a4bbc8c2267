"""`m3w train` and `m3w generate`. torch is imported when a command runs, not for its help."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from openm3w.shards.opened import VERIFY, Verify
from openm3w.shards.skipping import ON_BAD, OnBad
from openm3w.shards.terminal import clean


class _ManyValues(click.Command):
    """Lets `--data A B` mean `--data A --data B`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread("--data", args))


def spread(option: str, args: list[str]) -> list[str]:
    """Repeats `option` before each further value that follows it, up to the next option."""
    result: list[str] = []
    taking = 0
    for arg in args:
        if arg.startswith("-"):
            taking = 1 if arg == option else 0
        elif taking:
            if taking > 1:
                result.append(option)
            taking += 1
        result.append(arg)
    return result


@click.command(
    cls=_ManyValues, short_help="Trains a model on shards, at the mixture's token ratio."
)
@click.argument("recipe")
@click.option(
    "--data",
    "data",
    multiple=True,
    required=True,
    metavar="MANIFEST...",
    help="Manifests, mixtures, or folders of them; one or more values, and may be repeated.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="The run's folder; one that exists is resumed.  [default: runs/RECIPE]",
)
@click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Change a recipe's key.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="Stop after this step of the schedule; the same command with more goes on from there.",
)
@click.option(
    "--verify",
    type=click.Choice(VERIFY),
    help="Check shards by size, sha256 and count, by size and count, or count.  [default: quick]",
)
@click.option(
    "--on-bad-shard",
    type=click.Choice(ON_BAD),
    help="At a damaged shard: stop, or leave it or its bad samples out.  [default: raise]",
)
@click.option(
    "--dry-run", is_flag=True, help="Print parameters, token plan and memory; no training."
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan or the last figures as JSON.")
def train(
    *,
    recipe: str,
    data: tuple[str, ...],
    output: Path | None,
    overrides: tuple[str, ...],
    steps: int | None,
    verify: Verify | None,
    on_bad_shard: OnBad | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Trains the model of RECIPE (a shipped name or a TOML file) on the shards of the manifests.

    Text, captions and interleaved documents are drawn so that their tokens keep the recipe's
    ratio (KOSMOS-1: 0.5 : 0.5 : 0.2); each report names the ratio wanted and the one achieved.
    The same command again resumes.

    \b
    m3w train kosmos1-tiny --data out/manifest.json
    m3w train kosmos1-tiny --data pages/ captions/ texts/ --output runs/first --steps 200
    m3w train kosmos1-tiny --data mix.json --set optimizer.lr=5e-4 --set schedule.steps=2000
    m3w train kosmos1-tiny --data s3://bucket/pages --verify full --on-bad-shard skip-sample
    m3w train kosmos1-1.3b --data mix.json --dry-run
    """
    _let_waiting_threads_sleep()
    from openm3w.recipe import to_plain
    from openm3w.shards import manifest
    from openm3w.trainer import plan
    from openm3w.trainer.recipe import load

    named = {"verify": verify, "on_bad_shard": on_bad_shard}
    options = [f"run.{name}={value}" for name, value in named.items() if value is not None]
    decoded = load(recipe, [*overrides, *options])
    manifests = [part for path in data for part in manifest.load(path)]
    if dry_run:
        planned = plan.make_plan(decoded, manifests)
        _print(to_plain(planned) if as_json else plan.plan_lines(planned))
        return
    folder = output or Path("runs") / Path(recipe).stem
    figures = _train(decoded, manifests, folder, steps)
    if as_json:
        _print(figures)


@click.command(short_help="Captions an image with a trained model.")
@click.argument("checkpoint", metavar="CKPT", type=click.Path(path_type=Path))
@click.option(
    "--image", required=True, type=click.Path(path_type=Path), help="A JPEG, PNG or WebP file."
)
@click.option("--prompt", default="", help="Text between the image and the caption.")
@click.option("--max-tokens", default=30, show_default=True, type=click.IntRange(1))
@click.option(
    "--temperature",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0),
    help="0 takes the likeliest token each time.",
)
@click.option("--top-k", default=50, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def generate(
    *,
    checkpoint: Path,
    image: Path,
    prompt: str,
    max_tokens: int,
    temperature: float,
    top_k: int,
    seed: int,
    device: str,
    as_json: bool,
) -> None:
    """Writes what the model of CKPT (a run's folder, or one step's) says after the image.

    \b
    m3w generate runs/kosmos1-tiny --image dog.jpg
    m3w generate runs/kosmos1-tiny --image dog.jpg --prompt "A photo of" --temperature 0.8
    """
    _let_waiting_threads_sleep()
    from openm3w.errors import InputError
    from openm3w.shards.terminal import clean
    from openm3w.trainer.generate import Sampling, load_captioner

    if not image.is_file():
        raise InputError(f"--image {image}: no such file")
    how = Sampling(max_tokens=max_tokens, temperature=temperature, top_k=top_k, seed=seed)
    with _said_warnings():
        captioner = load_captioner(checkpoint, device=device)
    text = captioner.caption(image.read_bytes(), prompt, how)
    # A model that learned from the web may have learned its escape sequences.
    shown = [clean(prompt + text)]
    _print({"image": str(image), "prompt": prompt, "text": text} if as_json else shown)


def _train(recipe: Any, manifests: Any, folder: Path, steps: int | None) -> dict[str, Any]:
    from openm3w.trainer import loop
    from openm3w.trainer.log import RunLog
    from openm3w.trainer.run import describe, open_run

    with _said_warnings():
        run = open_run(recipe, manifests, folder, say=_say)
    for line in describe(run, manifests):
        _say(line)
    if run.step >= min(steps or recipe.schedule.steps, recipe.schedule.steps):
        _say(f"{folder}: all {run.step} steps asked for are done")
        return {"step": run.step}
    log = RunLog(folder, _say, tensorboard=recipe.run.tensorboard, resume_step=run.step)
    figures = loop.train(run, log, stop_at=steps)
    log.close()
    _say(f"done: {run.step} steps; m3w generate {folder} --image FILE")
    return figures


@contextlib.contextmanager
def _said_warnings() -> Iterator[None]:
    """Prints what is warned of a checkpoint as a line of ours, without a place in the code."""
    from openm3w.trainer.checkpoint import CheckpointWarning

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_args, **_more: _say(f"warning: {message}")
        warnings.simplefilter("always", CheckpointWarning)
        yield


def _let_waiting_threads_sleep() -> None:
    """Must run before torch is imported.

    OpenMP's threads spin while they wait for each other. On two busy cores a small step took
    2.8 s so, and 0.4 s with threads that sleep; on idle ones there is hardly a difference.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _say(line: str) -> None:
    from openm3w.shards.terminal import clean

    click.echo(clean(line), err=True)  # names of sources come out of manifests


def _print(value: Any) -> None:
    if isinstance(value, list):
        text = clean("\n".join(value))
    else:
        text = json.dumps(value, ensure_ascii=False)
    # The shell hands over bytes that are no UTF-8 as lone surrogates.
    click.echo(text.encode("utf-8", "replace").decode())
