"""`m3w demo`."""

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from openm3w.pipeline.demo.sources import make_sources
from openm3w.pipeline.demo.steps import demo_steps, next_commands


@click.command(short_help="The whole chain on a small archive that is made here.")
@click.option(
    "--output", "-o", default="demo", show_default=True, type=click.Path(path_type=Path),
    help="Folder for everything; the same command again goes on in it.",
)  # fmt: skip
def demo(output: Path) -> None:
    """Runs the whole chain on a small archive that it makes itself, without a network.

    Archive -> interleaved, caption and text shards -> a mixture -> two documents in the terminal
    -> a short training run -> a caption. Every command is printed before it runs, so that it can
    be typed again with other values.

    \b
    m3w demo
    m3w demo --output /tmp/demo
    """
    started = time.monotonic()
    steps = list(demo_steps(output))
    _heading(1, 1 + len(steps), "A small web archive, a table of captions, a file of texts")
    made = make_sources(output / "sources")
    click.echo(
        f"{output / 'sources'}: {made.counts['responses']} web responses, "
        f"{made.counts['captions']} captions, {made.counts['texts']} texts"
        + (" (there already)" if made.already_done else "")
    )
    for number, step in enumerate(steps, start=2):
        _heading(number, 1 + len(steps), step.title)
        for command in step.commands:
            _run(command)
    click.secho(f"\nDone in {time.monotonic() - started:.0f} s. What to try next:", bold=True)
    for command in next_commands(output):
        click.echo(f"  {_typed(command)}")
    click.echo(f"  and open {output / 'interleaved' / 'report.html'} in a browser")


def _heading(number: int, total: int, title: str) -> None:
    click.secho(f"\n[{number}/{total}] {title}", bold=True)


def _typed(command: Sequence[str]) -> str:
    return shlex.join(("m3w", *command))


def _run(command: Sequence[str]) -> None:
    """Runs one command in its own process, so that each begins as it would in a shell."""
    click.secho(f"$ {_typed(command)}", fg="cyan")
    sys.stdout.flush()
    arguments = (sys.executable, "-m", "openm3w.cli", *command)
    result = subprocess.run(arguments, check=False)  # noqa: S603  # commands of ours
    if result.returncode:
        # The command has said why; the demo ends the same way.
        raise click.exceptions.Exit(result.returncode)
