"""The commands of the demo: exactly what a user would type after `m3w`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openm3w.pipeline.demo.site import ARCHIVE_NAME
from openm3w.pipeline.demo.texts import CAPTIONS_NAME, PICTURES_NAME, TEXTS_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One numbered step: what it is for, and its commands."""

    title: str
    commands: tuple[tuple[str, ...], ...]


def demo_steps(output: Path) -> Iterator[Step]:
    """The steps after the sources are made, in order."""
    source, mixture = output / "sources", str(output / "mix.json")
    pages, captions, texts = (str(output / name) for name in ("interleaved", "captions", "text"))
    run = str(output / "run")
    yield Step(
        title="From the archive to interleaved documents",
        commands=(("build", "openm3w", "--input", str(source / ARCHIVE_NAME), "--output", pages),),
    )
    yield Step(
        title="Captions and plain text, the other two kinds of shards",
        commands=(
            (
                *("captions", "build", str(source / CAPTIONS_NAME)),
                *("--url-column", "file", "--text-column", "caption", "--output", captions),
            ),
            ("text", "build", str(source / TEXTS_NAME), "--output", texts),
        ),
    )
    yield Step(
        title="One mixture of the three, and what is in it",
        commands=(
            ("shards", "join", pages, captions, texts, "--output", mixture),
            ("shards", "verify", mixture),
            ("shards", "stats", mixture),
        ),
    )
    yield Step(
        title="A look at two documents",
        commands=(
            ("view", pages, "--plain", "--limit", "2"),
            ("view", pages, "--svg", str(output / "document.svg")),
        ),
    )
    yield Step(
        title="A short KOSMOS-style training run at the token ratio 0.5 : 0.5 : 0.2",
        commands=(("train", "kosmos1-demo", "--data", mixture, "--output", run),),
    )
    yield Step(
        title="The model describes a picture (a minute of training: expect little)",
        commands=(("generate", run, "--image", str(source / PICTURES_NAME / "motorcycle.jpg")),),
    )


def next_commands(output: Path) -> tuple[tuple[str, ...], ...]:
    """What to try when the demo is over."""
    pages, source = str(output / "interleaved"), str(output / "sources" / ARCHIVE_NAME)
    return (
        ("view", pages),
        ("view", pages, "--images", "blocks"),
        ("serve", pages),
        ("report", pages),
        ("shards", "ls", str(output / "mix.json")),
        ("profiles", "show", "m3w"),
        ("build", "m3w", "--input", source, "--output", str(output / "m3w"), "--dry-run"),
        ("train", "kosmos1-1.3b", "--data", str(output / "mix.json"), "--dry-run"),
    )
