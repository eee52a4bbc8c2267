"""Writes docs/cli.md from the `--help` of every command: `python docs/make_cli.py`.

With `--check` nothing is written, and the exit code says whether the page is current.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from openm3w.cli import PLANNED, cli

PAGE = Path(__file__).parent / "cli.md"
WIDTH = 92

_HEAD = """\
# Commands

<!-- Written by `python docs/make_cli.py` from `--help`; edit the docstrings of the commands. -->

Exit codes: 0 done, 1 failed, 2 wrong use; 130 after Ctrl-C, 143 after SIGTERM, 141 where the reader
of the output went away, as in `m3w ... | head`. An error is one line that says what, where and what
to do. Where a command prints data, `--json` prints it as JSON. The same command again goes on where
the last one stopped.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for path, command in commands(cli):
        level = "#" * (1 + len(path))
        parts.append(f"{level} m3w {' '.join(path)}\n\n```text\n{_help(path, command)}\n```\n")
    parts.append("## Planned\n\nThese are refused with one line by this version.\n")
    parts.append("| command | what it will do |\n|---|---|")
    parts += [f"| `m3w {name}` | {what} |" for name, what in sorted(PLANNED.items())]
    return "\n".join(parts) + "\n"


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that lead to it."""
    context = click.Context(group, info_name="m3w")
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        if command is None:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def _help(path: tuple[str, ...], command: click.Command) -> str:
    names = {"help_option_names": ["-h", "--help"]}
    context = click.Context(
        command, info_name=f"m3w {' '.join(path)}", terminal_width=WIDTH, **names
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
