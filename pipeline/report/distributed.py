"""What the documents of a dataset are like, as the histograms and bars of a report."""

from collections.abc import Mapping
from typing import Any

from openm3w.pipeline.report.words import words

HISTOGRAMS: Mapping[str, str] = {
    "images_per_document": "images in a kept document",
    "characters": "characters of a kept document",
    "shorter_side": "shorter side of the kept images as fetched, pixels",
    "aspect": "long side of the kept images by the short one",
    "image_bytes": "stored size of the kept images, bytes",
}
_NAMES: Mapping[str, str] = {
    "languages": "languages of the kept documents",
    "domains": "domains of the kept documents",
    "crawls": "crawls of the kept documents",
    "months": "months in which the kept documents were crawled",
    "opt_out": "opt-out signals on pages of kept documents",
    "licences": "licences named by pages of kept documents",
}
_SCORE = "score of what was kept: "


def histograms(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Title -> edges and counts, of `Distributions.summary`."""
    measures = summary.get("measures", {})
    found = {title: measures[name] for name, title in HISTOGRAMS.items() if name in measures}
    scores = summary.get("scores", {})
    for name, bins in sorted(scores.items(), key=lambda item: "similarity" not in item[0]):
        found[f"{_SCORE}{words(name)}"] = bins
    return {title: bins for title, bins in found.items() if bins["counts"]}


def bars(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Title -> name -> count, the most frequent first."""
    found = {}
    for name, title in _NAMES.items():
        if counts := summary.get(name):
            known = summary.get(f"num_{name}", len(counts))
            more = f", the first {len(counts):,} of {known:,}" if known > len(counts) else ""
            found[title + more] = dict(counts)
    return found


def counted_again(report: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """The report with these in the place of those that a build counted; its others stay."""
    found = dict(report)
    for name, titles in (("histograms", (*HISTOGRAMS.values(), _SCORE)), ("bars", _NAMES.values())):
        if name in report:
            found[name] = {
                title: each
                for title, each in report[name].items()
                if not title.startswith(tuple(titles))
            }
    return with_distributions(found, summary)


def with_distributions(report: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """The report with these histograms and bars before its own."""
    return {
        **report,
        "histograms": {**histograms(summary), **report.get("histograms", {})},
        "bars": {**bars(summary), **report.get("bars", {})},
    }
