"""The sections of a data card that tell of a run: what is in it, how it was collected and filtered.

What they ask follows the datasheets of Gebru et al. (Datasheets for Datasets, arXiv 1803.09010):
motivation, composition, collection, preprocessing, uses, distribution, maintenance. Numbers are the
manifest's; motivation is the user's own, and what he writes there stays when the card is written
again.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from openm3w.shards import describing
from openm3w.shards.catalog.distributions import quantile
from openm3w.shards.manifest import Manifest
from openm3w.shards.origins import Origin, origins
from openm3w.shards.terminal import clean_line

BEGIN: Final = "<!-- Yours: what stands from here to the next such line is kept. -->"
END: Final = "<!-- The end of what is yours. -->"
_EMPTY: Final = (
    "Why it was made, by whom, and who paid for it: nobody has said so yet. Write it here; it\n"
    "stays when the card is written again."
)
_MAX_CARD: Final = 4_000_000  # bytes; ours are some 50 kB
_REPORT: Final = "report.html"
"""Builds write it before the card; imports and edits have none."""
_TOP: Final = 20
_LONGEST: Final = 80
_SHARES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_IMAGES: Final = "images in a document"
_MEASURES: Final[Mapping[str, str]] = {
    "images_per_document": _IMAGES,
    "characters": "characters in a document",
    "shorter_side": "shorter side of an image as fetched, pixels",
    "aspect": "long side of an image by the short one",
    "image_bytes": "stored bytes of an image",
}


def yours(card: Path) -> str:
    """What the user wrote between the marks of an earlier card; "" where there is none."""
    if card.is_symlink():  # in a folder that others filled it leads to any file
        return ""
    try:
        with card.open("rb") as file:
            text = file.read(_MAX_CARD).decode("utf-8", "replace")
    except OSError:
        return ""
    _, begin, rest = text.partition(f"{BEGIN}\n")
    mine, end, _ = rest.partition(f"\n{END}")
    return "" if not (begin and end) or mine.strip() == _EMPTY else mine.strip("\n")


def motivation(mine: str) -> str:
    """The user's own section, with its marks."""
    return f"{BEGIN}\n{mine or _EMPTY}\n{END}"


def composition(manifest: Manifest) -> str:
    """Languages, domains, sizes and scores, as far as a build counted them."""
    known = describing.distributions(manifest)
    if not known:
        return "Nobody has counted it yet: `m3w shards stats .` does."
    parts = [
        *_named(known, "languages", "language"),
        *_named(known, "domains", "domain"),
        _quantiles(known),
    ]
    excluded = len(manifest.exclude)
    if excluded:
        parts.append(f"Counted before {excluded:,} samples were excluded.")
    return "\n\n".join(part for part in parts if part)


def collection(manifest: Manifest) -> str:
    """Sources, dates and manners."""
    lines = [*describing.collection(manifest), *describing.opt_out(manifest)]
    return "\n".join(f"- {_text(line)}" for line in lines)


def filtering(manifest: Manifest) -> str:
    """The funnel, then every threshold with its source, of each part of a merge; then edits."""
    found = []
    for origin in origins(manifest):
        parts = [part for part in (_funnel(origin), _thresholds(origin)) if part]
        if parts and (name := describing.part_of(origin, manifest)):
            parts.insert(0, _text(name.strip()))
        found += parts
    if found and (manifest.folder / _REPORT).is_file():
        found.append(f"`{_REPORT}` has the funnel as a diagram.")
    found = found or ["The manifest holds no counts of a funnel."]
    return "\n\n".join([*found, *map(_text, describing.edits(manifest))])


def uses(manifest: Manifest) -> str:
    """What it is for, how it leans, and what it cannot do."""
    lines = (*describing.USES, *describing.LIMITS, *describing.biases(manifest))
    return "\n".join(f"- {_text(line)}" for line in (*lines, describing.PERSONAL))


def _named(known: Mapping[str, Any], names: str, head: str) -> Iterator[str]:
    counts, documents = known.get(names) or {}, int(known.get("documents", 0)) or 1
    if not counts:
        return
    shown = list(counts.items())[:_TOP]
    total = known.get(f"num_{names}", len(counts))
    rows = [
        f"| {_cell(name)} | {count:,} | {100 * count / documents:.1f} % |" for name, count in shown
    ]
    more = f"\n\n{total - len(shown):,} {names} more." if total > len(shown) else ""
    yield "\n".join([f"| {head} | documents | share |", "|---|--:|--:|", *rows]) + more


def _quantiles(known: Mapping[str, Any]) -> str:
    measures, scores = known.get("measures", {}), known.get("scores", {})
    found = {title: measures[name] for name, title in _MEASURES.items() if name in measures}
    found |= {_cell(name): bins for name, bins in scores.items() if "similarity" in name}
    if not found:
        return ""
    head = ["", *(f"{share:.0%}" for share in _SHARES)]
    rows = [
        [title, *(_number(bins, share, whole=title == _IMAGES) for share in _SHARES)]
        for title, bins in found.items()
    ]
    table = [f"| {' | '.join(row)} |" for row in (head, ["---"] + ["--:"] * len(_SHARES), *rows)]
    return "\n".join(table) + "\n\nQuantiles are estimated inside the bins of histograms."


def _number(bins: Mapping[str, Sequence[float]], share: float, *, whole: bool) -> str:
    value = quantile(bins, share)
    if value is None:
        return ""
    if whole:  # a bin from 2 to 3 holds twos
        return f"{max(math.ceil(value) - 1, 0)}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _funnel(origin: Origin) -> str:
    rows = []
    for stage in origin.stages:
        lost = {**stage.get("dropped", {}), **stage.get("failed", {})}
        top = sorted(lost.items(), key=lambda item: (-item[1], item[0]))
        told = ", ".join(f"{_cell(_words(name))} {count:,}" for name, count in top[:5] if count)
        more = f" and {len(top) - 5} reasons more" if len(top) > 5 else ""
        cells = (_cell(_words(stage["job"])), _cell(stage["unit"]))
        numbers = (f"{stage['entered']:,}", f"{stage['kept']:,}", f"{sum(lost.values()):,}")
        rows.append(f"| {' | '.join((*cells, *numbers, told + more))} |")
    if not rows:
        return ""
    head = "| stage | of | entered | kept | lost | mostly for |\n|---|---|--:|--:|--:|---|\n"
    return head + "\n".join(rows)


def _thresholds(origin: Origin) -> str:
    rows = origin.counts.get("thresholds") or ()
    if not rows:
        return ""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    head = "| threshold | value | source |\n|---|---|---|\n"
    name = _text(str(origin.recipe.get("profile", "")))
    summary = f"<details>\n<summary>Thresholds of the profile {name}</summary>\n\n"
    return f"{summary}{head}" + "\n".join(lines) + "\n\n</details>"


def _text(line: str) -> str:
    """Text that may hold words of the web, as Markdown that shows it and does nothing."""
    found = html.escape(clean_line(line), quote=False)
    for mark in "\\`*_[]|!#~$":
        found = found.replace(mark, f"\\{mark}")
    return found


def _cell(name: object) -> str:
    text = clean_line(str(name))
    return _text(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _words(name: object) -> str:
    return str(name).replace("_", " ")
