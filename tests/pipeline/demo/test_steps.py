from pathlib import Path

import click
import pytest

from openm3w.cli import cli
from openm3w.pipeline.demo.steps import demo_steps, next_commands

OUTPUT = Path("demo")
COMMANDS = [
    *(command for step in demo_steps(OUTPUT) for command in step.commands),
    *next_commands(OUTPUT),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_of_the_demo_is_one_that_m3w_accepts(command):
    context = click.Context(cli, info_name="m3w")
    group, arguments = cli, list(command)
    while isinstance(group, click.Group):
        _, found, arguments = group.resolve_command(context, arguments)
        context = click.Context(found, info_name=found.name, parent=context)
        group = found
    # Parsing checks options and the number of arguments, and runs nothing.
    group.make_context(group.name, arguments, parent=context.parent)
