"""Files as others write them, and what an import made of them."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image as PillowImage

from openm3w.shards import reader
from openm3w.shards.interop.importing import Imported
from openm3w.shards.sample import Sample


def encoded(kind: str = "JPEG", size=(60, 40), colour="teal", mode="RGB", **options) -> bytes:
    buffer = io.BytesIO()
    PillowImage.new(mode, size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_lines(path: Path, *values: object) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def samples_of(made: Imported) -> list[Sample]:
    return list(reader.read_samples(made.manifest, verify="full"))


def outcomes(made: Imported) -> dict[str, dict]:
    """Of rows and images: kept, and what was lost by reason."""
    return {
        stage["unit"]: {"kept": stage["kept"], **stage["dropped"], **stage["failed"]}
        for stage in made.manifest.counts["stages"]
    }
