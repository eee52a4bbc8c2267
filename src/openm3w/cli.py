"""The `m3w` command: joins the command groups of the four folders, importing each when called.

A command parses, calls one library function and prints; there is no logic here. Exit codes:
0 done, 1 failed, 2 wrong use.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

import click

from openm3w import __version__
from openm3w.errors import LISTED, OpenM3WError
from openm3w.lazy import Lazy, LazyGroup
from openm3w.shards.terminal import clean_line, tell

COMMANDS = {
    "build": Lazy("openm3w.pipeline.cli:build", "Builds interleaved shards from web archives."),
    "calibrate": Lazy(
        "openm3w.pipeline.calibrate_cli:calibrate",
        "Finds a model's similarity bound from matched and mismatched pairs.",
    ),
    "captions": Lazy("openm3w.pipeline.captions.cli:captions", "Shards of images with captions."),
    "demo": Lazy(
        "openm3w.pipeline.demo.cli:demo", "The whole chain on a small archive that is made here."
    ),
    "explain": Lazy(
        "openm3w.pipeline.history_cli:explain",
        "Says what happened to a page and to each of its images.",
    ),
    "extract": Lazy(
        "openm3w.pipeline.extract_cli:extract",
        "Writes the main content of every page as a line of JSON.",
    ),
    "fetched": Lazy(
        "openm3w.pipeline.fetch.cli:fetched",
        "What builds remember of the URLs that they asked for.",
    ),
    "filters": Lazy(
        "openm3w.pipeline.images.cli:filters",
        "Rules that decide what is kept of pages, images and captions.",
    ),
    "generate": Lazy("openm3w.trainer.cli:generate", "Captions an image with a trained model."),
    "index": Lazy(
        "openm3w.pipeline.searching.index_cli:index",
        "Writes embeddings of a dataset, and an index to search them.",
    ),
    "profiles": Lazy(
        "openm3w.filters.cli:profiles", "Named sets of thresholds, each number with its source."
    ),
    "refilter": Lazy(
        "openm3w.pipeline.refilter_cli:refilter",
        "Chooses another profile for a build, from what is stored of it.",
    ),
    "report": Lazy(
        "openm3w.pipeline.report.cli:report",
        "Prints what became of every record, page and image of a build.",
    ),
    "search": Lazy(
        "openm3w.pipeline.searching.search_cli:search",
        "Finds pictures and documents by words or by a picture.",
    ),
    "serve": Lazy(
        "openm3w.shards.serve.cli:serve", "Shows MANIFEST in a browser, on this machine alone."
    ),
    "shards": Lazy("openm3w.shards.cli:shards", "Lists, shows, counts, checks and joins datasets."),
    "status": Lazy(
        "openm3w.pipeline.status_cli:status_command",
        "Says what a running, stopped or finished build has committed.",
    ),
    "text": Lazy("openm3w.pipeline.text.cli:text", "Shards of text."),
    "train": Lazy(
        "openm3w.trainer.cli:train", "Trains a model on shards, at the mixture's token ratio."
    ),
    "view": Lazy(
        "openm3w.shards.view.cli:view", "Shows documents, text and pictures in reading order."
    ),
}
"""Command -> where it is defined, and what `m3w --help` says of it."""

HUNG_UP, INTERRUPTED, READER_GONE, TERMINATED = 129, 130, 141, 143
"""Exit codes after SIGHUP, SIGINT, SIGPIPE and SIGTERM: 128 and the signal's number, as shells
have it."""

_NOT_MAPPED = "failed to map segment"
"""What the C library says where there is no memory for a library."""

RESUMED = frozenset({"build", "captions", "demo", "index", "refilter", "text", "train"}) | {
    f"shards {name}" for name in ("export", "merge", "shuffle", "split")
}
"""Commands that find what they did before they were interrupted."""

PLANNED = {
    "ablate": "train on variants of a mixture and compare",
    "evaluate": "few-shot evaluation and ScienceQA",
    "export": "a checkpoint as safetensors or for transformers",
    "plan": "choose records of a crawl before reading any WARC",
    "score": "similarity scores on a GPU machine without Beam",
}
"""Commands of the design that this version refuses, with what they will do."""


class _ReaderGoneError(Exception):
    """A BrokenPipeError in a form that click passes on; of that one it makes the exit code 1."""


@contextlib.contextmanager
def _pipes_passed_on() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderGoneError from error


class _Front(LazyGroup):
    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _pipes_passed_on():  # the help is printed here
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _pipes_passed_on():
            return super().invoke(ctx)


@click.group(
    cls=_Front,
    lazy=COMMANDS,
    planned=PLANNED,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="m3w")
def cli() -> None:
    """Web archives to interleaved image-text shards, and shards to a trained model.

    \b
    m3w demo                                       the whole chain on a small archive, no network
    m3w build openm3w --input x.warc.gz --output out
    m3w view out
    m3w train kosmos1-tiny --data out/manifest.json
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits; an error of the user's is one line, never a traceback.

    Where the reader of our output goes away (`m3w shards ls | head`) it ends as `cat` does:
    without a word, by the code that shells give to SIGPIPE.
    """
    _open_closed()
    logging.basicConfig(format="m3w: %(message)s")  # or Beam has lines begin with WARNING:MODULE:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # which is how nohup starts a command
            signal.signal(signal.SIGHUP, _terminate)
    try:
        _run(arguments)
    except (BrokenPipeError, _ReaderGoneError):
        # Python flushes both at its end, and would complain.
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        sys.exit(READER_GONE)


def _open_closed() -> None:
    """Gives standard streams that are closed a place, or the next files opened would be they."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003


def _run(arguments: list[str] | None) -> None:
    try:
        # Without its standalone mode click returns the code of a command that ends by Exit.
        code = cli.main(args=arguments, prog_name="m3w", standalone_mode=False)
        if sys.stdout is not None:  # closed by the caller
            sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt) as stop:
        ended = next((e for e in (stop, stop.__cause__) if isinstance(e, _Terminated)), None)
        words = sys.argv[1:] if arguments is None else arguments
        command = [word for word in words if not word.startswith("-")][:2]
        resumed = {" ".join(command[:1]), " ".join(command)} & RESUMED
        goes_on = "; the same command again goes on where it stopped" if resumed else ""
        _fail(f"interrupted{goes_on}", ended.code if ended else INTERRUPTED)
    except click.ClickException as error:
        _refuse(error)
    except OpenM3WError as error:
        _fail(str(error), error.exit_code)
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and _NOT_MAPPED not in str(error):
            raise
        tell("m3w: out of memory")
        # Libraries that wait at the end for threads which never came to be wait for ever.
        os._exit(1)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None and error.strerror is None:
            raise
        _fail(f"{error.filename or 'standard output or a file'}: {error.strerror}", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(error: click.ClickException) -> NoReturn:
    """Ends for wrong use: with one line, or with the help where a group was named alone."""
    message = error.format_message()
    if message.startswith("Usage:"):
        error.show()
        sys.exit(error.exit_code)
    context = error.ctx if isinstance(error, click.UsageError) else None
    line = clean_line(message).rstrip(".")
    see = " See" if line.endswith("?") else "; see"  # click asks whether another one was meant
    # Not by `tell`: a reader that is gone ends us as it ends what prints.
    click.echo(f"m3w: {line}{f'{see} {context.command_path} --help' if context else ''}", err=True)
    sys.exit(error.exit_code)


class _Terminated(KeyboardInterrupt):
    """A SIGTERM or SIGHUP, which end a command as Ctrl-C does: temporary files are removed."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = TERMINATED if number == signal.SIGTERM else HUNG_UP


def _terminate(number: int, _: object) -> None:
    raise _Terminated(number)


def _fail(message: str, code: int) -> NoReturn:
    tell(f"m3w: {LISTED.join(map(clean_line, message.split(LISTED)))}")
    sys.exit(code)


if __name__ == "__main__":
    main()
