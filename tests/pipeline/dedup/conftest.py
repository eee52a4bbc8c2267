import pickle
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from openm3w.filters.dedup.minhash import MinHash
from openm3w.pipeline.dedup.near import packed
from openm3w.pipeline.dedup.passes import Entry
from openm3w.pipeline.runners import Runner, run


@pytest.fixture
def collect(tmp_path) -> Callable[..., list[Any]]:
    """`collect(transform, elements, runner="local")`: what a transform makes of them, sorted.

    `elements` may also be a transform that begins a pipeline.
    """
    path = tmp_path / "collected.pickle"

    def collect(transform, elements: Iterable[Any] | beam.PTransform, runner: str = "local"):
        target = str(path)
        begin = elements if isinstance(elements, beam.PTransform) else beam.Create(list(elements))

        def save(found):  # in here, so that a worker gets it by value
            Path(target).write_bytes(pickle.dumps(sorted(found)))

        def graph(pipeline):
            made = pipeline | "Begin" >> begin | "Spread" >> beam.Reshuffle() | "Do" >> transform
            return made | beam.combiners.ToList() | beam.Map(save)

        run(Runner(name=runner, workers=2), graph)
        return pickle.loads(path.read_bytes())

    return collect


@pytest.fixture
def entries() -> Callable[..., list[Entry]]:
    """`entries(count, seed=0, prefix="")`: pages of which many share a URL, a text or most of it."""
    minhash = MinHash()

    def make(count, seed=0, prefix=""):
        draw = random.Random(seed)
        stories = [[f"w{draw.randrange(9000)}" for _ in range(90)] for _ in range(count // 8)]
        made = []
        for number in range(count):
            words = list(draw.choice(stories)) if draw.random() < 0.7 else [f"{prefix}{number}"] * 3
            for _ in range(draw.choice((0, 0, 1, 2, 4, 9, 30))):
                words[draw.randrange(len(words))] = f"x{draw.randrange(10**6)}"
            signature = packed(minhash.signature(" ".join(words)))
            url = f"http://example.org/{draw.randrange(count)}"
            date = f"202{draw.randrange(5)}-01-01T00:00:00Z"
            name = f"{draw.randrange(10**9):09d}{prefix}"
            made.append(Entry(name, url, " ".join(words), date, signature))
        return made

    return make
