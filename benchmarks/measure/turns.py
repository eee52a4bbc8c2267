"""Processes that take turns, each timing its own work: no caches, garbage or output are shared."""

import logging
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call gave and cost."""

    value: Any
    """None where the call raised."""
    error: str = ""
    """What was raised, or ""."""
    cpu_seconds: float
    """Of the process and of its children that ended during the call."""
    wall_seconds: float


class Worker(AbstractContextManager["Worker"]):
    """A process that makes a function with `factory` and calls it when asked."""

    def __init__(self, factory: Callable[[], Callable[..., Any]]) -> None:
        # A fork would carry along what this process has imported and cached.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, factory))
        self._process.start()
        theirs.close()
        if error := self._connection.recv():
            self._process.join()
            raise RuntimeError(f"{factory}: {error}")

    def ask(self, *arguments: Any) -> Answer:
        """Calls the function there, and waits."""
        return self.ask_all([arguments])[0]

    def ask_all(self, calls: Sequence[tuple[Any, ...]]) -> list[Answer]:
        """Calls the function there once for each of these arguments, one after the other.

        Where the process ends, all of them have that for an error, and so has every later call.
        """
        try:
            self._connection.send([*calls])
            answers: list[Answer] = self._connection.recv()
        except (EOFError, OSError):
            self._process.join()
            gone = f"its process ended with exit code {self._process.exitcode}"
            return [Answer(value=None, error=gone, cpu_seconds=0.0, wall_seconds=0.0)] * len(calls)
        return answers

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join()


def _serve(connection: Connection, factory: Callable[[], Callable[..., Any]]) -> None:
    _mute()
    try:
        function = factory()
    except Exception as error:  # noqa: BLE001
        connection.send(repr(error))  # this process has no standard error any more
        return
    connection.send("")
    while True:
        try:
            calls = connection.recv()
        except EOFError:
            return
        connection.send([_timed(function, one) for one in calls])


def _timed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Answer:
    value, error = None, ""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    try:
        value = function(*arguments)
    except Exception as raised:  # noqa: BLE001
        # Whatever a peer raises costs it this page, and is counted.
        error = repr(raised)[:200]
    return Answer(
        value=value,
        error=error,
        cpu_seconds=_cpu_seconds() - cpu,
        wall_seconds=time.perf_counter() - wall,
    )


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _mute() -> None:
    """Peers print and log as they like; the tables stand on standard output alone."""
    logging.disable(logging.CRITICAL)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
