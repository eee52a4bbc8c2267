"""`m3w index`."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openm3w.shards import manifest as manifests
from openm3w.shards.commands.options import json_option, manifest_argument, print_json
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import What
from openm3w.shards.terminal import tell
from openm3w.trainer.encoders import load_similarity, resolve_similarity
from openm3w.trainer.encoders.specs import OPENCLIP, OpenClipSpec, similarity_id
from openm3w.trainer.encoders.wheels import require_libraries

if TYPE_CHECKING:
    from openm3w.pipeline.searching.building import Report


@click.command()
@manifest_argument
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Folder of the index.  [default: beside MANIFEST, with .index in its name]",
)
@click.option(
    "--model", default="auto", show_default=True, help="lit, auto, or openclip:ARCH/CHECKPOINT."
)
@click.option(
    "--what",
    type=click.Choice(["images", "texts", "both"]),
    help="What is embedded: pictures, what is said of them, or both.  [default: images; texts of "
    "a dataset without any]",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:0.")
@json_option
def index(
    where: str, output: Path | None, model: str, what: What | None, device: str, *, as_json: bool
) -> None:
    """Writes embeddings of a dataset, and an index to search them.

    The folder has clip-retrieval's layout; `clip-retrieval back` serves it too. The same command
    again goes on where it stopped, and embeds only what has changed. Without clip-retrieval the
    embeddings alone are written, and m3w search looks at all of them.

    \b
    m3w index out
    m3w index mix.json --output mix.index --what both
    m3w index out --model openclip:ViT-L-14/openai --device cuda
    """
    require_libraries(("numpy", "pyarrow"), "search")
    from openm3w.pipeline.searching import building, neighbours

    datasets = manifests.load(where)
    folder = output or layout.beside(where)
    resolved = resolve_similarity(model)
    report = building.build(
        datasets,
        folder,
        model=building.Model(
            name="" if _is_file(resolved) else resolved,
            model_id=similarity_id(resolved),
            load=functools.cache(lambda: load_similarity(resolved, device)),
        ),
        what=what or ("images" if any(dataset.images for dataset in datasets) else "texts"),
        say=tell,
    )
    if not report.index.indexed and not neighbours.is_installed():
        tell(
            "clip-retrieval is not installed, so there is no index and search looks at every "
            f"embedding; {layout.INSTALL}, then the same command again, makes one"
        )
    if as_json:
        print_json(_to_json(report, folder))
        return
    for line in _lines(report, folder, where):
        click.echo(line)


def _is_file(resolved: str) -> bool:
    return resolved.startswith(OPENCLIP) and OpenClipSpec.parse(resolved).path is not None


def _to_json(report: "Report", folder: Path) -> dict[str, Any]:
    return {
        "output": str(folder),
        "model": report.index.model_id,
        "what": report.index.what,
        "dim": report.index.dim,
        "rows": report.index.rows,
        "indexed": report.index.indexed,
        "shards": len(report.index.parts),
        "embedded_shards": report.embedded,
        "counts": dict(report.counts),
    }


def _lines(report: "Report", folder: Path, where: str) -> Iterator[str]:
    made = report.index
    done = "" if report.embedded else "nothing to do; "
    yield f"{folder}: {done}{made.rows:,} embeddings of {made.dim} numbers, by {made.model_id}"
    counts = ", ".join(f"{name} {number:,}" for name, number in report.counts.items())
    yield f"outcomes: {counts or 'none'}"
    option = "" if folder == layout.beside(where) else f" --index {folder}"
    yield f'search: m3w search {where} "words"{option}'
