"""What the commands on datasets share: arguments, and how data is printed."""

import json
import sys

import click

from openm3w.shards.terminal import clean

manifest_argument = click.argument("where", metavar="MANIFEST")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """Prints a value as JSON."""
    echo_data(json.dumps(value, ensure_ascii=False, indent=1))


def echo_data(text: str) -> None:
    """Prints data: as it is to a program, without control characters of the web to a terminal."""
    click.echo(clean(text) if sys.stdout.isatty() else text)
