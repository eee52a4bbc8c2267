"""The console that documents and answers are printed on."""

import sys

from rich.console import Console

from openm3w.shards.view import pictures


def open_console(images: pictures.Mode) -> Console:
    """A console on standard output that shows pictures as `images` says, into a pipe too."""
    # Terminals and pipes that cannot hold a character get a question mark, not an error.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    if images == "blocks" and not sys.stdout.isatty():
        return Console(force_terminal=True, color_system="truecolor", highlight=False)
    return Console(highlight=False)
