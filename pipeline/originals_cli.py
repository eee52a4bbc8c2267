"""`m3w shards export`."""

from pathlib import Path

import click

from openm3w.errors import NotBuiltError


@click.command()
@click.argument("dataset", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--originals", "as_originals", is_flag=True,
              help="Images as they were fetched, byte for byte.")  # fmt: skip
@click.option(
    "--output", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the shards."
)
@click.option("--store", type=click.Path(path_type=Path),
              help="Folder that DIR was built with.  [default: found beside it]")  # fmt: skip
@click.option("--runner", default="local", show_default=True, help="local or local-mp.")
@click.option("--workers", type=click.IntRange(min=0), default=0,
              help="Processes of local-mp.  [default: one a core]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def export(
    dataset: Path,
    output: Path,
    store: Path | None,
    runner: str,
    workers: int,
    *,
    as_originals: bool,
    as_json: bool,
) -> None:
    """Writes a build's shards with its images as they were fetched.

    The build must have been made with images.originals=true. Samples, order and names are those of
    DIR, and the images' bytes are those that the server sent, with all metadata in them.

    \b
    m3w build openm3w --input crawl.warc.gz --output out --set images.originals=true
    m3w shards export out --originals --output out-originals
    """
    # The other commands of the group start without Beam.
    from openm3w.pipeline import originals
    from openm3w.pipeline.printing import print_published
    from openm3w.pipeline.runners import Runner

    if not as_originals:
        raise NotBuiltError("`m3w shards export` without --originals is planned; see m3w --help")
    engine = Runner(name=runner, workers=workers)
    built = originals.export_originals(dataset, output, engine, store=store)
    size = f"{built.manifest.nsamples} samples, {built.manifest.images} original images"
    print_published(built, output, size, {"images": built.manifest.images}, as_json=as_json)
