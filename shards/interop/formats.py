"""The formats that are read and written, by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openm3w.errors import InputError
from openm3w.shards.interop import (
    datatrove,
    duckdb_tables,
    energon,
    img2dataset,
    mint1t,
    mmc4,
    nemo_curator,
    obelics,
    tables,
)
from openm3w.shards.interop.rows import Found
from openm3w.shards.interop.sources import Layout, Source
from openm3w.shards.interop.writing import Finish, Write
from openm3w.shards.sample import Kind

Read = Callable[[Source], Iterator[Found]]

_TABLES = Layout(suffixes=tables.SUFFIXES)
_TARS = Layout(suffixes=(".tar",))
_ENERGON = Layout(suffixes=(".tar",), split_of=energon.split_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of others."""

    name: str
    kinds: tuple[Kind, ...]
    """That it can hold; the first is what an import makes where none is named."""
    about: str
    source: str
    """Where its fields are from, with the version."""
    read: Read | None = None
    layout: Layout = field(default_factory=lambda: Layout(suffixes=()))
    """Of its files, where it is read."""
    write: Write | None = None
    finish: Finish | None = None
    can_lack_images: bool = False
    """Whether it is whole without the images' bytes, since it names them by address."""
    models: Mapping[str, Any] = field(default_factory=dict)
    """Of scores that an import takes over; see `Manifest.models`."""


_ALL = (
    Format(
        name="obelics",
        kinds=("interleaved",),
        about="Parquet with parallel lists, images by address",
        source="dataset card of HuggingFaceM4/OBELICS, 2023-08",
        read=obelics.read,
        layout=_TABLES,
        write=obelics.write,
        can_lack_images=True,
    ),
    Format(
        name="mmc4",
        kinds=("interleaved",),
        about="JSON lines, images matched to sentences, by address or in base64",
        source="README of allenai/mmc4, v1.1",
        read=mmc4.read,
        layout=_TABLES,
        write=mmc4.write,
        can_lack_images=True,
        models=mmc4.MODELS,
    ),
    Format(
        name="mint1t-html",
        kinds=("interleaved",),
        about="MINT-1T's pages: Parquet, images by address",
        source="columns of mlfoundations/MINT-1T-HTML, data_v1_1",
        read=mint1t.read_html,
        layout=_TABLES,
        write=mint1t.write_html,
        can_lack_images=True,
    ),
    Format(
        name="mint1t-pdf",
        kinds=("interleaved",),
        about="MINT-1T's PDFs: tar files with a JSON and a TIFF each",
        source="viewer of mlfoundations/MINT-1T-PDF-CC-2023-23",
        read=mint1t.read_pdf,
        layout=_TARS,
        write=mint1t.write_pdf,
    ),
    Format(
        name="img2dataset",
        kinds=("caption",),
        about="captioned images: tar files, folders of files, or Parquet",
        source="img2dataset 1.47.0, writer.py and downloader.py",
        read=img2dataset.read,
        layout=img2dataset.LAYOUT,
        write=img2dataset.write,
    ),
    Format(
        name="datatrove",
        kinds=("interleaved", "text"),
        about="JSON lines of documents with media, images in base64 or by address",
        source="datatrove 0.10.1, data.py and pipeline/writers/jsonl.py",
        read=datatrove.read,
        layout=_TABLES,
        write=datatrove.write,
        can_lack_images=True,
    ),
    Format(
        name="energon",
        kinds=("interleaved",),
        about="Megatron-Energon's InterleavedSample: tar files with .nv-meta",
        source="megatron-energon 7.4.1, docs/source/advanced/custom_sample_loader.md",
        read=energon.read,
        layout=_ENERGON,
        write=energon.write,
        finish=energon.finish,
    ),
    Format(
        name="energon-captioning",
        kinds=("caption",),
        about="Megatron-Energon's CaptioningSample: tar files with .nv-meta",
        source="megatron-energon 7.4.1, docs/source/basic/data_prep.md",
        read=energon.read_captions,
        layout=_ENERGON,
        write=energon.write_captions,
        finish=energon.finish_captions,
    ),
    Format(
        name="nemo-curator",
        kinds=("interleaved",),
        about="NeMo Curator's rows in Parquet, images inside",
        source="nemo-curator 1.4.0, tasks/interleaved.py",
        read=nemo_curator.read,
        layout=Layout(suffixes=(".parquet",)),
        write=nemo_curator.write,
    ),
    Format(
        name="nemo-curator-tar",
        kinds=("interleaved",),
        about="NeMo Curator's interleaved tar files",
        source="nemo-curator 1.4.0, stages/interleaved/io/writers/webdataset.py",
        read=nemo_curator.read_tars,
        layout=_TARS,
        write=nemo_curator.write_tars,
    ),
    Format(
        name="parquet",
        kinds=("interleaved", "caption", "text"),
        about="tables for DuckDB: one row a document, one row an image",
        source="of our own, docs/converters.md",
        write=duckdb_tables.write,
    ),
)

FORMATS: Mapping[str, Format] = {each.name: each for each in _ALL}
READ = tuple(name for name, each in FORMATS.items() if each.read)
WRITTEN = tuple(name for name, each in FORMATS.items() if each.write)


def kind_of(wanted: Format, kind: str | None) -> Kind:
    """The kind that an import makes.

    Raises:
        InputError: the format does not hold it.
    """
    for known in wanted.kinds:
        if kind in (None, known):
            return known
    raise InputError(f"{wanted.name}: holds {_listed(wanted.kinds)}, and no {kind} samples")


def _listed(kinds: Sequence[str]) -> str:
    return " and ".join(kinds)
