"""`report.html` and `report.json`: the same numbers for people and for programs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2

from openm3w.errors import InputError
from openm3w.pipeline.report import charts, published, sankey
from openm3w.pipeline.report.words import flat, reasons, share, words
from openm3w.shards import commit, funnel
from openm3w.shards.funnel import Stage
from openm3w.shards.terminal import number

if TYPE_CHECKING:
    from openm3w.pipeline.report.samples import Samples

HTML_NAME = "report.html"
JSON_NAME = "report.json"

_TEMPLATES = Path(__file__).parent / "templates"
_BARS_SHOWN: Final = 12
"""Of the rows of one chart; the others are folded away."""
_ABOUT: Final = "What went into this build, and what became of every record, page and image."


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Commits `report.html` and `report.json`.

    `report` may hold `name`, `about`, `recipe`, `models`, `versions`, `inputs`, `stages` (each as
    `funnel.to_json` gives it), `histograms` (title -> edges and counts), `bars` (title -> name ->
    count), `tables` (title -> rows, the first one being the head) and `notes`.

    Raises:
        ValueError: the stages do not add up; a wrong funnel is never written.
        OutputError: the folder cannot be written.
    """
    html = render(report)
    commit.write_json(folder / JSON_NAME, report)
    commit.write_bytes(folder / HTML_NAME, html.encode("utf-8", "replace"))


def read_report(folder: Path) -> dict[str, Any]:
    """The mapping that `write_report` was given.

    Raises:
        InputError: there is no report in the folder, or it does not parse or add up.
    """
    path = folder / JSON_NAME
    report = commit.read_json(path)
    if report is None:
        reason = "is not valid JSON" if path.is_file() else "is missing"
        raise InputError(
            f"{path} {reason}; `m3w build` writes it as its last step: run the same build again"
        )
    try:
        stages_of(report)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}; run the same build again") from error
    return report


def render(report: Mapping[str, Any], samples: "Samples | None" = None) -> str:
    """One self-contained page; whatever came from the web stands in it as text.

    `samples` are documents with pictures, which the page that is published does not have.

    Raises:
        ValueError: the stages do not add up.
    """
    stages = stages_of(report)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _cell
    environment.filters["words"] = words
    environment.filters["id"] = id
    name = str(report.get("name") or "build")
    return environment.get_template("report.html").render(
        name=name,
        about=str(report.get("about") or _ABOUT),
        diagrams={unit: sankey.svg(these) for unit, these in by_unit(stages).items()},
        stages=stages,
        reasons={id(stage): reasons(stage) for stage in stages},
        share=share,
        histograms=[
            (title, charts.svg(charts.histogram_from_json(title, value)))
            for title, value in dict(report.get("histograms") or {}).items()
        ],
        bars={title: _bars(counts) for title, counts in dict(report.get("bars") or {}).items()},
        shown=_BARS_SHOWN,
        samples=samples,
        published=published.compare(name, stages),
        tables=dict(report.get("tables") or {}),
        inputs=list(report.get("inputs") or ()),
        notes=list(report.get("notes") or ()),
        settings={
            title: list(flat(report[key]))
            for key, title in (("recipe", "Recipe"), ("models", "Models"), ("versions", "Versions"))
            if report.get(key)
        },
    )


def with_published(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report and, under `published`, the funnels of others as the page has them.

    Raises:
        ValueError: the stages do not add up.
    """
    found = published.compare(str(report.get("name") or "build"), stages_of(report))
    return {**report, **({"published": published.as_json(found)} if found else {})}


def stages_of(report: Mapping[str, Any]) -> tuple[Stage, ...]:
    """The report's stages, checked one by one and as a chain.

    Raises:
        ValueError: naming the stage that does not add up.
    """
    stages = tuple(funnel.from_json(value) for value in report.get("stages") or ())
    funnel.check_chain(stages)
    return stages


def by_unit(stages: Iterable[Stage]) -> dict[str, list[Stage]]:
    """The stages of each unit, in order."""
    result: dict[str, list[Stage]] = {}
    for stage in stages:
        result.setdefault(stage.unit, []).append(stage)
    return result


def _bars(counts: Mapping[str, int]) -> Sequence[tuple[str, int, float]]:
    """Name, count, and length in per cent of the longest."""
    most = max(counts.values(), default=0) or 1
    return [(name, count, 100 * count / most) for name, count in counts.items()]


def _cell(value: object) -> str:
    """Numbers with thousands separators, everything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number(value)
