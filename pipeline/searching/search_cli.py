"""`m3w search`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from openm3w.errors import InputError
from openm3w.shards import manifest as manifests
from openm3w.shards.commands.options import json_option, manifest_argument, print_json
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Side
from openm3w.shards.terminal import counted, tell
from openm3w.shards.view.pictures import Mode
from openm3w.trainer.encoders.wheels import require_libraries

if TYPE_CHECKING:
    from openm3w.shards.search.questions import Hit
    from openm3w.shards.search.searching import IndexSearcher

_SIDES: dict[str, Side] = {"images": "image", "texts": "text"}


@click.command()
@manifest_argument
@click.argument("words", required=False)
@click.option(
    "--image",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Search by a picture in place of words.",
)
@click.option(
    "--index",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the index.  [default: beside MANIFEST, where m3w index puts it]",
)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--in",
    "among",
    type=click.Choice(["images", "texts"]),
    help="Look among pictures, or what is said of them.  [default: what the index has]",
)
@click.option("--exact", is_flag=True, help="Look at every embedding, not at the index.")
@click.option("--model", default="", help="The model, where the index was made with a file.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:0.")
@click.option(
    "--images",
    type=click.Choice(["auto", "blocks", "none"]),
    default="auto",
    show_default=True,
    help="How pictures are shown, as in m3w view.",
)
@json_option
def search(
    where: str,
    words: str | None,
    image: Path | None,
    folder: Path | None,
    limit: int,
    among: str | None,
    model: str,
    device: str,
    images: Mode,
    *,
    exact: bool,
    as_json: bool,
) -> None:
    """Finds pictures and documents by words or by a picture.

    MANIFEST was indexed by m3w index. Into a pipe each answer is a line: score, number of the
    document, key, picture, URL and words, with tabs between them.

    \b
    m3w search out "a red tram"
    m3w search out --image tram.jpg --limit 3
    m3w search out "a red tram" --json | jq '.[].key'
    m3w search mix.json "a red tram" --index mix.index --exact
    """
    if (words is None) == (image is None):
        raise click.UsageError("name words or --image, one of them")
    require_libraries(("numpy",), "search")
    from openm3w.pipeline.searching.serving import open_searcher

    datasets = manifests.load(where)
    searcher = open_searcher(
        folder or layout.beside(where),
        datasets,
        side=_SIDES[among] if among else None,
        model=model,
        exact=exact,
        device=device,
    )
    for line in _remarks(searcher, wanted_exact=exact):
        tell(line)
    hits = (
        searcher.search_text(words or "", limit)
        if image is None
        else searcher.search_image(_read(image), limit)
    )
    if not hits:
        tell("nothing was found: the index has no answer that may be shown")
    if as_json:
        from openm3w.shards.search.printing import to_json

        print_json([to_json(hit) for hit in hits])
        return
    _print(hits, searcher, images, where)


def _remarks(searcher: "IndexSearcher", *, wanted_exact: bool) -> list[str]:
    """What a user should know of an answer."""
    from openm3w.shards.search import nearest

    lines = []
    if searcher.num_stale:
        lines.append(
            f"{counted(searcher.num_stale, 'shard')} changed since the index was made and "
            "cannot answer; m3w index again takes them in"
        )
    if searcher.exact and not wanted_exact:
        lines.append(
            "every embedding is looked at, since there is no index; m3w index again makes one"
            if nearest.is_installed()
            else f"every embedding is looked at, since faiss is not installed; {layout.INSTALL}"
        )
    return lines


def _read(image: Path) -> bytes:
    try:
        return image.read_bytes()
    except OSError as error:
        raise InputError(f"{image}: not readable: {error.strerror}") from error


def _print(hits: "list[Hit]", searcher: "IndexSearcher", images: Mode, where: str) -> None:
    from openm3w.shards.search import printing
    from openm3w.shards.view.console import open_console
    from openm3w.shards.view.pictures import technique

    console = open_console(images)
    if not console.is_terminal:
        for hit in hits:
            click.echo(printing.plain_line(hit))
        return
    renderable, _ = printing.render(hits, searcher.catalog, technique(images, console), where)
    console.print(renderable)
