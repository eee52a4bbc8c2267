"""A rendered document as an SVG file, for a README or a paper.

The text stands as a terminal shows it. The pictures are put in as small JPEGs, as a terminal with
graphics shows them; nothing is loaded from elsewhere.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image as PillowImage
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.terminal_theme import TerminalTheme

from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.view import rendering
from openm3w.shards.view.pictures import Picture

MAX_BYTES = 480_000
"""Of the whole file; pictures are made coarser until they fit."""

_CHARACTER_WIDTH, _LINE_HEIGHT = 12.2, 24.4  # of rich's export, in its user units
_QUALITIES = ((640, 82), (480, 75), (320, 70), (200, 60), (96, 50))  # longest side, JPEG quality
_THEME = TerminalTheme(
    (27, 29, 33),
    (222, 220, 214),
    [
        (27, 29, 33), (224, 116, 116), (92, 184, 160), (221, 164, 85),
        (123, 164, 216), (190, 150, 210), (110, 190, 200), (222, 220, 214),
    ],
    [
        (140, 145, 154), (224, 116, 116), (92, 184, 160), (221, 164, 85),
        (123, 164, 216), (190, 150, 210), (110, 190, 200), (240, 238, 234),
    ],
)  # fmt: skip
_FRAME = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, "SF Mono", Menlo,
  Consolas, "DejaVu Sans Mono", monospace; }}
.{unique_id}-title {{ font: 600 16px system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
"""
_END = "</g>\n</svg>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where on the canvas of lines a picture goes, in cells."""

    picture: int
    line: int
    column: int
    row_of_picture: int
    columns: int


def export(shown: Shown, *, title: str = "m3w view", columns: int = 92) -> str:
    """The sample as an SVG document of less than 500 kB."""
    parts = list(rendering.parts(shown, "space", columns=columns))
    drawn = [part for part in parts if isinstance(part, Picture)]
    return draw(rendering.framed(parts, columns), drawn, title=title, columns=columns)


def draw(
    renderable: RenderableType, drawn: Sequence[Picture], *, title: str, columns: int = 92
) -> str:
    """What a terminal shows as an SVG document, `drawn` being the pictures in it (`space`)."""
    console = Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        highlight=False,
    )
    lines = console.render_lines(renderable, pad=False)
    console.print(renderable)
    text = console.export_svg(title=title, theme=_THEME, code_format=_FRAME, unique_id="m3w")
    places = [spot for spot in _spots(lines) if spot.row_of_picture == 0]
    for side, quality in _QUALITIES:
        images = [
            _element(drawn_by_number(drawn, spot.picture), spot, side, quality) for spot in places
        ]
        svg = text + "\n".join([*images, _END])
        if len(svg.encode()) <= MAX_BYTES:
            break
    return svg


def drawn_by_number(drawn: Sequence[Picture], number: int) -> Picture:
    """The picture with this number; some of a document's pictures may not have decoded."""
    return next(picture for picture in drawn if picture.number == number)


def _element(picture: Picture, spot: _Spot, side: int, quality: int) -> str:
    columns, rows = picture.cells
    return (
        f'<image x="{spot.column * _CHARACTER_WIDTH:g}" y="{spot.line * _LINE_HEIGHT + 1.5:g}" '
        f'width="{columns * _CHARACTER_WIDTH:g}" height="{rows * _LINE_HEIGHT:g}" '
        f'preserveAspectRatio="xMinYMid" href="data:image/jpeg;base64,'
        f'{_jpeg(picture.image, side, quality)}"/>'
    )


def _jpeg(image: PillowImage.Image, side: int, quality: int) -> str:
    small = image.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=quality, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _spots(lines: list[list[Segment]]) -> list[_Spot]:
    """Where `space` pictures stand in rendered lines, one entry for each row of each picture."""
    found = []
    for number, line in enumerate(lines):
        column = 0
        for segment in line:
            meta = segment.style.meta if segment.style is not None else {}
            if "picture" in meta:
                found.append(
                    _Spot(
                        picture=meta["picture"],
                        line=number,
                        column=column,
                        row_of_picture=meta["row"],
                        columns=segment.cell_length,
                    )
                )
            column += segment.cell_length
    return found
