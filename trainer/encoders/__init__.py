"""Frozen image and text towers behind two small protocols.

Scoring, search, evaluation and the trainer take their encoders from here and know none by name.
Importing the package is cheap: torch arrives with the first model that is loaded.
"""

from openm3w.errors import RecipeError
from openm3w.trainer.encoders.protocol import Similarity, VisionEncoder
from openm3w.trainer.encoders.specs import LIT, OpenClipSpec, nearest, resolve_similarity
from openm3w.trainer.encoders.wheels import require_device, require_libraries

__all__ = [
    "VISION_ENCODERS",
    "Similarity",
    "VisionEncoder",
    "load_similarity",
    "load_vision_encoder",
    "resolve_similarity",
]

VISION_ENCODERS = ("dinov2-s", "random-tiny")


def load_similarity(spec: str, device: str = "cpu") -> Similarity:
    """The similarity model that `resolve_similarity` names, on `device`.

    The weights of an open_clip tag may come over the network, unless HF_HUB_OFFLINE is set. The
    object can be weakly referenced, as Beam's RunInference asks.

    Raises:
        RecipeError: no such model.
        MissingError: a package or the weights are not here and cannot be had.
    """
    resolved = resolve_similarity(spec)
    require_device(device)
    if resolved == LIT:
        from openm3w.trainer.encoders.lit import LitSimilarity

        return LitSimilarity(device)
    from openm3w.trainer.encoders.openclip import OpenClipSimilarity

    return OpenClipSimilarity(OpenClipSpec.parse(resolved), device)


def load_vision_encoder(name: str, device: str = "cpu") -> VisionEncoder:
    """A frozen image tower by name: "dinov2-s", or "random-tiny" which needs no weights.

    Raises:
        RecipeError: no such encoder.
        MissingError: the package with its weights is not installed.
    """
    if name not in VISION_ENCODERS:
        raise RecipeError(
            f"vision encoder {name!r}: unknown{nearest(name, VISION_ENCODERS)}; "
            f"known are {', '.join(VISION_ENCODERS)}"
        )
    require_libraries(("numpy", "torch"), "trainer")
    require_device(device)
    if name == "dinov2-s":
        from openm3w.trainer.encoders.dinov2 import load_dinov2_small

        return load_dinov2_small(device)
    from openm3w.trainer.encoders.vit import random_tiny

    return random_tiny(device)
