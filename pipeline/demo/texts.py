"""The caption and text sources beside the archive."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from openm3w.pipeline.demo import photos
from openm3w.pipeline.demo.content import Content, Picture, Story
from openm3w.shards import commit

CAPTIONS_NAME: Final = "captions.jsonl"
TEXTS_NAME: Final = "text.jsonl"
PICTURES_NAME: Final = "pictures"

_WIDTH = 320


def write_captions(content: Content, folder: Path) -> int:
    """Commits a table of pictures and captions with the pictures beside it; the number of rows.

    Raises:
        MissingError: scikit-image is not installed.
        OutputError: the folder cannot be written.
    """
    rows = []
    for name, picture in content.pictures.items():
        if picture.caption:
            file = f"{PICTURES_NAME}/{name}.jpg"
            commit.write_bytes(folder / file, photos.render(picture, _WIDTH))
            rows += [{"file": file, "caption": caption} for caption in captions_of(picture)]
    _write_lines(folder / CAPTIONS_NAME, rows)
    return len(rows)


def write_texts(content: Content, folder: Path) -> int:
    """Commits the texts in the Pile's form, a JSON object a line; their number.

    Raises:
        OutputError: the folder cannot be written.
    """
    texts = [text for story in content.stories for text in tell(story)]
    _write_lines(folder / TEXTS_NAME, [{"text": text, "meta": {}} for text in texts])
    return len(texts)


def captions_of(picture: Picture) -> tuple[str, ...]:
    """Every caption of a picture, its alternative text among them."""
    return (picture.caption, picture.alt, *picture.more)


def tell(story: Story) -> Iterator[str]:
    """The texts of a story: its patterns as paragraphs, with other words each time."""
    slots = list(story.words)
    for copy in range(story.copies):
        # Slots go through their words at paces of 1, 2, 3, ..., which keeps them apart.
        words = {
            slot: story.words[slot][(copy * pace + copy // 7) % len(story.words[slot])]
            for pace, slot in enumerate(slots, start=1)
        }
        yield "\n\n".join(pattern.format(**words) for pattern in story.patterns)


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    commit.write_bytes(path, lines.encode())
