"""The real LiT model, the tool it must agree with, and photographs with captions."""

import importlib.util
import io
import json
import tarfile
import warnings
from types import ModuleType

import pytest
from PIL import Image


@pytest.fixture(scope="session")
def pictures(image_bytes) -> list[Image.Image]:
    """Five made pictures of different sizes, shapes and modes."""
    sizes = [(224, 224), (320, 200), (90, 400), (64, 64), (500, 333)]
    opened = [
        Image.open(io.BytesIO(image_bytes(width, height, seed=seed)))
        for seed, (width, height) in enumerate(sizes)
    ]
    modes = ["RGB", "RGB", "L", "RGBA", "P"]
    return [image.convert(mode) for image, mode in zip(opened, modes, strict=True)]


@pytest.fixture(scope="session")
def lit():
    from openm3w.trainer.encoders import load_similarity

    return load_similarity("lit")


@pytest.fixture(scope="session")
def dinov2():
    from openm3w.trainer.encoders import load_vision_encoder

    return load_vision_encoder("dinov2-s")


@pytest.fixture(scope="session")
def reference_tool(realdata) -> ModuleType:
    """The independent implementation on onnxruntime and transformers."""
    path = realdata.parent / "tools" / "lit_similarity.py"
    if not path.is_file():
        pytest.skip(f"no reference implementation at {path}")
    pytest.importorskip("onnxruntime")
    spec = importlib.util.spec_from_file_location("lit_similarity_reference", path)
    tool = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        # transformers and what it imports announce their own changes; nothing of ours runs here.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        spec.loader.exec_module(tool)
    return tool


@pytest.fixture(scope="session")
def reference(reference_tool, realdata):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return reference_tool.LitSimilarity(str(realdata / "models/lit_f8k_head.safetensors"))


@pytest.fixture(scope="session")
def flickr8k(realdata) -> tuple[list[Image.Image], list[str]]:
    """The 300 test photographs, which the head has not seen, and the first caption of each."""
    folder = realdata / "flickr8k"
    rows = [json.loads(line) for line in (folder / "test.jsonl").read_text().splitlines()]
    with tarfile.open(folder / "test.tar") as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    images = [Image.open(io.BytesIO(files[row["image"]])) for row in rows]
    return images, [row["captions"][0] for row in rows]
