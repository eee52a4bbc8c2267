"""The console that documents and answers are printed on."""

import sys

from rich.console import Console, RenderableType

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


def print_trimmed(console: Console, renderable: RenderableType) -> None:
    """Prints to a terminal as it is, to all else without the spaces that rich fills lines up by."""
    if console.is_terminal:
        console.print(renderable)
        return
    with console.capture() as capture:
        console.print(renderable)
    console.file.writelines(f"{line.rstrip(' ')}\n" for line in capture.get().splitlines())
