"""`m3w shards export`."""

from pathlib import Path

import click

from openm3w.errors import NotBuiltError
from openm3w.pipeline.options import built_with_option, json_option, output_option, runner_options
from openm3w.shards.terminal import counted


@click.command()
@click.argument("dataset", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--originals", "as_originals", is_flag=True,
              help="Images as they were fetched, byte for byte.")  # fmt: skip
@output_option
@built_with_option
@runner_options
@json_option
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
    DIR, and the images' bytes are those that the server sent, with all metadata in them. Samples
    with an image that was buried since (`m3w fetched bury`) are left out, and counted.

    \b
    m3w build openm3w --input crawl.warc.gz --output out --set images.originals=true
    m3w shards export out --originals --output out-originals
    """
    # The other commands of the group start without Beam.
    from openm3w.pipeline import originals
    from openm3w.pipeline.printing import print_published, quiet
    from openm3w.pipeline.runners import Runner

    if not as_originals:
        raise NotBuiltError("`m3w shards export` without --originals is planned; see m3w --help")
    engine = Runner(name=runner, workers=workers)
    say = quiet if as_json else click.echo
    built = originals.export_originals(dataset, output, engine, store=store, say=say)
    made = built.manifest
    size = f"{counted(made.nsamples, 'sample')}, {counted(made.images, 'original image')}"
    print_published(built, output, size, {"images": built.manifest.images}, as_json=as_json)
