"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]
Option = Callable[[Command], Command]


def combined(*options: Option) -> Option:
    """These options as one decorator, in the order in which `--help` shows them."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


output_option = click.option(
    "--output", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the shards."
)

built_with_option = click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Folder that DIR was built with.  [default: found beside it]",
)

runner_options = combined(
    click.option("--runner", default="local", show_default=True, help="local or local-mp."),
    click.option(
        "--workers",
        type=click.IntRange(min=0),
        default=0,
        help="Processes of local-mp.  [default: one a core]",
    ),
)

set_option = click.option(
    "--set", "overrides", multiple=True, metavar="a.b=c", help="Change a recipe value."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def recipe_options(default: str, *chosen: Option) -> Option:
    """`--name`, the options `chosen`, `--recipe`, and how the work is done and told."""
    return combined(
        click.option("--name", default="", help=f"Name of the dataset.  [default: {default}]"),
        *chosen,
        click.option("--recipe", default=default, show_default=True, help="Recipe or TOML file."),
        runner_options,
        set_option,
        json_option,
    )
