"""Names of language models that score texts, checked at the desk: without torch or a network."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders.wheels import require_libraries

GGUF = ".gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class LmSpec:
    """`NAME-or-PATH[:gguf-file]`, or the path of a .gguf file."""

    source: str
    """A repository of the hub, or a folder."""
    gguf_file: str = ""

    @classmethod
    def parse(cls, spec: str) -> "LmSpec":
        """The model that `spec` names.

        Raises:
            RecipeError: it names none.
        """
        source, gguf_file = spec, ""
        if spec.endswith(GGUF):
            source, colon, gguf_file = spec.rpartition(":")
            if not colon:
                path = Path(spec)
                source, gguf_file = str(path.parent), path.name
        if not source:
            raise RecipeError(
                f"language model {spec!r}: expected NAME, a folder, a .gguf file, or NAME:FILE.gguf"
            )
        return cls(source=str(Path(source).expanduser()) if _is_path(source) else source,
                   gguf_file=gguf_file)  # fmt: skip

    @property
    def name(self) -> str:
        """What bounds are set for, and what is written into the manifest: no path of a machine."""
        if not _is_path(self.source):
            return f"{self.source}:{self.gguf_file}" if self.gguf_file else self.source
        return self.gguf_file or Path(self.source).resolve().name

    def digest(self) -> str:
        """Of a local model's file, or of its configuration and its weights' sizes; else ""."""
        folder = Path(self.source)
        if not _is_path(self.source):
            return ""
        if self.gguf_file:
            with (folder / self.gguf_file).open("rb") as stream:
                return f"sha256-{hashlib.file_digest(stream, 'sha256').hexdigest()[:16]}"
        sizes = sorted(f"{p.name} {p.stat().st_size}" for p in folder.iterdir() if p.is_file())
        about = (folder / "config.json").read_bytes() + "\n".join(sizes).encode()
        return f"sha256-{hashlib.sha256(about).hexdigest()[:16]}"


def resolve_lm(spec: str) -> LmSpec:
    """The model of `spec`, after checking what can be checked without loading it.

    Raises:
        RecipeError: it names no model.
        MissingError: a package or a file is not here.
    """
    found = LmSpec.parse(spec)
    need = ("accelerate", "gguf") if found.gguf_file else ()
    require_libraries(("torch", "transformers", *need), "perplexity")
    if _is_path(found.source):
        file = Path(found.source) / (found.gguf_file or "config.json")
        if not file.is_file():
            raise MissingError(f"language model {spec!r}: no such file {file}")
    return found


def _is_path(source: str) -> bool:
    return source.startswith(("/", ".", "~")) or Path(source).is_dir()
