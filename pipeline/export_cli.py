"""`m3w shards export`: a dataset in another format, or with its images as they were fetched.

One command, since it is one wish: the data elsewhere. It stands here because originals are read
from a build's store; another format needs the shards alone, and neither Beam nor a store.
"""

from pathlib import Path

import click

from openm3w.errors import InputError
from openm3w.pipeline.options import built_with_option, json_option, output_option, runner_options
from openm3w.shards.interop.formats import FORMATS, WRITTEN
from openm3w.shards.terminal import clean_line, counted


@click.command()
@click.argument("dataset", metavar="MANIFEST", type=click.Path(path_type=Path))
@click.option("--format", "wanted", type=click.Choice(WRITTEN), help="Another format.")
@click.option(
    "--no-images", is_flag=True, help="Of a format that names images by address: none beside it."
)
@click.option("--originals", "as_originals", is_flag=True,
              help="Our format, images as they were fetched, byte for byte.")  # fmt: skip
@output_option
@built_with_option
@runner_options
@json_option
def export(
    dataset: Path,
    wanted: str | None,
    output: Path,
    store: Path | None,
    runner: str,
    workers: int,
    *,
    no_images: bool,
    as_originals: bool,
    as_json: bool,
) -> None:
    """Writes a dataset in another format, or with its images as they were fetched.

    With --format, MANIFEST is any dataset, and samples on its exclude list are left out; parquet is
    for DuckDB, one row a document and one row an image. With --originals it is the folder of a
    build that was made with images.originals=true: samples, order and names are its own, and the
    images' bytes are those that the server sent, with all metadata in them; samples with an image
    that was buried since (`m3w fetched bury`) are left out, and counted.

    \b
    m3w shards export out --format obelics --output out-obelics
    m3w shards export out --format parquet --output tables
    m3w build openm3w --input crawl.warc.gz --output out --set images.originals=true
    m3w shards export out --originals --output out-originals
    """
    if (wanted is None) != as_originals:
        raise click.UsageError("name one of --format and --originals")
    if wanted is not None:
        _export_format(dataset, wanted, output, with_images=not no_images, as_json=as_json)
        return
    # The other commands of the group start without Beam.
    from openm3w.pipeline import originals
    from openm3w.pipeline.printing import print_published, quiet
    from openm3w.pipeline.runners import Runner

    engine = Runner(name=runner, workers=workers)
    say = quiet if as_json else click.echo
    built = originals.export_originals(dataset, output, engine, store=store, say=say)
    made = built.manifest
    size = f"{counted(made.nsamples, 'sample')}, {counted(made.images, 'original image')}"
    print_published(built, output, size, {"images": built.manifest.images}, as_json=as_json)


def _export_format(
    dataset: Path, wanted: str, output: Path, *, with_images: bool, as_json: bool
) -> None:
    from openm3w.shards import funnel, manifest
    from openm3w.shards.commands.options import print_json
    from openm3w.shards.commands.printing import stage_line
    from openm3w.shards.interop.exporting import export_dataset

    found = manifest.load(dataset)
    if len(found) > 1:
        raise InputError(f"{dataset}: is a mixture; name one dataset at a time")
    done = export_dataset(found[0], FORMATS[wanted], output, with_images=with_images)
    if as_json:
        stage = funnel.to_json(done.stage)
        print_json(
            {"output": str(output), "already_done": done.already_done, "files": done.files,
             "stages": [stage]}
        )  # fmt: skip
        return
    again = "; nothing changed" if done.already_done else ""
    click.echo(f"{clean_line(str(output))}: {counted(done.files, 'shard')} as {wanted}{again}")
    click.echo(stage_line(done.stage))
