"""Commands that die where a test says: at an operation on a file, by a real signal.

A process that has imported what commands need forks a child for each of them. Before it runs the
command the child installs an audit hook (PEP 578), which ends it when the operation comes: nothing
of the product knows about that.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

REACHED = "reached: "


@dataclass(frozen=True)
class Point:
    """Where a command is ended."""

    name: str
    event: str
    """An audit event: `open`, `os.rename`, `os.remove`."""
    path: str
    """Pattern that is found in the paths of the event."""
    after: bool = False
    """Not before the operation but after it: at the next one of the same thread."""
    half: int = 0
    """Bytes after which the file that is opened there takes no more: the kernel ends the process
    inside the write."""
    full: bool = False
    """Such a file is a full disk instead: the process goes on, with an error."""
    signal: int = signal.SIGKILL
    nth: int = 1
    """The how manieth such operation."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """Negative: the signal that ended it."""
    said: str
    reached: bool
    """Whether it came to its point."""


class Commands:
    """`with Commands("openm3w.pipeline.cli") as commands: commands.run("build", ...)`."""

    def __init__(self, *modules):
        self._process = subprocess.Popen(
            [sys.executable, __file__, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()  # what it has imported takes seconds to end
        self._process.communicate()

    def run(self, *arguments, point=None):
        """Runs a command of m3w in a child, to its end or to a point."""
        asked = {"arguments": [str(a) for a in arguments], "point": point and asdict(point)}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return Ended(**json.loads(self._process.stdout.readline()))

    def here(self, *arguments):
        """Runs one in the process itself: what it loads lazily the children have then."""
        asked = {"arguments": [str(a) for a in arguments], "here": True}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def kill(self, point, *arguments):
        """Runs a command that is to die at a point, and looks whether it did."""
        ended = self.run(*arguments, point=point)
        assert ended.reached, f"{point.name}: not reached: {ended.said}"
        assert ended.code == -(signal.SIGXFSZ if point.half else signal.SIGKILL), ended.said


def _install(point, told):
    """Ends this process at a point, once `told` has been told."""
    seen, ending = 0, set()

    def end():
        os.write(told, REACHED.encode())
        os.kill(os.getpid(), point.signal)

    def hook(event, arguments):
        nonlocal seen
        thread = threading.get_ident()
        if thread in ending:
            ending.clear()
            end()
        if event != point.event or seen >= point.nth:
            return
        named = arguments[: 2 if event == "os.rename" else 1]
        paths = [os.fspath(path) for path in named if isinstance(path, str | os.PathLike)]
        if not re.search(point.path, " ".join(map(str, paths))):
            return
        seen += 1
        if seen < point.nth:
            return
        if point.half or point.full:
            os.write(told, REACHED.encode())
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN if point.full else signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (point.half or 1, resource.RLIM_INFINITY))
        elif point.after:
            ending.add(thread)
        else:
            end()

    sys.addaudithook(hook)


def _in_child(arguments, point):
    """The status of a child that runs a command, and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        if point and point["signal"] != signal.SIGKILL:
            # Of a signal that is no kill the point is told apart, as its handler goes on.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        for stream in (1, 2):
            os.dup2(writing, stream)
        if point:
            _install(Point(**point), writing)
        _command(arguments)
    os.close(writing)
    with open(reading, encoding="utf-8", errors="replace") as pipe:  # noqa: PTH123  # a descriptor
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def _command(arguments):
    from openm3w.cli import main

    code = 1
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not by sys.exit, which would have the server's own end run in the child.
        os._exit(code if isinstance(code, int) else 1)


def _here(arguments):
    from openm3w.cli import main

    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        main(arguments)
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)
    return 0


def _serve(modules):
    for module in modules:
        __import__(module)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked.get("here"):
            answer = _here(asked["arguments"])
        else:
            code, said = _in_child(asked["arguments"], asked["point"])
            reached = REACHED in said
            answer = {"code": code, "said": said.replace(REACHED, ""), "reached": reached}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def temporary_files(folder: Path) -> list[str]:
    """Names of what unfinished writes have left below a folder."""
    return sorted(path.name for path in folder.rglob("*.tmp"))


if __name__ == "__main__":
    _serve(sys.argv[1:])
