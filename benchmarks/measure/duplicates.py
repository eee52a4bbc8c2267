"""MinHash signatures of texts: ours and the peers'; planted pairs; what the passes cost."""

import gc
import importlib.util
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from measure.memory import resident_bytes
from measure.pages import read_pages
from measure.turns import Worker
from openm3w.filters.dedup.minhash import MinHash, estimated_jaccard
from openm3w.pipeline.dedup.near import packed
from openm3w.pipeline.dedup.passes import Entry, MarkDuplicates
from openm3w.pipeline.dedup.settings import VERIFIED, Near
from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.runners import run as run_pipeline
from openm3w.shards.document import Text

TEXTS_PER_TURN = 50
WAYS = {"bands": Near(), "verified": Near(verify=0.7), "components": Near(rounds=6)}

Sign = Callable[[str], int]
"""Makes a text's signature; the number of its values."""


@dataclass
class Cost:
    """What one engine needed for all texts."""

    cpu_seconds: float = 0.0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of the passes."""

    marked: int
    seconds: float
    peak_bytes: int


def read_texts(archive: Path) -> list[str]:
    """What our extraction takes from an archive's pages, without pages that have no text."""
    texts = []
    for html, url in read_pages(archive):
        spans = extract(html, url).spans
        texts.append("\n\n".join(span.text for span in spans if isinstance(span, Text)))
    return [text for text in texts if text.strip()]


def openm3w() -> Sign:
    """Ours, with its defaults."""
    minhash = MinHash()

    def sign(text: str) -> int:
        signature = minhash.signature(text)
        return 0 if signature is None else signature.size

    return sign


def datatrove() -> Sign:
    """Datatrove's first step with its defaults: spaCy's words, xxHash, 64 bits."""
    from datatrove.pipeline.dedup.minhash import MinhashDedupSignature

    step = MinhashDedupSignature("signatures")

    def sign(text: str) -> int:
        shingles = step.get_shingles(text)
        return sum(map(len, step.get_signature(shingles))) if shingles.size else 0

    return sign


def datasketch() -> Sign:
    """Datasketch with the same number of values, over words between spaces in lower case."""
    from datasketch import MinHash as TheirMinHash

    empty = TheirMinHash(num_perm=112)  # drawing the permutations is no part of a text's cost

    def sign(text: str) -> int:
        words = text.lower().split()
        runs = {" ".join(words[at : at + 5]).encode() for at in range(max(1, len(words) - 4))}
        theirs = empty.copy()
        theirs.update_batch(runs)
        return len(theirs.digest())

    return sign


_PEERS = {"datatrove": (datatrove, ("datatrove", "spacy", "xxhash", "tokenizers")),
          "datasketch": (datasketch, ("datasketch",))}  # fmt: skip


def missing() -> list[str]:
    """Peers of which something is not installed."""
    return [name for name, (_, needs) in _PEERS.items()
            if not all(map(importlib.util.find_spec, needs))]  # fmt: skip


def run(texts: Sequence[str], rounds: int) -> dict[str, Cost]:
    """All engines over all texts, in turns of some; ours comes first."""
    factories = {"openm3w": openm3w}
    factories |= {name: make for name, (make, _) in _PEERS.items() if name not in missing()}
    costs = {name: Cost() for name in factories}
    calls = [(text,) for text in texts]
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(make)) for name, make in factories.items()}
        for worker in workers.values():
            worker.ask_all(calls[:TEXTS_PER_TURN])  # what is loaded once is loaded
        for at in [*range(0, len(calls), TEXTS_PER_TURN)] * rounds:
            for name, worker in workers.items():
                for answer in worker.ask_all(calls[at : at + TEXTS_PER_TURN]):
                    costs[name].cpu_seconds += answer.cpu_seconds
                    costs[name].errors += bool(answer.error)
    return costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What became of pairs of sets of one similarity."""

    found: float
    """Share that has a band in common."""
    verified: float
    """Share that has, and an estimated similarity of `VERIFIED` or more."""
    mean_estimate: float


def planted(similarity: float, pairs: int) -> Planted:
    """Pairs of sets of just this similarity, of 200 distinct shingles together."""
    rng, minhash = np.random.default_rng(1), MinHash()
    shared, found, verified, total = round(200 * similarity), 0, 0, 0.0
    for _ in range(pairs):
        numbers = rng.integers(0, 1 << 32, 200, dtype=np.uint32)
        halves = np.array_split(numbers[shared:], 2)
        one, other = (minhash.of_shingles(np.append(numbers[:shared], half)) for half in halves)
        candidates = not set(minhash.band_keys(one)).isdisjoint(minhash.band_keys(other))
        estimate = estimated_jaccard(one, other)
        found += candidates
        verified += candidates and estimate >= VERIFIED
        total += estimate
    return Planted(found=found / pairs, verified=verified / pairs, mean_estimate=total / pairs)


def memory(texts: Sequence[str], *, count: int, every: int) -> Iterator[tuple[int, int]]:
    """Signatures made and the resident set, in this process; no two texts are alike."""
    sign = openm3w()
    for number in range(1, count + 1):
        sign(texts[number % len(texts)].replace(" the ", f" the {number} "))
        if number % every == 0:
            gc.collect()
            yield number, resident_bytes()


def passes(path: Path, name: str, documents: int) -> Ran:
    """All passes in a process of its own, so that its peak is theirs alone."""
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe()
    process = context.Process(target=_passes, args=(ours, path, name, documents))
    process.start()
    ours.close()
    ran: Ran = theirs.recv()
    process.join()
    return ran


def _passes(connection: Connection, path: Path, name: str,
            documents: int) -> None:  # fmt: skip
    import apache_beam as beam

    target = str(path)

    def entries(part: int) -> Iterator[Entry]:
        rng, minhash = np.random.default_rng(part), MinHash()
        for number in range(part, documents, 16):
            # One in five is another's near duplicate.
            base = np.random.default_rng(number - number % 5 if number % 5 == 1 else number)
            shingles = base.integers(0, 1 << 32, 300, dtype=np.uint32)
            shingles[:10] = rng.integers(0, 1 << 32, 10, dtype=np.uint32)
            signature = packed(minhash.of_shingles(shingles))
            yield Entry(f"{number:012d}", f"http://{number}/", f"{number}", "2024", signature)

    def graph(pipeline: beam.Pipeline) -> None:
        found = pipeline | beam.Create(range(16)) | beam.FlatMap(entries).with_output_types(Entry)
        marks = found | MarkDuplicates(WAYS[name])
        _ = (
            marks
            | beam.combiners.Count.Globally()
            | beam.Map(lambda count: Path(target).write_text(str(count), encoding="ascii"))
        )

    start = time.perf_counter()
    run_pipeline(Runner(), graph)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    connection.send(
        Ran(marked=int(path.read_text(encoding="ascii")), seconds=seconds, peak_bytes=peak)
    )
