"""Search by meaning: time of a question, what an index costs in recall, and what the models find.

    python benchmarks/search.py                  100,000 synthetic embeddings of 512 and 768 numbers
    python benchmarks/search.py --command        the whole of `m3w search` over 100,000 embeddings
    python benchmarks/search.py --quality        Flickr8k's test captions, each to its picture

Everything is printed as Markdown for docs/performance.md. The last two need OPENM3W_REALDATA and
the LiT model; `--quality` embeds 300 photographs (half a minute on two idle cores) and, for the
recall of an index, 15,000 captions (two minutes).
"""

import argparse
import itertools
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import faiss
import numpy as np
from measure.processes import environment
from numpy.typing import NDArray

from openm3w.pipeline.searching import building, neighbours
from openm3w.shards import manifest
from openm3w.shards.manifest import Manifest
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Index, Part
from openm3w.shards.search.nearest import Nearest
from openm3w.shards.search.vectors import Vectors, descending
from openm3w.shards.writer import write_shard
from openm3w.trainer.encoders import load_similarity
from openm3w.trainer.encoders.specs import LIT, similarity_id

Floats = NDArray[np.float32]
Search = Callable[[Floats], list[int]]

WANTED = 10
CENTRES = 1000
SPREAD = 0.8
"""Of rows around their centre, the centre being of length 1: neighbours have cosines near 0.6."""
REPEATS = 50
PEER = "`faiss.IndexFlatIP`"


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[512, 768])
    parser.add_argument("--command", action="store_true")
    parser.add_argument("--quality", action="store_true")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, faiss {faiss.__version__}, "
          f"{os.cpu_count()} cores, no GPU\n")  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        if options.command:
            command(Path(scratch), options.rows)
        elif options.quality:
            quality(Path(scratch))
        else:
            synthetic(Path(scratch), options.rows, options.dims)


def synthetic(scratch: Path, num_rows: int, dims: Sequence[int]) -> None:
    """Time of a question and recall, for each number of dimensions."""
    print("| numbers | search | question, median | 95 % | recall at 10 | what is read or held |")
    print("|---|---|---|---|---|---|")
    for dim in dims:
        folder = scratch / str(dim)
        rows, questions = clustered(num_rows, dim)
        vectors = saved(folder, rows)
        neighbours.build(folder, ["image"])
        flat = faiss.IndexFlatIP(dim)
        flat.add(rows.astype(np.float32))
        halves = np.load(layout.embeddings_path(folder, "image", 0), mmap_mode="r")
        print_searches(
            {
                "exact, as NumPy widens": (widened(halves), halves.nbytes),
                "exact, `m3w search`": (exact(vectors), halves.nbytes),
                f"exact, {PEER}": (flat_search(flat), rows.nbytes * 2),
                f"index ({index_key(folder)}), `m3w search`": (
                    nearest(folder, vectors),
                    layout.nearest_path(folder, "image").stat().st_size,
                ),
            },
            questions,
            dim,
        )


def print_searches(searches: dict[str, tuple[Search, int]], questions: Floats, dim: int) -> None:
    """A row for each way, the ways in turns so that each meets the machine alike."""
    truth = [set(searches[f"exact, {PEER}"][0](question)) for question in questions]
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    found: dict[str, int] = dict.fromkeys(searches, 0)
    for question, expected in zip(questions, truth, strict=True):
        for name, (search, _) in searches.items():
            started = time.perf_counter()
            answer = search(question)
            seconds[name].append(time.perf_counter() - started)
            found[name] += len(expected & set(answer))
    for name, (_, size) in searches.items():
        times = sorted(seconds[name])
        recall = found[name] / (WANTED * len(questions))
        print(f"| {dim} | {name} | {1000 * statistics.median(times):.1f} ms "
              f"| {1000 * times[int(0.95 * len(times))]:.1f} ms | {recall:.3f} "
              f"| {size / 1e6:.0f} MB |")  # fmt: skip


def clustered(num_rows: int, dim: int) -> tuple[NDArray[np.float16], Floats]:
    """Rows around centres, as embeddings of pictures are, and questions of the same making."""
    rng = np.random.default_rng(0)
    centres = unit(rng.standard_normal((CENTRES, dim), np.float32))
    size = num_rows + REPEATS
    noise = rng.standard_normal((size, dim), np.float32) * np.float32(SPREAD / dim**0.5)
    made = unit(centres[rng.integers(0, CENTRES, size)] + noise)
    return made[:num_rows].astype(np.float16), made[num_rows:]


def unit(rows: Floats) -> Floats:
    """Rows of length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def saved(folder: Path, rows: NDArray[np.float16]) -> Vectors:
    """Rows as the embeddings of an index folder."""
    path = layout.embeddings_path(folder, "image", 0)
    path.parent.mkdir(parents=True)
    np.save(path, rows)
    return Vectors([(path, len(rows))], rows.shape[1])


def first(ranked: Iterator[tuple[int, float]]) -> list[int]:
    """The rows of the best."""
    return [row for row, _ in itertools.islice(ranked, WANTED)]


def exact(vectors: Vectors) -> Search:
    """As `m3w search --exact`."""
    return lambda question: first(descending(vectors.scores(question)))


def nearest(folder: Path, vectors: Vectors) -> Search:
    """As `m3w search` where faiss is installed."""
    opened = Nearest(layout.nearest_path(folder, "image"), vectors)
    return lambda question: first(opened.descending(question, WANTED))


def widened(halves: NDArray[np.float16]) -> Search:
    """What one would write first: NumPy's own conversion, a block at a time."""

    def search(question: Floats) -> list[int]:
        scores = np.concatenate(
            [
                halves[at : at + 1024].astype(np.float32) @ question
                for at in range(0, len(halves), 1024)
            ]
        )
        best = np.argpartition(-scores, WANTED)[:WANTED]
        return best[np.argsort(-scores[best])].tolist()

    return search


def flat_search(index: faiss.IndexFlatIP) -> Search:
    """The peer: faiss' own exact search, float32 in memory."""
    return lambda question: index.search(question[None], WANTED)[1][0].tolist()


def index_key(folder: Path) -> str:
    """What autofaiss chose."""
    return json.loads((folder / "image.json").read_text(encoding="utf-8"))["index_key"]


def command(scratch: Path, num_rows: int) -> None:
    """The whole command, from the shell's point of view, and a command that does nothing."""
    dataset = photographs(scratch / "out", "test", 300)
    folder = scratch / "out.index"
    rows, _ = clustered(num_rows, 256)
    pretend(folder, dataset, rows)
    neighbours.build(folder, ["image"])
    words = ("search", str(scratch / "out"), "a dog in the snow", "--limit", "10")
    runs = {
        "m3w --version": ("--version",),
        'm3w search out "a dog in the snow"': words,
        'm3w search out "a dog in the snow" --exact': (*words, "--exact"),
    }
    print(f"{num_rows:,} embeddings of 256 numbers, model `lit`\n")
    print("| command | seconds, best of 5 |")
    print("|---|---|")
    for name, arguments in runs.items():
        took = min(timed([sys.executable, "-m", "openm3w", *arguments]) for _ in range(5))
        print(f"| `{name}` | {took:.2f} |")


def timed(line: Sequence[str]) -> float:
    """Seconds of a command that must succeed."""
    started = time.perf_counter()
    done = subprocess.run(line, check=False, capture_output=True, env=environment())
    if done.returncode:
        sys.exit(f"{shlex.join(line)}: {done.stderr.decode()}")
    return time.perf_counter() - started


def pretend(folder: Path, dataset: Manifest, rows: NDArray[np.float16]) -> None:
    """An index of many rows that lead to few pictures."""
    (shard,) = dataset.shards
    saved(folder, rows)
    places = np.stack([np.arange(len(rows)) % shard.nsamples, np.ones(len(rows))], 1)
    layout.rows_path(folder, 0).parent.mkdir(parents=True)
    np.save(layout.rows_path(folder, 0), places.astype(np.int32))
    part = Part(number=0, sha256=shard.sha256, rows=len(rows), counts={"indexed": len(rows)})
    layout.write(
        folder,
        Index(
            model=LIT,
            model_id=similarity_id(LIT),
            preprocessing="",
            dim=rows.shape[1],
            what="images",
            fingerprints=(dataset.fingerprint,),
            finished=True,
            indexed=True,
            parts=(part,),
        ),
    )


def quality(scratch: Path) -> None:
    """Recall of pictures by their captions, and of an index against all embeddings."""
    dataset = photographs(scratch / "out", "test", 300)
    model = building.Model(
        name=LIT, model_id=similarity_id(LIT), load=cache(lambda: load_similarity(LIT))
    )
    folder = scratch / "out.index"
    report = building.build([dataset], folder, model=model, what="images", say=tell)
    vectors = Vectors(
        [(layout.embeddings_path(folder, "image", 0), report.index.rows)], report.index.dim
    )
    captions, pictures = captions_of("test", 300)
    questions = np.asarray(model.load().encode_texts(captions))
    print("| search | R@1 | R@5 | R@10 |\n|---|---|---|---|")
    for name, search in {
        "exact": exact(vectors),
        f"index ({index_key(folder)})": nearest(folder, vectors),
    }.items():
        ranks = [search(question) for question in questions]
        shares = [
            sum(picture in rank[:k] for picture, rank in zip(pictures, ranks, strict=True))
            / len(ranks)
            for k in (1, 5, 10)
        ]
        print(f"| {name} | {' | '.join(f'{share:.1%}' for share in shares)} |")
    others, _ = captions_of("train", 3000)
    print_agreement(scratch / "many", np.asarray(model.load().encode_texts(others)), questions)


def print_agreement(folder: Path, rows: Floats, questions: Floats) -> None:
    """How many of the nearest rows an index finds, in a sentence."""
    vectors = saved(folder, rows.astype(np.float16))
    neighbours.build(folder, ["image"])
    truth, ours = exact(vectors), nearest(folder, vectors)
    shared = [len(set(truth(q)) & set(ours(q))) / WANTED for q in questions]
    print(f"\nOf {len(rows):,} captions of other photographs an index ({index_key(folder)}) finds "
          f"{np.mean(shared):.1%} of the {WANTED} that are nearest to each of "
          f"{len(questions):,} captions.")  # fmt: skip


def flickr() -> Path:
    """The folder of Flickr8k."""
    folder = Path(os.environ.get("OPENM3W_REALDATA", "../shared/realdata")) / "flickr8k"
    if not folder.is_dir():
        sys.exit(f"{folder}: not there; set OPENM3W_REALDATA")
    return folder


def photographs(output: Path, part: str, number: int) -> Manifest:
    """Photographs with one of their captions as a dataset of one shard."""
    from learn_flickr8k import captioned

    samples = captioned(flickr(), part, number, captions=1)
    shard = write_shard(output, "data/test-000000.tar", samples, kind="caption", split="test")
    dataset = Manifest(name=f"flickr8k {part}", kind="caption", shards=(shard,), root=output)
    manifest.write(dataset)
    return dataset


def captions_of(part: str, number: int) -> tuple[list[str], list[int]]:
    """All captions of the first photographs, and which photograph each is of."""
    with (flickr() / f"{part}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line)["captions"] for line, _ in zip(lines, range(number), strict=False)]
    captions = [caption for row in rows for caption in row]
    return captions, [at for at, row in enumerate(rows) for _ in row]


def tell(line: str) -> None:
    """Progress, beside the Markdown."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
