"""Groups of commands whose modules are imported when a command is called, not before.

`m3w --help` and the first key in a viewer wait for no library that another command needs.
"""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from openm3w.errors import NotBuiltError


class Lazy(NamedTuple):
    """A command that is imported when it is called."""

    where: str
    """`module:attribute`."""
    summary: str
    """What the help of its group says of it: the first line of its own."""


class LazyGroup(click.Group):
    """A group of `commands`, and of `planned` ones, which this version refuses by a line."""

    def __init__(
        self,
        *arguments: Any,
        lazy: Mapping[str, Lazy],
        planned: Mapping[str, str] | None = None,
        path: str = "m3w",
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.lazy, self.planned, self._path = lazy, planned or {}, path

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.planned:
            raise NotBuiltError(
                f"`{self._path} {cmd_name}` ({self.planned[cmd_name]}) is planned, this version "
                "does not have it yet"
            )
        if cmd_name not in self.lazy:
            near = difflib.get_close_matches(cmd_name, self.lazy, n=1)
            if near and not cmd_name.startswith("-"):
                raise click.UsageError(
                    f"No such command {cmd_name!r} (did you mean {near[0]!r}?)", ctx
                )
            return None
        module, _, attribute = self.lazy[cmd_name].where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in sorted(self.lazy.items())])
        if self.planned:
            with formatter.section("Planned, not in this version"):
                formatter.write_text(", ".join(sorted(self.planned)))
