"""Megatron-Energon: `.nv-meta` of the folder, without `energon prepare`, through a cooker."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from megatron.energon import (
    Cooker,
    DefaultTaskEncoder,
    Sample,
    SampleDecoder,
    WorkerConfig,
    basic_sample_keys,
    edataclass,
    get_loader,
    get_train_dataset,
    get_val_dataset,
    stateless,
)
from rows import Reading, Row

HONOURS_EXCLUDE = True


@edataclass
class Page(Sample):
    """Texts and pictures in reading order, beside the sample's JSON."""

    sequence: list[Any]
    document: dict[str, Any]


@stateless
def cook(sample: dict[str, Any]) -> Page:
    """Makes a page of the members of a sample, whatever its kind."""
    document = sample["json"]
    if "texts" in document:  # interleaved
        names = [name and name.partition(".")[2] for name in document["images"]]
        pairs = zip(document["texts"], names, strict=True)
        sequence = [sample[name] if name else text for text, name in pairs]
    else:  # a caption pair, or a text
        sequence = [sample[name] for name in ("jpg", "txt") if name in sample]
    return Page(**basic_sample_keys(sample), sequence=sequence, document=document)


class Pages(DefaultTaskEncoder[Page, Page, Page, Page]):
    """Give it an `encode_sample` that tokenises."""

    decoder = SampleDecoder(image_decode="pilrgb")
    cookers: ClassVar = [Cooker(cook)]


def open_split(folder: str, split: str, *, training: bool) -> Iterable[Page]:
    """Pages without a batch: in order, or shuffled as for training."""
    about = {
        "split_part": split,
        "worker_config": WorkerConfig.default_worker_config(num_workers=0),
        "batch_size": None,
        "task_encoder": Pages(),
    }
    if not training:
        return get_loader(get_val_dataset(folder, **about))
    dataset = get_train_dataset(
        folder, shuffle_buffer_size=8, max_samples_per_sequence=None, repeat=False, **about
    )
    return get_loader(dataset)


def readings(folder: str, kind: str) -> Iterator[Reading]:  # noqa: ARG001 - all kinds alike
    """Both splits in order, and shuffled."""
    for split in ("train", "val"):
        for training in (False, True):
            rows = map(_row, open_split(folder, split, training=training))
            way = "shuffled" if training else "in order"
            yield Reading(way=way, split=split, rows=rows, ordered=not training)
    _check_index(Path(folder))


def _check_index(folder: Path) -> None:
    """Compares every `.tar.idx` with what `energon prepare --tar-index-only` writes.

    Raises:
        ValueError: one has other bytes.
    """
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch, "dataset")
        shutil.copytree(folder, again)
        indexes = sorted(again.glob("data/*.tar.idx"))
        for index in indexes:
            index.unlink()
        command = [str(Path(sys.executable).with_name("energon")), "prepare", "--tar-index-only"]
        subprocess.run([*command, "--num-workers=1", str(again)], check=True, capture_output=True)
        for index in indexes:
            ours = folder / index.relative_to(again)
            if index.read_bytes() != ours.read_bytes():
                raise ValueError(f"{index.name}: `energon prepare` writes other bytes")


def _row(page: Page) -> Row:
    suffixes = [name.partition(".")[2] for name in page.document.get("images", ()) if name]
    pictures = [part for part in page.sequence if not isinstance(part, str)]
    texts = [part for part in page.sequence if isinstance(part, str)]
    if "texts" in page.document:
        text = None
        if texts != [text for text in page.document["texts"] if text is not None]:
            raise ValueError(f"{page.__key__}: the page's texts are in another order")
    else:
        (text,) = texts
        suffixes = ["jpg"] * len(pictures)
    images = dict(zip(suffixes, pictures, strict=True))
    return Row(key=page.__key__, document=page.document, text=text, images=images)
