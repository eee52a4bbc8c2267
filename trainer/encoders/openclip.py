"""Any CLIP-like model of open_clip: an architecture and a checkpoint, by tag or from a file.

open_clip (2.32 to 3.3) brings torchvision and timm along, so it is imported when a model loads.
Shapes: N items, D dimensions.
"""

import pickle
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders.specs import OpenClipSpec, nearest

IMAGE_CHUNK = 16
TEXT_CHUNK = 64
LOAD_ERRORS = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    pickle.PickleError,
    SafetensorError,
)
"""What a missing network, a damaged file and a checkpoint of another model raise."""


class OpenClipSimilarity:
    """A `Similarity` over an open_clip model in float32, with the model's own transform."""

    def __init__(self, spec: OpenClipSpec, device: str = "cpu") -> None:
        import open_clip

        tag = _known_tag(spec)
        self._model, self._transform = _create(spec, quick_gelu=needs_quick_gelu(spec.arch, tag))
        self._model.to(device).eval().requires_grad_(requires_grad=False)
        self._tokenizer = _tokenizer(spec)
        self.device = torch.device(device)
        self.dim = int(open_clip.get_model_config(spec.arch)["embed_dim"])
        self.model_id = f"openclip:{spec.arch}/{tag}" if tag else spec.model_id
        self.preprocessing = describe(self._model.visual.preprocess_cfg, self._tokenizer)

    def encode_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """float32[N, D] on the CPU, unit length."""
        out = torch.empty(len(images), self.dim)
        for start in range(0, len(images), IMAGE_CHUNK):
            part = images[start : start + IMAGE_CHUNK]
            pixels = torch.stack([self._transform(image) for image in part]).to(self.device)
            with torch.inference_mode():
                out[start : start + len(part)] = self._model.encode_image(pixels, normalize=True)
        return out

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """float32[N, D] on the CPU, unit length; longer texts are cut at the model's context."""
        out = torch.empty(len(texts), self.dim)
        for start in range(0, len(texts), TEXT_CHUNK):
            part = list(texts[start : start + TEXT_CHUNK])
            tokens = self._tokenizer(part).to(self.device)
            with torch.inference_mode():
                out[start : start + len(part)] = self._model.encode_text(tokens, normalize=True)
        return out


def needs_quick_gelu(arch: str, tag: str | None) -> bool:
    """Whether the weights of a tag were trained with QuickGELU, which the plain name leaves out.

    open_clip only warns where it should switch: "ViT-L-14/openai" without this scores wrongly.
    """
    import open_clip

    return bool(tag and open_clip.get_pretrained_cfg(arch, tag).get("quick_gelu", False))


def describe(transform: Mapping[str, Any], tokenizer: object) -> str:
    """One line from open_clip's own preprocessing settings, sorted by name."""
    settings = ", ".join(f"{name} {transform[name]}" for name in sorted(transform))
    context = getattr(tokenizer, "context_length", "unknown")
    return f"{settings}; {type(tokenizer).__name__}, at most {context} tokens"


def _known_tag(spec: OpenClipSpec) -> str | None:
    import open_clip

    if spec.path is not None:
        return None
    tags = open_clip.list_pretrained_tags_by_model(spec.arch)
    # open_clip takes tags in any case and with either dash.
    tag = spec.checkpoint.lower().replace("-", "_")
    if tag in tags:
        return tag
    known = f"its tags: {', '.join(tags)}" if tags else "it has no downloadable weights"
    raise RecipeError(
        f"{spec}: {spec.arch} has no weights tagged {spec.checkpoint!r}"
        f"{nearest(spec.checkpoint, tags)}; {known}; a file is openclip:{spec.arch}//path/to.pt"
    )


def _create(spec: OpenClipSpec, *, quick_gelu: bool) -> tuple[Any, Any]:
    """The model on the CPU and its transform for inference."""
    import open_clip

    try:
        if spec.path is None:
            # First, since building a model takes longer than finding that there is no network.
            open_clip.download_pretrained(open_clip.get_pretrained_cfg(spec.arch, spec.checkpoint))
        model, _, transform = open_clip.create_model_and_transforms(
            spec.arch, pretrained=str(spec.path or spec.checkpoint), force_quick_gelu=quick_gelu
        )
    except LOAD_ERRORS as error:
        raise _not_loaded(spec, error) from error
    return model, transform


def _tokenizer(spec: OpenClipSpec) -> Any:
    import open_clip

    try:
        return open_clip.get_tokenizer(spec.arch)
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        raise _not_loaded(spec, error) from error


def _not_loaded(spec: OpenClipSpec, error: Exception) -> MissingError:
    # torch's own words for a file it does not know advise to load it unsafely.
    unreadable = isinstance(error, pickle.UnpicklingError)
    reason = "not a file of tensors" if unreadable else textwrap.shorten(str(error), 160)
    advice = (
        f"is {spec.path} a checkpoint of {spec.arch}?"
        if spec.path
        else "load it once where there is a network and copy the hub's cache here, or use `lit`"
    )
    return MissingError(
        f"{spec}: the weights do not load ({reason or type(error).__name__}); {advice}"
    )
