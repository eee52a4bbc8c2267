"""Names of language models that score texts, checked at the desk: without torch or a network."""

from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders.digests import file_digest, folder_digest
from openm3w.trainer.encoders.wheels import require_libraries

GGUF = ".gguf"
_SNAPSHOTS = "snapshots"  # in the hub's cache, above the folder of a commit


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

    @property
    def revision(self) -> str:
        """The commit of a repository that the hub's cache has; "" for others and for paths.

        Loading by it takes the same weights although the repository's main branch has moved.
        """
        if _is_path(self.source):
            return ""
        from huggingface_hub import try_to_load_from_cache

        # The answer is a path, None, or a marker for "known not to exist".
        found = try_to_load_from_cache(self.source, self.gguf_file or "config.json")
        parts = Path(found).parts if isinstance(found, str) else ()
        return parts[parts.index(_SNAPSHOTS) + 1] if _SNAPSHOTS in parts else ""

    def digest(self) -> str:
        """Of a local model's files; else the commit of a repository, "" before it is fetched.

        Raises:
            OSError: a file cannot be read.
        """
        if not _is_path(self.source):
            return self.revision
        folder = Path(self.source)
        if self.gguf_file:
            return f"sha256-{file_digest(folder / self.gguf_file)}"
        return f"sha256-{folder_digest(folder)}"

    @property
    def made_of(self) -> str:
        """What scores depend on: name and digest, and no path of a machine."""
        return f"{self.name}@{self.digest()}"


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
