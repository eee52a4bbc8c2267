import pickle
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from openm3w.filters.dedup.components import components
from openm3w.filters.dedup.minhash import MinHash, estimated_jaccard
from openm3w.pipeline.dedup.near import packed, unpacked
from openm3w.pipeline.dedup.passes import Entry, Mark
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


@pytest.fixture
def by_hand() -> Callable[..., list[Mark]]:
    """`by_hand(entries, near)`: the marks that the passes mean, without Beam."""
    return _by_hand


def _by_hand(entries, near):
    """What the passes mean, said the slow way."""
    marks, left = [], list(entries)

    def keep_first(reason, key, rank):
        groups = {}
        for entry in left:
            groups.setdefault(key(entry), []).append(entry)
        for group in groups.values():
            first, *others = sorted(group, key=rank)
            marks.extend(Mark(other.name, reason, first.name) for other in others)
        gone = {mark.name for mark in marks}
        return [entry for entry in left if entry.name not in gone]

    left.sort(key=lambda e: e.name)
    left.sort(key=lambda e: e.fetched, reverse=True)
    left = keep_first("duplicate_url", lambda e: e.url_key, lambda _: 0)
    left = keep_first("duplicate_text", lambda e: e.text_key, lambda e: e.name)
    pairs = _near_by_hand({e.name: unpacked(e.signature) for e in left}, near)
    least = {}
    for one, other in pairs:
        least[one] = min(other, least.get(one, other))
    return sorted(marks + [Mark(one, "near_duplicate", other) for one, other in least.items()])


def _near_by_hand(signatures, near):
    bands = {}
    for name, signature in signatures.items():
        for key in near.minhash.band_keys(signature):
            bands.setdefault(key, []).append(name)
    pairs = {(name, min(names)) for names in bands.values() for name in names if name != min(names)}
    if near.verify:
        pairs = {(one, other) for one, other in pairs
                 if estimated_jaccard(signatures[one], signatures[other]) >= near.verify}  # fmt: skip
    return components(pairs) if near.rounds else pairs
